import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../until";
import { API_ROUTES } from "./api-routes";
import { changeKey, createSide, type Side, shows, TOPICS } from "./rag-sides";
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
  const { retrieval } = output;
  expect(retrieval).toMatchObject({ threshold: null, degraded: null, stages_ms: { total: expect.any(Number) } });
  expect(retrieval.chunks.map(({ context }: Json) => context)).toEqual([1, 2]);
  expect(retrieval.chunks[0].document_id).toBe(side.documents.get("ferry.md"));
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
  expect(pins).toMatchObject({ index_name: side.name, embedding_model: index.active.embedding_model });
  expect(pins.embedding_model_revision).toBe(index.active.embedding_model_revision);
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
      ["GET", `/v1/samples/${result.id}/labels`],
      ["POST", `/v1/samples/${result.id}/labels`, { metric: "correctness", value: 1 }],
    ] as const) {
      const hidden = await send(key, method, path, sent);
      const missing = await send(
        key,
        method,
        path.replace(run.id, "run_missing").replace(result.id, "res_missing"),
        sent,
      );
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

describe("a batch run over an index", () => {
  const RUNS = "/v1/batch-evals";
  const addDataset = async (copies: number, ...others: object[]): Promise<string> => {
    const name = `topics-${crypto.randomUUID()}`;
    const asked = TOPICS.flatMap((topic) =>
      Array.from({ length: copies }, (_, n) => ({
        ...{ key: `${topic}-${n}`, input: `What is the code of the ${topic}? (${n})`, references: ["crimson"] },
      })),
    );
    const { status } = await send(stack.adminKey, "POST", "/v1/datasets", { name, samples: [...asked, ...others] });
    expect(status).toBe(201);
    return name;
  };
  const request = (dataset: string, { index }: Side, target: object = {}, more: object = {}) => ({
    dataset,
    target: { kind: "rag", index, ...target },
    evaluators: ["reference@1"],
    ...more,
  });
  const start = async (key: string, body: object): Promise<Json> => {
    const started = await send(key, "POST", RUNS, body);
    expect([started.status, started.body.error]).toEqual([202, null]);
    return started.body;
  };
  const reached = async (key: string, id: string, isWanted: (run: Json) => boolean): Promise<Json> => {
    let run: Json;
    await until(
      `run ${id}`,
      async () => {
        run = (await send(key, "GET", `${RUNS}/${id}`)).body;
        return isWanted(run);
      },
      30_000,
    );
    return run;
  };
  const ended = (key: string, id: string) => reached(key, id, ({ ended_at }) => ended_at !== null);
  const resultsOf = async (key: string, id: string): Promise<Json[]> =>
    (await send(key, "GET", `${RUNS}/${id}/samples?limit=100`)).body.data;
  /** A run that continues for a while after its first result. */
  const startLong = async (owner: Side): Promise<Json> => {
    const { key } = owner.client;
    const body = request(await addDataset(15), owner, {}, { evaluators: ["exact@1"], max_concurrency: 1 });
    const { id } = await start(key, body);
    return reached(key, id, ({ progress }) => progress.done > 0);
  };

  test("is planned with its embeddings, and its answers are scored on the passages found", async () => {
    const { client, index } = side;
    const dataset = await addDataset(1);
    const found = await client.read(`/${index}`);
    const body = request(dataset, side, { retrieval: { top_k: 3 } });
    const planned = await send(client.key, "POST", `${RUNS}/plan`, body);
    expect(planned.body).toMatchObject({ samples: 10, generations: 10, embeddings: 10, warnings: [] });
    const keyword = request(dataset, side, { retrieval: { mode: "keyword" } });
    expect((await send(client.key, "POST", `${RUNS}/plan`, keyword)).body).toMatchObject({ embeddings: 0 });

    const { id } = await start(client.key, body);
    const run = await ended(client.key, id);
    expect([run.state, run.progress.done, run.progress.errors]).toEqual(["completed", 10, 0]);
    expect(run).toMatchObject({ name: `${dataset}, ${side.name}`, pins: { model_revision: "synthetic" } });
    expect(run.pins).toMatchObject({
      ...{ index_name: side.name, index_version: 1, index_revision: found.revision },
      embedding_model: found.active.embedding_model,
      target: { kind: "rag", index, retrieval: { ...found.retrieval, top_k: 3 } },
    });
    for (const { sample_key, output, scores } of await resultsOf(client.key, id)) {
      const [topic] = sample_key.split("-");
      expect(output.status).toBe("answered");
      expect(output.contexts.join()).toContain(`The code of the ${topic} is crimson`);
      expect(output.retrieval.chunks).toHaveLength(3);
      expect(scores.map(({ metric, state }: Json) => [metric, state])).toContainEqual(["faithfulness", "scored"]);
    }
    // Earlier runs over the same index show what the next one costs.
    const again = await send(client.key, "POST", `${RUNS}/plan`, body);
    expect(again.body.estimated_seconds).toBeGreaterThan(0);
  });

  test("has no errors if nothing is relevant: such results fail with no_context, unless the sample expects no answer", async () => {
    const { key } = side.client;
    const dataset = await addDataset(1, { key: "open", input: "Who won the cup?", references: ["unanswerable"] });
    const { id } = await start(key, request(dataset, side, NOTHING));
    const { state, progress, failures, verdict } = await ended(key, id);
    expect([state, progress.done, progress.errors, failures]).toEqual(["completed", 11, 0, { no_context: 10 }]);
    expect(verdict.pass_rate.value).toBeCloseTo(1 / 11);
    const { output } = (await resultsOf(key, id))[0];
    expect([output.text, output.contexts, output.usage]).toEqual([NOTHING.retrieval.fallback_text, [], null]);
  });

  test("stops when the index changes, keeps its results, and is not resumed", async () => {
    const { key } = side.client;
    const { id, pins } = await startLong(side);
    await side.client.send("PATCH", `/v1/rag/indexes/${side.index}`, { description: "changed" });
    const run = await ended(key, id);
    const { revision } = await side.client.read(`/${side.index}`);
    expect([run.state, run.error.code, run.error.param]).toEqual(["failed", "conflict", "index"]);
    expect(run.error.message).toContain(`from revision ${pins.index_revision} (version 1) to ${revision}`);
    expect(run.progress.done).toBeLessThan(run.progress.total);
    expect(run.progress.errors).toBe(0);
    const resumed = await send(key, "POST", `${RUNS}/${id}/resume`, {});
    expect([resumed.status, resumed.body.error.message]).toEqual([409, run.error.message]);
  });

  test("stops when its key loses access to the index, and continues with a key that has access", async () => {
    const { key } = side.client;
    const { id } = await startLong(side);
    await changeKey(stack, side.keyId, ["another"]);
    const run = await ended(stack.adminKey, id);
    expect([run.state, run.error.code, run.progress.errors]).toEqual(["failed", "not_found", 0]);
    expect(run.error.message).toContain(
      `The index "${side.name}" was deleted, or the run's key has lost access to it.`,
    );
    expect((await send(key, "POST", `${RUNS}/${id}/resume`, {})).status).toBe(404);
    expect((await send(key, "POST", RUNS, request(run.pins.dataset.name, side))).body.error.param).toBe("index");
    expect((await send(stack.adminKey, "POST", `${RUNS}/${id}/resume`, {})).status).toBe(202);
    expect((await ended(stack.adminKey, id)).progress).toMatchObject({ done: 150, errors: 0 });
    await changeKey(stack, side.keyId, [side.index]);
  });

  test("is not started while documents are being added", async () => {
    const { key } = side.client;
    const body = request(await addDataset(1), side);
    await side.client.addTexts(side.index, { text: "endless", source: "endless.md" });
    const { warnings } = (await send(key, "POST", `${RUNS}/plan`, body)).body;
    expect(warnings).toEqual([expect.stringContaining(`Documents are being added to the index "${side.name}".`)]);
    const refused = await send(key, "POST", RUNS, body);
    expect([refused.status, refused.body.error.param]).toEqual([409, "target.index"]);
    await side.client.send("POST", `/v1/rag/indexes/${side.index}/ingestion/cancel`);
    await side.client.settled(side.index);
    expect((await send(key, "POST", `${RUNS}/plan`, body)).body.warnings).toEqual([]);
  });

  test("can't be distinguished from one that doesn't exist, on any route, by a key that may not use its index", async () => {
    const dataset = await addDataset(1);
    const { id } = await start(other.client.key, request(dataset, other));
    const { key } = side.client;
    const own = await start(key, request(dataset, side));
    await Promise.all([ended(other.client.key, id), ended(key, own.id)]);
    const bodies: Record<string, object> = {
      [`POST ${RUNS}/:id/resume`]: {},
      [`POST ${RUNS}/:id/recompute`]: { evaluators: ["exact@1"] },
      [`POST ${RUNS}/:id/gate`]: { rules: [{ of: "pass_rate", at_least: 0.5 }] },
    };
    const routes = API_ROUTES.filter(({ path }) => path.startsWith(`${RUNS}/:id`));
    expect(routes.length).toBeGreaterThan(6);
    // Routes that name a run in other places than their path.
    const others: [method: string, path: string, body?: (run: string) => object][] = [
      ["GET", "/v1/compare?runs=:id"],
      ["GET", `/v1/compare?runs=${own.id},:id`],
      ["GET", `/v1/compare?runs=:id,${own.id}`],
      [
        "POST",
        `${RUNS}/${own.id}/gate`,
        (baseline) => ({ baseline, rules: [{ of: "pass_rate", max_regression: 0.5 }] }),
      ],
      ["PATCH", `/v1/datasets/${dataset}`, (run) => ({ baseline_run_id: run })],
    ];
    const asked = [
      ...routes.map(({ route, method, path }) => ({ route, method, path, body: () => bodies[route] })),
      ...others.map(([method, path, body]) => ({ route: `${method} ${path}`, method, path, body })),
    ];
    for (const { route, method, path, body } of asked) {
      const [hidden, missing] = await Promise.all(
        [id, "run_missing"].map(async (run) => {
          const response = await stack.call(method, path.replace(":id", run), { key, body: body?.(run) });
          return [response.status, (await response.text()).replaceAll(run, "RUN").replace(/"req_[^"]*"/, "")];
        }),
      );
      expect([route, hidden]).toEqual([route, missing]);
      expect([route, missing?.[0]]).toEqual([route, method === "PATCH" ? 400 : 404]);
    }
    const ids = async (own: string) =>
      (await send(own, "GET", `${RUNS}?limit=100`)).body.data.map((run: Json) => run.id);
    expect([(await ids(key)).includes(id), (await ids(other.client.key)).includes(id)]).toEqual([false, true]);
    for (const path of [RUNS, `${RUNS}/plan`]) {
      const refused = await send(key, "POST", path, request(await addDataset(1), other));
      expect([refused.status, refused.body.error.param]).toEqual([404, "index"]);
    }
  });
});

test("queries and evaluations count towards the tokens of their key, for the question's vector and for the answer", async () => {
  const key = await stack.keyOf("member", { tokens_per_minute: 100_000 });
  const explain = async (): Promise<Json> => (await send(key, "GET", "/v1/limits/explain")).body;
  const used = async () => (await explain()).limits.find(({ name }: Json) => name === "tokens_per_minute").used;
  const { index } = side;
  const query = await send(key, "POST", "/v1/rag/query", { question: "What is the code of the ferry?", index });
  expect([query.status, (await used()) > query.body.usage.total_tokens]).toEqual([200, true]);
  const before = await used();
  const evaluated = await send(key, "POST", "/v1/evaluate", { sample: SAMPLE, target: { kind: "rag", index } });
  expect([evaluated.status, (await used()) - before >= evaluated.body.result.output.usage.total_tokens]).toEqual([
    201,
    true,
  ]);
  const models = (await explain()).consumers.filter(({ model }: Json) => model).map(({ route }: Json) => route);
  expect(new Set(models)).toEqual(new Set(["/v1/rag/query", "/v1/evaluate"]));

  const poor = await stack.keyOf("member", { budgets: [{ unit: "tokens", amount: 1, window: "day" }] });
  const refused = await send(poor, "POST", "/v1/rag/query", { question: "What is the code of the ferry?", index });
  expect([refused.status, refused.body.error.code]).toEqual([400, "invalid_request"]);
});
