import { expect, test } from "bun:test";
import fc from "fast-check";
import { plainJson } from "../../../tests/datasets/rows";
import { findJsonProblem } from "./json-problem";

const unit = fc.constantFrom(...'{}[]:,"-.e10 \\\n', '"a"', "true", "nul", "u00e9");

test("what JSON.parse takes has no problem, and what it refuses has one", () => {
  const json = plainJson.map((value) => JSON.stringify(value));
  const mutated = fc.tuple(json, fc.nat(), fc.string({ unit, maxLength: 3 })).map(([text, at, insert]) => {
    const cut = at % (text.length + 1);
    return text.slice(0, cut) + insert + text.slice(cut);
  });
  fc.assert(
    fc.property(fc.oneof(json, mutated, fc.string({ unit })), (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(findJsonProblem(text) === undefined).toBe(isJson);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['{"a": 1,}', 8, 'expected a name in double quotes, found "}"'],
  ['{"a" 1}', 5, 'expected ":", found "1"'],
  ['{"a": 1 "b": 2}', 8, 'expected "," or "}", found "\\""'],
  ["[1, 2", 5, 'expected "," or "]", found the end'],
  ['{"a": nope}', 6, 'expected a value, found "n"'],
  ['{"a": nan}', 6, 'expected a value, found "n"'],
  ['{"a": NaN, "b": -Infinity, c}', 27, 'expected a name in double quotes, found "c"'],
  ["{'a': 1}", 1, 'expected a name in double quotes, found "\'"'],
  ['{"a": "x', 6, "a string begins here and never ends"],
  ['{"a": "x\ty"}', 8, "a control character stands in a string: write it as an escape"],
  ['{"a": "\\x"}', 7, "a backslash here is no escape of JSON"],
  ["{} {}", 3, "there is more after the end of the value"],
  ["01", 1, "there is more after the end of the value"],
  ["", 0, "expected a value, found the end"],
  ['{"a": {"__proto__": 1}}', 7, 'the name "__proto__" is not allowed: rename it'],
  ['{"\\u005f_proto__": 1}', 1, 'the name "__proto__" is not allowed: rename it'],
  ['[{"constructor": 1}]', 2, 'the name "constructor" is not allowed: rename it'],
])("%j: position %d, %s", (text, at, message) => {
  expect(findJsonProblem(text)).toEqual({ at, message });
});

test("100 levels are fine and 101 are not", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  expect(findJsonProblem(nested(100))).toBeUndefined();
  expect(findJsonProblem(nested(101))).toEqual({ at: 100, message: "lists and objects are more than 100 levels deep" });
  expect(findJsonProblem("[".repeat(1_000_000))?.at).toBe(100);
});
