import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../until";
import { createSide, type Side, shows } from "./rag-sides";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
let side: Side;
let other: Side;
beforeAll(async () => {
  stack = await startStack({ tokens: 8, tokenMs: 0 });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
  [side, other] = [await createSide(stack, "crimson", "name"), await createSide(stack, "azure", "id")];
});
afterAll(() => stack.close());

const send = async (
  key: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Json }> => {
  const response = await stack.call(method, path, { key, body });
  return { status: response.status, body: JSON.parse(await response.text()) };
};
const evaluate = ({ client, index }: Side, sample: object, target: object = {}, more: object = {}) =>
  send(client.key, "POST", "/v1/evaluate", { sample, target: { kind: "rag", index, ...target }, ...more });

const SAMPLE = { input: "What is the code of the ferry?", references: ["crimson"] };
/** No passage is similar enough. */
const NOTHING = { retrieval: { threshold: { score: "vector", value: 1 }, fallback_text: "Dazu steht hier nichts." } };

test("the answer's contexts are the passages that were found, and faithfulness is scored against them", async () => {
  const sample = { ...SAMPLE, contexts: ["A context of the sample that is not used."] };
  const { status, body } = await evaluate(side, sample, { retrieval: { top_k: 2 } });
  expect(status).toBe(201);
  const { output, scores, contexts } = body.result;
  expect(contexts).toEqual(sample.contexts);
  expect(output).toMatchObject({ status: "answered", citations: expect.any(Array), finish_reason: "stop" });
  expect(output.contexts[0]).toContain("The code of the ferry is crimson");
  expect(output.contexts.length).toBeLessThanOrEqual(2);
  expect(scores.map(({ metric, state }: Json) => [metric, state])).toEqual([
    ["correctness", "scored"],
    ["faithfulness", "scored"],
    ["hallucination", "scored"],
  ]);
});

test("the run pins the index with its version and revision, and every search setting", async () => {
  const target = { index: side.name, retrieval: { mode: "keyword" } };
  const { body } = await evaluate(side, SAMPLE, target);
  const index = await side.client.read(`/${side.index}`);
  const { pins } = body.run;
  expect(pins).toMatchObject({ index_version: 1, index_revision: index.revision, model_revision: expect.any(String) });
  expect(pins.target).toMatchObject({ kind: "rag", index: side.index, temperature: 0 });
  expect(pins.target.retrieval).toEqual({ ...index.retrieval, mode: "keyword" });
});

describe("the fallback text", () => {
  test.each<[string, object, boolean, string | null]>([
    ["is the failure no_context where an answer was expected", SAMPLE, false, "no_context"],
    ["is right for a sample without references", { input: "Who won?" }, true, null],
    ["is right for a sample whose reference abstains", { input: "Who won?", references: ["unanswerable"] }, true, null],
  ])("%s", async (_, sample, passed, failure) => {
    const { status, body } = await evaluate(side, sample, NOTHING);
    const { result } = body;
    expect([status, result.passed, result.failure]).toEqual([201, passed, failure]);
    expect(result.output).toMatchObject({
      status: "no_relevant_context",
      contexts: [],
      text: "Dazu steht hier nichts.",
    });
    expect([result.output.usage, body.run.pins.model_revision]).toEqual([null, null]);
    const read = await send(side.client.key, "GET", `/v1/evals/${body.run.id}`);
    expect([read.body.run.failures, read.body.results.data[0].failure]).toEqual([
      failure ? { no_context: 1 } : {},
      failure,
    ]);
  });

  test("keeps its verdict when it is scored again, and on another instance", async () => {
    const { body } = await evaluate(side, SAMPLE, NOTHING);
    const path = `/v1/evals/${body.run.id}`;
    const again = await send(side.client.key, "POST", `${path}/recompute`, { evaluators: ["judge@1"] });
    expect(again.body.results.data[0]).toMatchObject({ passed: false, failure: "no_context" });
    const file = (await send(side.client.key, "GET", `${path}/export`)).body;
    const elsewhere = await startStack({ tokens: 4, tokenMs: 0 }, { hasWorker: false });
    try {
      await elsewhere.call("POST", "/v1/evals/import", { body: file });
      const read = JSON.parse(await (await elsewhere.call("GET", path)).text());
      expect(read.results.data[0]).toMatchObject({ passed: false, failure: "no_context" });
      expect(read.run.pins).toEqual(body.run.pins);
    } finally {
      await elsewhere.close();
    }
  });
});

describe("an index that the key may not use", () => {
  test("can't be evaluated", async () => {
    const { status, body } = await evaluate(side, SAMPLE, { index: other.index });
    expect([status, body.error.param]).toEqual([404, "index"]);
  });

  test("has runs and results that are not found, listed, exported or scored again", async () => {
    const { body } = await evaluate(other, { ...SAMPLE, references: ["azure"] });
    const { run, result } = body;
    const { key } = side.client;
    expect(shows(body, other)).toBe(true);
    for (const [method, path, sent] of [
      ["GET", `/v1/evals/${run.id}`],
      ["GET", `/v1/evals/${run.id}/export`],
      ["POST", `/v1/evals/${run.id}/recompute`, { evaluators: ["reference@1"] }],
    ] as const) {
      const hidden = await send(key, method, path, sent);
      const missing = await send(key, method, path.replace(run.id, "run_missing"), sent);
      expect([path, hidden.status, missing.status]).toEqual([path, 404, 404]);
    }
    const listed = async (own: string) =>
      (await send(own, "GET", "/v1/evals?limit=100")).body.data.map(({ id }: Json) => id);
    expect([(await listed(key)).includes(run.id), (await listed(other.client.key)).includes(run.id)]).toEqual([
      false,
      true,
    ]);
    expect((await send(other.client.key, "GET", `/v1/evals/${run.id}`)).body.results.data[0].id).toBe(result.id);
    expect((await send(stack.adminKey, "GET", `/v1/evals/${run.id}`)).status).toBe(200);
  });
});
