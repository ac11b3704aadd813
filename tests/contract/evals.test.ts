import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;
const json = async (response: Response): Promise<Json> => JSON.parse(await response.text());
const post = async (path: string, body: unknown, key?: string): Promise<{ status: number; body: Json }> => {
  const response = await stack.call("POST", path, { body, key });
  return { status: response.status, body: await json(response) };
};
const get = async (path: string, key?: string): Promise<Json> => json(await stack.call("GET", path, { key }));

const SAMPLE = {
  input: "What is the capital of France?",
  references: ["Paris"],
  contexts: ["France is a country in Europe. Its capital is Paris."],
};
const GIVEN = { ...SAMPLE, output: "The capital of France is Paris." };

describe("a given answer", () => {
  test("is scored and stored as a run with everything that affects its figures", async () => {
    const { status, body } = await post("/v1/evaluate", { sample: GIVEN, seed: 7, name: "by hand" });
    expect(status).toBe(201);
    const { run, result } = body;
    expect(Object.keys(body)).toEqual(["result", "run"]);
    expect([run.kind, run.state, run.name, run.statistics]).toEqual(["single", "completed", "by hand", undefined]);
    expect(run.pins).toMatchObject({
      dataset: null,
      target: { kind: "stored" },
      evaluators: [{ evaluator: "reference@1", shadow: false }],
      seed: 7,
      repeats: 1,
    });
    expect([run.pins.rubric, run.pins.rubric_hash]).toEqual([null, null]);
    for (const pin of [run.pins.evaluators[0].hash, run.pins.code_version, run.pins.host.cpu]) {
      expect(pin).toEqual(expect.any(String));
    }
    expect(result.scores.map(({ metric, state, shadow }: Json) => [metric, state, shadow])).toEqual([
      ["correctness", "scored", false],
      ["faithfulness", "scored", false],
      ["hallucination", "scored", false],
    ]);
    for (const { metric, criterion, criterion_hash, evaluator_hash } of result.scores) {
      expect([criterion.name, criterion_hash.length]).toEqual([metric, 64]);
      expect(evaluator_hash).toBe(run.pins.evaluators[0].hash);
    }
    expect([result.passed, result.failure]).toEqual([true, null]);
    const [claim] = result.scores[1].claims;
    expect(GIVEN.output.slice(claim.start, claim.end)).toBe(claim.text);
    // No model takes part.
    expect(result.scores[0].embedder).toBeNull();

    const found = await get(`/v1/evals/${run.id}`);
    expect(found).toEqual({
      run: expect.objectContaining({ ...run, progress: expect.objectContaining({ total: 1, done: 1, judged: 1 }) }),
      results: { data: [result], has_more: false, next_cursor: null },
    });
    const listed = await get("/v1/evals?search=by%20hand");
    expect(listed.data).toEqual([found.run]);
  });

  test("that is wrong does not pass, with a reason", async () => {
    const { body } = await post("/v1/evaluate", { sample: { ...GIVEN, output: "It is Rome, built in 753 BC." } });
    expect([body.result.passed, body.result.failure]).toEqual([false, "wrong"]);
    expect((await get(`/v1/evals/${body.run.id}`)).run.failures).toEqual({ wrong: 1 });
  });

  test("that is empty does not pass", async () => {
    const { body } = await post("/v1/evaluate", { sample: { ...GIVEN, output: "" } });
    expect([body.result.passed, body.result.failure]).toEqual([false, "empty"]);
  });

  test("is scored for the criteria for which the sample has data, unless a rubric names others", async () => {
    const { contexts: _, ...bare } = GIVEN;
    const { body } = await post("/v1/evaluate", { sample: bare });
    expect(body.result.scores.map(({ metric }: Json) => metric)).toEqual(["correctness"]);
    const asked = await post("/v1/evaluate", { sample: bare, rubric: { criteria: ["correctness", "faithfulness"] } });
    expect(asked.body.result.scores.map(({ state, value }: Json) => [state, value === null])).toEqual([
      ["scored", false],
      ["error", true],
    ]);
    expect(asked.body.result.passed).toBeNull();
  });
});

