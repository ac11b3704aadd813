import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { verifyBundle } from "../../gateway/batch-evals/bundle/verify-bundle";
import { scoreToolCalls } from "../../gateway/evals/scorers/tool-call-evaluator";
import type { ScriptedServer } from "../scripted-server";
import { startCapableStack, tool } from "./capable-stack";
import { completedRun } from "./completed-run";
import type { Stack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
let server: ScriptedServer;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ stack, server, close } = await startCapableStack({ hasWorker: true }));
});
afterAll(() => close());
beforeEach(() => {
  // Calls the function with the last word of the question.
  server.answer = ({ messages }) => {
    const city = String((messages as Json[]).at(-1).content)
      .split(" ")
      .at(-1);
    const call = { id: "call_1", name: "get_weather", arguments: JSON.stringify({ city }) };
    return [{ reasoning: "I need the weather.", calls: [call], finish_reason: "tool_calls" }];
  };
});

const send = async (method: string, path: string, body?: object): Promise<Json> => {
  const response = await stack.call(method, path, { body });
  return JSON.parse(await response.text());
};
const weatherIn = (city: string) => [{ name: "get_weather", arguments: { city } }];
const evaluators = ["tool_call@1"];
const SAMPLE = { input: "Weather in Rome", tools: [tool], tool_choice: "required" };

const brief = ({ passed, failure, scores }: Json) => [
  passed,
  failure,
  scores.map(({ metric, value, reason }: Json) => [metric, value, reason]),
];

test("a sample's tools are sent to the model, and its call is stored and compared", async () => {
  const sample = { ...SAMPLE, expected_tool_calls: weatherIn("Rome") };
  const { result } = await send("POST", "/v1/evaluate", { sample, evaluators });
  expect([server.last.tools, server.last.tool_choice]).toEqual([[tool], "required"]);
  expect(result).toMatchObject({
    expected_tool_calls: weatherIn("Rome"),
    output: { text: "", reasoning: "I need the weather.", finish_reason: "tool_calls" },
  });
  expect(result.output.tool_calls[0].function).toEqual({ name: "get_weather", arguments: '{"city":"Rome"}' });
  expect(brief(result)).toEqual([
    true,
    null,
    [
      ["tool_name", 1, "As expected."],
      ["tool_arguments", 1, "As expected."],
    ],
  ]);
});

test.each([
  [weatherIn("Paris"), 1, 'get_weather: city is "Rome", not "Paris".'],
  [[], 0, "Calls get_weather, which is not expected."],
])("a wrong call fails, and the reason names the difference: %j", async (expected_tool_calls, name, reason) => {
  const { result } = await send("POST", "/v1/evaluate", { sample: { ...SAMPLE, expected_tool_calls }, evaluators });
  expect(brief(result)).toEqual([
    false,
    "wrong",
    [
      ["tool_name", name, name === 1 ? "As expected." : reason],
      ["tool_arguments", 0, reason],
    ],
  ]);
});

test.each([
  [{ sample: SAMPLE, evaluators }, "sample", "The sample has nothing to compare the answer with."],
  [
    { sample: { ...SAMPLE, expected_tool_calls: [] }, rubric: { criteria: ["tool_name"] }, evaluators: ["judge@1"] },
    "rubric.criteria.0",
    'judge@1 can\'t score "tool_name". Add tool_call@1 to `evaluators`.',
  ],
  [
    { sample: { ...SAMPLE, expected_tool_calls: [{ name: "get weather", arguments: {} }] }, evaluators },
    "sample.expected_tool_calls.0.name",
    "sample.expected_tool_calls.0.name must have 1 to 64 letters",
  ],
])("an evaluation is refused, naming the field: %#", async (body, param, message) => {
  const { error } = await send("POST", "/v1/evaluate", body);
  expect(error).toMatchObject({ param, message: expect.stringContaining(message) });
});

test("a run over a dataset stores and scores every call, and its bundle can be verified", async () => {
  const samples = ["Rome", "Paris"].map((city) => ({
    ...{ key: city, input: `Weather in ${city}`, tools: [tool] },
    expected_tool_calls: weatherIn("Rome"),
  }));
  const { dataset } = await send("POST", "/v1/datasets", { name: "calls", samples });
  const run = await completedRun(stack, { dataset: "calls", target: { kind: "chat" }, evaluators });
  expect(run.verdict.pass_rate.value).toBe(0.5);
  const { data } = await send("GET", `/v1/batch-evals/${run.id}/samples`);
  expect(data.map(({ passed, output }: Json) => [passed, output.tool_calls[0].function.arguments])).toEqual([
    [true, '{"city":"Rome"}'],
    [false, '{"city":"Paris"}'],
  ]);
  const bundle = await stack.call("GET", `/v1/batch-evals/${run.id}/export?format=bundle`);
  const verification = await verifyBundle(bundle.body as ReadableStream<Uint8Array>, {
    rescore: async (answer) => scoreToolCalls(answer),
    parallel: 4,
  });
  expect(verification).toMatchObject({ differences: [], recomputed: { "tool_call@1": 4 } });

  // Both formats produce the same samples, with the same hashes.
  for (const format of ["jsonl", "csv"]) {
    const file = await (await stack.call("GET", `/v1/datasets/${dataset.id}/export?format=${format}`)).text();
    const form = new FormData();
    form.set("name", `calls from ${format}`);
    form.set("file", new File([file], `calls.${format}`));
    const headers = { authorization: `Bearer ${stack.adminKey}` };
    const response = await fetch(`${stack.url}/v1/datasets`, { method: "POST", headers, body: form });
    const { dataset: copy } = (await response.json()) as Json;
    expect(copy.latest.hash).toBe(dataset.latest.hash);
  }
});
