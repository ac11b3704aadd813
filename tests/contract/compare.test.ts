import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
/** Two runs of one dataset: the same questions, answered with different lengths. */
let [baseline, candidate, single]: string[] = [];

const send = async (method: string, path: string, body?: unknown, key?: string) => {
  const response = await stack.call(method, path, { body, key });
  return { status: response.status, body: (await response.json()) as Json };
};

beforeAll(async () => {
  stack = await startStack({ tokens: 4 });
  const samples = Array.from({ length: 30 }, (_, n) => ({
    key: `k${n}`,
    input: `What is ${n}?`,
    references: [`${n}`],
  }));
  await send("POST", "/v1/datasets", { name: "numbers", samples });
  const started = [4, 8].map(async (max_tokens) => {
    const plan = { dataset: "numbers", target: { kind: "chat", max_tokens }, evaluators: ["exact@1"] };
    return (await send("POST", "/v1/batch-evals", { ...plan, name: `${max_tokens} tokens` })).body.id;
  });
  [baseline, candidate] = await Promise.all(started);
  for (const id of [baseline, candidate]) {
    await until(
      "the run has ended",
      async () => (await send("GET", `/v1/batch-evals/${id}`)).body.state === "completed",
    );
  }
  const evaluated = await send("POST", "/v1/evaluate", { sample: { input: "?", references: ["a"], output: "a" } });
  single = evaluated.body.run.id;
});
afterAll(() => stack.close());

describe("GET /v1/compare", () => {
  test("200 with the verdict, the figures of both runs, and their samples side by side", async () => {
    const { status, body } = await send("GET", `/v1/compare?runs=${baseline},${candidate}&show=all&limit=2`);
    expect(status).toBe(200);
    expect(body.runs.map(({ name, samples, errors }: Json) => [name, samples, errors])).toEqual([
      ["4 tokens", 30, 0],
      ["8 tokens", 30, 0],
    ]);
    expect(body.comparisons).toMatchObject([{ run_id: candidate, verdict: "not_shown", pairs: 30, warnings: [] }]);
    expect(body.comparisons[0].metrics.map(({ metric, n, p }: Json) => [metric, n, p])).toEqual([
      ["verdict", 30, 1],
      ["correctness", 30, 1],
    ]);
    expect([body.counts.all, body.samples.data.length, body.samples.has_more]).toEqual([30, 2, true]);
    expect(body.samples.data[0].runs.map(({ output }: Json) => typeof output)).toEqual(["string", "string"]);
  });

  test.each([
    ["the runs", (): string => "", 400, "runs"],
    ["another run", () => `?runs=${baseline}`, 400, "runs"],
    ["batch runs", () => `?runs=${baseline},${single}`, 400, "runs"],
    ["runs that exist", () => `?runs=${baseline},run_none`, 404, "id"],
    ["a known list", () => `?runs=${baseline},${candidate}&show=nothing`, 400, "show"],
    ["a known metric", () => `?runs=${baseline},${candidate}&metric=tone`, 400, "metric"],
  ] as const)("needs %s", async (_, query, status, param) => {
    const refused = await send("GET", `/v1/compare${query()}`);
    expect([refused.status, refused.body.error.param]).toEqual([status, param]);
  });
});

describe("the baseline of a dataset", () => {
  const dataset = async (): Promise<Json> => (await send("GET", "/v1/datasets/numbers")).body;
  const setBaseline = async (baseline_run_id: string | null): Promise<Json> =>
    send("PATCH", `/v1/datasets/${(await dataset()).id}`, { baseline_run_id });

  test("is set, shown, used for a single run id, and cleared", async () => {
    expect((await setBaseline(baseline ?? "")).body.baseline_run_id).toBe(baseline);
    const { body } = await send("GET", `/v1/compare?runs=${candidate}`);
    expect(body.runs.map(({ run_id }: Json) => run_id)).toEqual([baseline, candidate]);
    expect((await setBaseline(null)).body.baseline_run_id).toBeNull();
    expect((await send("GET", `/v1/compare?runs=${candidate}`)).status).toBe(400);
  });

  test("must be a batch run of that dataset and must have ended", async () => {
    for (const id of [single ?? "", "run_none"]) {
      const { status, body } = await setBaseline(id);
      expect([status, body.error.param]).toEqual([400, "baseline_run_id"]);
    }
  });
});

describe("POST /v1/batch-evals/{id}/gate", () => {
  const gate = (id: string | undefined, rules: unknown[], more: object = {}) =>
    send("POST", `/v1/batch-evals/${id}/gate`, { rules, ...more });

  test("200 with the verdict of each rule", async () => {
    const { status, body } = await gate(candidate, [
      { of: "pass_rate", at_least: 0.8 },
      { of: "errors", at_most: 0 },
    ]);
    expect([status, body.verdict, body.reason]).toEqual([200, "fail", "Not met: pass_rate >= 80%."]);
    expect(body.rules.map(({ verdict }: Json) => verdict)).toEqual(["fail", "pass"]);
  });

  test("compares with a named baseline", async () => {
    const { body } = await gate(candidate, [{ of: "pass_rate", max_regression: 0.2 }], { baseline });
    expect(body).toMatchObject({ verdict: "pass", baseline_run_id: baseline });
  });

  test("400 and 404 say what is wrong", async () => {
    const refused = await Promise.all([
      gate(candidate, []),
      gate(candidate, [{ of: "pass_rate" }]),
      gate(candidate, [{ of: "pass_rate", max_regression: 0 }]),
      gate(candidate, [{ of: "speed", at_most: 3 }]),
      gate(single, [{ of: "pass_rate", at_least: 0.5 }]),
      gate("run_none", [{ of: "pass_rate", at_least: 0.5 }]),
    ]);
    expect(refused.map(({ status, body }) => [status, body.error.param])).toEqual([
      [400, "rules"],
      [400, "rules.0"],
      [400, "baseline"],
      [400, "rules.0.of"],
      [400, "id"],
      [404, "id"],
    ]);
  });

  test("409 for a run that has not ended", async () => {
    const samples = [{ key: "slow", input: "!hang after 1", references: ["x"] }];
    await send("POST", "/v1/datasets", { name: "slow", samples });
    const plan = { dataset: "slow", target: { kind: "chat" }, evaluators: ["exact@1"] };
    const { id } = (await send("POST", "/v1/batch-evals", plan)).body;
    expect((await gate(id, [{ of: "pass_rate", at_least: 0.5 }])).status).toBe(409);
    const open = await send("GET", `/v1/compare?runs=${id},${candidate}`);
    expect(open.body.comparisons[0]).toMatchObject({ verdict: "not_comparable", reason: { code: "dataset_differs" } });
    await send("POST", `/v1/batch-evals/${id}/cancel`);
  });
});

test("a viewer can compare runs and check gates", async () => {
  const key = await stack.keyOf("viewer");
  expect((await send("GET", `/v1/compare?runs=${baseline},${candidate}`, undefined, key)).status).toBe(200);
  const body = { rules: [{ of: "errors", at_most: 0 }] };
  expect((await send("POST", `/v1/batch-evals/${candidate}/gate`, body, key)).body.verdict).toBe("pass");
});