describe("an answer by the model", () => {
  test("is stored with its usage, and with model, node and prompt", async () => {
    const messages = [{ role: "user", content: "Briefly: {{input}}" }];
    await post("/v1/prompts", { name: "brief", messages });
    const target = { kind: "chat", prompt: "brief@latest", max_tokens: 8 };
    const { status, body } = await post("/v1/evaluate", { sample: SAMPLE, target });
    expect(status).toBe(201);
    const { pins } = body.run;
    expect(pins.target).toEqual({ ...target, prompt: "brief@1", model: expect.any(String), temperature: 0 });
    expect([pins.model_revision, pins.node_version, pins.engine, pins.prompt_hash]).toEqual(
      Array(4).fill(expect.any(String)),
    );
    const { output } = body.result;
    expect([output.usage.completion_tokens, output.finish_reason]).toEqual([8, "length"]);
    expect(output.usage).toMatchObject((await get(`/v1/evals/${body.run.id}`)).run.usage);
    expect((await get("/v1/prompts/brief")).latest.used_by_runs).toBe(1);
  });

  test("can be evaluated for a dataset sample of a given revision", async () => {
    const created = await post("/v1/datasets", { name: "evaluated", samples: [{ key: "fr", ...SAMPLE }] });
    const { dataset } = created.body;
    await post(`/v1/datasets/${dataset.id}/revisions`, { samples: [{ key: "fr", ...SAMPLE, references: ["Lyon"] }] });
    const { body } = await post("/v1/evaluate", { dataset: { dataset: "evaluated", revision: 1, key: "fr" } });
    expect(body.run.pins.dataset).toEqual({
      id: dataset.id,
      name: "evaluated",
      revision: 1,
      hash: dataset.latest.hash,
    });
    expect([body.result.sample_key, body.result.references]).toEqual(["fr", ["Paris"]]);
    const listed = await get("/v1/evals?dataset=evaluated");
    expect(listed.data.map(({ id }: Json) => id)).toEqual([body.run.id]);
    // Deleting the dataset keeps the run.
    await stack.call("DELETE", `/v1/datasets/${dataset.id}`);
    expect((await get(`/v1/evals/${body.run.id}`)).results.data[0].references).toEqual(["Paris"]);
  });
});

describe("a request that can't be evaluated is rejected, and stores nothing", () => {
  const politeness = {
    name: "politeness",
    description: "Is it polite?",
    scale: { min: 0, max: 1, step: 1 },
    direction: "higher_is_better",
    threshold: 1,
    weight: 1,
  };
  test("without a sample, and the error names the fields to send", async () => {
    expect((await post("/v1/evaluate", {})).body.error.message).toBe("Send `sample` or `dataset`.");
  });

  test.each<[string, Json, number, string | null]>([
    ["without a sample", {}, 400, "sample"],
    ["with two", { sample: GIVEN, dataset: { dataset: "x", key: "y" } }, 400, "sample"],
    ["with an unknown dataset", { dataset: { dataset: "nobody", key: "y" } }, 404, "dataset"],
    ["with an unknown evaluator", { sample: GIVEN, evaluators: ["reference@9"] }, 404, "evaluators"],
    ["with an unknown prompt", { sample: SAMPLE, target: { kind: "chat", prompt: "nobody" } }, 404, "prompt"],
    ["with an unknown model", { sample: SAMPLE, target: { kind: "chat", model: "nobody" } }, 404, "model"],
    ["with nothing to compare with", { sample: { input: "Who?", output: "Ada" } }, 400, "sample"],
    [
      "with a criterion that no evaluator scores",
      { sample: GIVEN, rubric: { criteria: [politeness] } },
      400,
      "rubric.criteria.0",
    ],
    ["with an unknown criterion", { sample: GIVEN, rubric: { criteria: ["beauty"] } }, 400, "rubric.criteria.0"],
    ["with an index that does not exist", { sample: SAMPLE, target: { kind: "rag", index: "x" } }, 404, "index"],
    ["with documents but no index", { sample: SAMPLE, target: { kind: "rag" } }, 400, "target.index"],
    ["with a field that does not exist", { sample: GIVEN, evaluator: "reference@1" }, 400, "evaluator"],
  ])("%s", async (_, request, status, param) => {
    const before = (await get("/v1/evals?limit=1")).data[0]?.id;
    const refused = await post("/v1/evaluate", request);
    expect([refused.status, refused.body.error.param]).toEqual([status, param]);
    expect((await get("/v1/evals?limit=1")).data[0]?.id).toBe(before);
  });

  test("with a key without content logging", async () => {
    const key = await stack.keyOf("member", { content_logging: false });
    const refused = await post("/v1/evaluate", { sample: GIVEN }, key);
    expect([refused.status, refused.body.error.code]).toEqual([403, "insufficient_role"]);
  });
});

