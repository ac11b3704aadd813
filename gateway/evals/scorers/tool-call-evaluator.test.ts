import { describe, expect, test } from "bun:test";
import type { ExpectedCall } from "../../datasets/sample-contract";
import { scoreToolCalls } from "./tool-call-evaluator";

type Made = [name: string, json: string];

const PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" }, unit: { type: "string", default: "celsius" } },
};
const TOOLS = [{ type: "function" as const, function: { name: "get_weather", parameters: PARAMETERS } }];
const rome = { name: "get_weather", arguments: { city: "Rome" } };
const paris = { name: "get_weather", arguments: { city: "Paris" } };
const ROME: Made = ["get_weather", '{"city":"Rome"}'];
const PARIS: Made = ["get_weather", '{"city":"Paris"}'];

const score = (expected: ExpectedCall[], made: Made[]) => {
  const calls = made.map(([name, json], index) => ({
    ...{ id: `call_${index}`, type: "function" as const },
    function: { name, arguments: json },
  }));
  const answer = { question: null, references: [], contexts: [], output: "" };
  return scoreToolCalls({ ...answer, calls: { expected, made: calls, tools: TOOLS } });
};
/** The share of right names, the share of right arguments, and the reason for the second. */
const brief = (expected: ExpectedCall[], made: Made[]) => {
  const [name, values] = score(expected, made);
  return [name?.value, values?.value, values?.reason];
};

describe("calls are equal", () => {
  test.each<[string, ExpectedCall[], Made[]]>([
    [
      "regardless of the order of keys",
      [{ name: "f", arguments: { a: 1, b: { c: 2, d: 3 } } }],
      [["f", '{"b":{"d":3,"c":2},"a":1}']],
    ],
    ["if numbers are written differently", [{ name: "f", arguments: { n: 1, m: 100 } }], [["f", '{"n":1.0,"m":1e2}']]],
    ["regardless of the order of calls", [rome, paris], [PARIS, ROME]],
    [
      "if an argument is left out and the expected one is its default",
      [{ name: "get_weather", arguments: { city: "Rome", unit: "celsius" } }],
      [ROME],
    ],
    [
      "if an argument that is not expected has its default",
      [rome],
      [["get_weather", '{"city":"Rome","unit":"celsius"}']],
    ],
    ["if a function without arguments gets an empty text", [{ name: "now", arguments: {} }], [["now", ""]]],
  ])("%s", (_, expected, made) => {
    expect(brief(expected, made)).toEqual([1, 1, "As expected."]);
  });

  test("if none is expected and none is made", () => {
    expect(score([], []).map(({ value, reason }) => [value, reason])).toEqual([
      [1, "As expected, no function was called."],
      [1, "As expected, no function was called."],
    ]);
  });
});

describe("the reason names the first difference", () => {
  const list = (...days: unknown[]) => ({ name: "f", arguments: { days } });
  test.each<[string, ExpectedCall[], Made[], name: number, values: number]>([
    ["Doesn't call get_weather.", [rome], [], 0, 0],
    ["Calls get_time instead of get_weather.", [rome], [["get_time", "{}"]], 0, 0],
    ["Calls get_time, which is not expected.", [], [["get_time", "{}"]], 0, 0],
    ["Calls get_weather more often than expected.", [rome], [ROME, ROME], 0.5, 0.5],
    ['get_weather: city is "Paris", not "Rome".', [rome], [PARIS], 1, 0],
    [
      'get_weather: city is "Paris", not "Rome". Calls get_weather more often than expected.',
      [rome],
      [PARIS, PARIS],
      0.5,
      0,
    ],
    ["Calls get_weather less often than expected.", [rome, paris], [ROME], 0.5, 0.5],
    [
      'get_weather: city is "Oslo", not "Rome". Calls get_weather less often than expected.',
      [rome, paris],
      [["get_weather", '{"city":"Oslo"}']],
      0.5,
      0,
    ],
    ['get_weather: city is "Oslo", not "Paris".', [rome, paris], [["get_weather", '{"city":"Oslo"}'], ROME], 1, 0.5],
    ["get_weather: city is missing.", [rome], [["get_weather", "{}"]], 1, 0],
    ["get_weather: days is not expected.", [rome], [["get_weather", '{"city":"Rome","days":2}']], 1, 0],
    [
      'get_weather: unit is "kelvin", not "celsius".',
      [rome],
      [["get_weather", '{"city":"Rome","unit":"kelvin"}']],
      1,
      0,
    ],
    ["f: days[1] is 3, not 2.", [list(1, 2)], [["f", '{"days":[1,3]}']], 1, 0],
    ["f: days[2] is not expected.", [list(1, 2)], [["f", '{"days":[1,2,3]}']], 1, 0],
    ['f: n is "1", not 1.', [{ name: "f", arguments: { n: 1 } }], [["f", '{"n":"1"}']], 1, 0],
    ["f: a.b is null, not {}.", [{ name: "f", arguments: { a: { b: {} } } }], [["f", '{"a":{"b":null}}']], 1, 0],
    ["The arguments of get_weather are not a JSON object.", [rome], [["get_weather", '{"city":"Ro']], 1, 0],
    ["The arguments of get_weather are not a JSON object.", [rome], [["get_weather", '["Rome"]']], 1, 0],
  ])("%s", (reason, expected, made, name, values) => {
    expect(brief(expected, made)).toEqual([name, values, reason]);
  });
});

test("a sample that expects nothing gets no score", () => {
  expect(scoreToolCalls({ question: null, references: ["a"], contexts: [], output: "a" })).toEqual([]);
});