describe("a judge", () => {
  test("with invalid output is an error of the score, and as a shadow doesn't affect the verdict", async () => {
    const { status, body } = await post("/v1/evaluate", {
      sample: GIVEN,
      evaluators: ["reference@1"],
      shadow_evaluators: ["judge@1"],
    });
    expect(status).toBe(201);
    const shadows = body.result.scores.filter(({ shadow }: Json) => shadow);
    expect(shadows.map(({ evaluator }: Json) => evaluator)).toEqual(["judge@1", "judge@1", "judge@1"]);
    // The synthetic engine can't follow a format.
    for (const { state, value, passed, error } of shadows) {
      expect([state, value, passed, error.param]).toEqual(["error", null, null, "response_format"]);
    }
    expect(body.result.passed).toBe(true);
    const { run } = await get(`/v1/evals/${body.run.id}`);
    expect(run.statistics.filter(({ shadow }: Json) => shadow)[0]).toMatchObject({ n: 0, errors: 1, mean: null });
  });

  test("that counts towards the verdict and fails leaves the result without a verdict", async () => {
    const { body } = await post("/v1/evaluate", { sample: GIVEN, evaluators: ["judge@1"] });
    expect([body.result.passed, body.result.failure]).toEqual([null, "judge_error"]);
    expect((await get(`/v1/evals/${body.run.id}`)).run.passed).toBeNull();
  });
});

describe("a recomputation", () => {
  test("adds scores of the stored output once and keeps the older ones", async () => {
    const { run, result } = (await post("/v1/evaluate", { sample: GIVEN })).body;
    const again = await post(`/v1/evals/${run.id}/recompute`, { evaluators: ["judge@1"], shadow: true });
    expect(again.status).toBe(200);
    const [after] = again.body.results.data;
    expect(after.scores.slice(0, 3)).toEqual(result.scores);
    expect(after.scores.slice(3).map(({ evaluator, shadow }: Json) => [evaluator, shadow])).toEqual(
      Array(3).fill(["judge@1", true]),
    );
    expect([after.passed, after.output]).toEqual([result.passed, result.output]);
    expect([again.body.added, after.passed]).toEqual([3, true]);
    // Errors are retried, values are not.
    const third = await post(`/v1/evals/${run.id}/recompute`, { evaluators: ["judge@1", "reference@1"], shadow: true });
    const evaluators = third.body.results.data[0].scores.map(({ evaluator }: Json) => evaluator);
    expect(evaluators).toEqual([...Array(3).fill("reference@1"), ...Array(6).fill("judge@1")]);
  });

  test("with another rubric adds a score for comparison", async () => {
    const { run } = (await post("/v1/evaluate", { sample: GIVEN, rubric: { criteria: ["correctness"] } })).body;
    const [correctness] = run.pins.rubric.criteria;
    expect(correctness).toMatchObject({ name: "correctness", threshold: 0.5 });
    const rubric = { criteria: [{ ...correctness, threshold: 1 }] };
    const { body } = await post(`/v1/evals/${run.id}/recompute`, { evaluators: ["reference@1"], rubric });
    const { scores } = body.results.data[0];
    expect(scores).toHaveLength(2);
    expect(scores[0].value).toBe(scores[1].value);
    expect(scores.map(({ shadow, criterion }: Json) => [shadow, criterion.threshold])).toEqual([
      [false, 0.5],
      [true, 1],
    ]);
    expect(scores[0].criterion_hash).not.toBe(scores[1].criterion_hash);
  });

  test("of an unknown run or by an unknown evaluator is not found", async () => {
    const { run } = (await post("/v1/evaluate", { sample: GIVEN })).body;
    const nobody = `/v1/evals/run_${"0".repeat(32)}/recompute`;
    expect((await post(nobody, { evaluators: ["reference@1"] })).status).toBe(404);
    expect((await post(`/v1/evals/${run.id}/recompute`, { evaluators: ["nobody@1"] })).status).toBe(404);
  });
});

describe("labels of people", () => {
  test("keep their history, and 30 or more show how well an evaluator agrees with people", async () => {
    for (let n = 0; n < 30; n++) {
      const isRight = n % 3 !== 0;
      const output = isRight ? `The capital is Paris. (${n})` : `The capital is Rome. (${n})`;
      const { result } = (await post("/v1/evaluate", { sample: { ...GIVEN, contexts: [], output } })).body;
      const value = n === 1 ? 0 : Number(isRight);
      const label = await post(`/v1/samples/${result.id}/labels`, { metric: "correctness", value, blind: true });
      expect([label.status, label.body.blind, label.body.replaced_at]).toEqual([201, true, null]);
    }
    const { data } = await get("/v1/evaluators/reference/agreement");
    const report = data.find(({ metric }: Json) => metric === "correctness");
    expect(report.labels).toBe(30);
    expect(report.agreement.specificity.value).toBeCloseTo(10 / 11, 5);
    expect(report.agreement.sensitivity.value).toBe(1);
    expect(report.agreement.corrected_pass_rate.value).toBeLessThan(report.pass_rate);
    expect(report.agreement.kappa.value).toBeGreaterThan(0.8);
  });

  test("by a viewer are rejected", async () => {
    const { result } = (await post("/v1/evaluate", { sample: GIVEN })).body;
    const path = `/v1/samples/${result.id}/labels`;
    const viewer = await stack.keyOf("viewer");
    expect((await post(path, { metric: "correctness", value: 1 }, viewer)).status).toBe(403);
    expect((await get(path, viewer)).data).toEqual([]);
  });
});

test("a shadow's report lists the results on which the verdicts differ, and the shadow can be promoted", async () => {
  const criteria = [
    {
      name: "politeness",
      description: "Is it polite?",
      scale: { min: 0, max: 1, step: 1 },
      direction: "higher_is_better",
      threshold: 1,
      weight: 1,
    },
  ];
  const judge = { model: "synthetic", prompt: null, votes: 1, temperature: 0, seed: 0 };
  for (let version = 0; version < 2; version++)
    await post("/v1/evaluators", { name: "polite", criteria, judge: { ...judge, seed: version } });
  const lonely = await stack.call("GET", "/v1/evaluators/polite/shadow-report");
  expect([lonely.status, (await json(lonely)).error.code]).toEqual([409, "conflict"]);
  await post("/v1/evaluators/polite/promote", { version: 1 });
  await post("/v1/evaluators/polite/shadow", { version: 2 });
  const { body } = await post("/v1/evaluate", {
    sample: GIVEN,
    evaluators: ["polite@1"],
    shadow_evaluators: ["polite@2"],
    rubric: { criteria },
  });
  expect(body.result.scores.map(({ evaluator, shadow }: Json) => [evaluator, shadow])).toEqual([
    ["polite@1", false],
    ["polite@2", true],
  ]);
  const report = await get("/v1/evaluators/polite/shadow-report");
  expect(report).toMatchObject({ name: "polite", active: 1, shadow: 2, results: 1, flips: [] });
  expect(report.metrics[0]).toMatchObject({
    metric: "politeness",
    kappa: null,
    to_pass: 0,
    to_fail: 0,
    shadow_errors: 1,
  });
  await post("/v1/evaluators/polite/promote", { version: 2 });
  expect((await get("/v1/evaluators/polite")).active.version).toBe(2);
  await post("/v1/evaluators/polite/promote", { version: null });
});

describe("D22: a run of another instance", () => {
  test("is imported completely, with labels and history, and only once", async () => {
    const { run, result } = (await post("/v1/evaluate", { sample: GIVEN })).body;
    const path = `/v1/samples/${result.id}/labels`;
    await post(path, { metric: "correctness", value: 0 });
    await post(path, { metric: "correctness", value: 1, comment: "Right after all." });
    const file = await get(`/v1/evals/${run.id}/export`);
    const elsewhere = await startStack();
    try {
      const imported = await elsewhere.call("POST", "/v1/evals/import", { body: file });
      expect([imported.status, await json(imported)]).toEqual([201, { run_id: run.id, imported: true }]);
      const copy = await json(await elsewhere.call("GET", `/v1/evals/${run.id}`));
      expect(copy).toEqual(await get(`/v1/evals/${run.id}`));
      const history = await json(await elsewhere.call("GET", path));
      expect(history).toEqual(await get(path));
      expect(await json(await elsewhere.call("GET", `/v1/evals/${run.id}/export`))).toEqual(file);
      const again = await elsewhere.call("POST", "/v1/evals/import", { body: file });
      expect([again.status, (await json(again)).imported]).toEqual([200, false]);
    } finally {
      await elsewhere.close();
    }
  });

  test("as CSV has a line for each score and no cell that a spreadsheet would run", async () => {
    const { run } = (await post("/v1/evaluate", { sample: { ...GIVEN, input: "=cmd|' /C calc'!A0" } })).body;
    const response = await stack.call("GET", `/v1/evals/${run.id}/export?format=csv`);
    expect(response.headers.get("content-type")).toStartWith("text/csv");
    const lines = (await response.text()).trim().split("\r\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain(",'=cmd|");
    // Null and the empty string are empty cells.
    expect(lines.filter((line) => /,'(,|$)/.test(line))).toEqual([]);
  });
});

describe("feedback", () => {
  /** Creates an answer in a conversation of the admin. */
  const answer = async (): Promise<Json> => {
    const principal = await stack.gateway.services.keys.verify(`Bearer ${stack.adminKey}`);
    const asking = {
      principal,
      requestId: `req_${crypto.randomUUID()}`,
      priority: "interactive",
      receivedAt: performance.now(),
      directives: { noCache: false, noStore: false, onlyIfCached: false },
    } as const;
    const { conversation, generation } = await stack.gateway.services.conversations.ask(
      asking,
      "What is the capital of France?",
    );
    await generation.done;
    return { conversation: conversation.id, request: asking.requestId };
  };

  test("is stored, listed and filtered", async () => {
    const given = await post("/v1/feedback", { request_id: "req_x", rating: "down", comment: "Wrong." });
    expect([given.status, given.body.sample]).toEqual([201, null]);
    const listed = await get("/v1/feedback?rating=down&limit=1");
    expect(listed.data).toEqual([given.body]);
  });

  test("D6: turns an exchange into a sample, and changes the sample when feedback is given again", async () => {
    const { conversation, request } = await answer();
    const body = { request_id: request, rating: "down", correction: "Paris", dataset: "from chats" };
    const first = (await post("/v1/feedback", body)).body;
    expect(first.sample).toMatchObject({ revision: 1 });
    const [sample] = (await get(`/v1/datasets/${first.sample.dataset_id}/samples`)).data;
    expect(sample).toMatchObject({
      id: first.sample.sample_id,
      key: request,
      input: "What is the capital of France?",
      references: ["Paris"],
      group: conversation,
      tags: ["feedback", "thumbs-down"],
      metadata: { conversation_id: conversation, request_id: request },
    });
    const second = (await post("/v1/feedback", { ...body, correction: "Paris, on the Seine" })).body;
    expect(second.sample).toMatchObject({ dataset_id: first.sample.dataset_id, revision: 2 });
    expect((await get(`/v1/datasets/${first.sample.dataset_id}`)).latest).toMatchObject({ samples: 1, changed: 1 });
  });

  test("on an answer that was not stored, or of another key, can't become a sample", async () => {
    const unknown = await post("/v1/feedback", { request_id: "req_y", rating: "up", dataset: "from chats" });
    expect([unknown.status, unknown.body.error.param]).toEqual([404, "request_id"]);
    const { request } = await answer();
    const editor = await stack.keyOf("editor");
    const other = await post("/v1/feedback", { request_id: request, rating: "up", dataset: "from chats" }, editor);
    expect(other.status).toBe(404);
    const member = await stack.keyOf("member");
    expect((await post("/v1/feedback", { request_id: request, rating: "up", dataset: "x" }, member)).status).toBe(403);
    expect((await post("/v1/feedback", { request_id: request, rating: "up" }, member)).status).toBe(201);
  });
});

test("runs are filtered by evaluator and by verdict", async () => {
  const { run } = (await post("/v1/evaluate", { sample: { ...GIVEN, output: "It is Rome." }, name: "a failure" })).body;
  const ids = async (query: string) =>
    (await get(`/v1/evals?search=a%20failure&${query}`)).data.map(({ id }: Json) => id);
  expect(await ids("passed=false&evaluator=reference@1")).toEqual([run.id]);
  expect(await ids("passed=true")).toEqual([]);
  expect(await ids("evaluator=judge@1")).toEqual([]);
  expect((await stack.call("GET", "/v1/evals?evaluator=reference")).status).toBe(400);
});
