import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ tokens: 4 }, { gateway: { gpuPricePerHour: 3.6, currency: "EUR" } });
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const send = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const response = await stack.call(method, `/v1/batch-evals${path}`, { body, headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
};

interface SampleFields {
  input: string;
  references?: string[];
  output?: string;
  group?: string;
  tags?: string[];
  contexts?: string[];
}

let datasets = 0;
const addDataset = async (samples: readonly SampleFields[]): Promise<string> => {
  const name = `batch ${++datasets}`;
  const keyed = samples.map((sample, n) => ({ key: `k${n}`, ...sample }));
  const response = await stack.call("POST", "/v1/datasets", { body: { name, samples: keyed } });
  expect(response.status).toBe(201);
  return name;
};

const questions = (count: number, more: Partial<SampleFields> = {}): SampleFields[] =>
  Array.from({ length: count }, (_, n) => ({ input: `What is ${n}?`, references: [`${n}`], ...more }));

const plan = (dataset: string, more: object = {}) => ({
  dataset,
  target: { kind: "chat" },
  evaluators: ["exact@1"],
  ...more,
});

const start = async (dataset: string, more: object = {}): Promise<Json> => {
  const { status, body } = await send("POST", "", plan(dataset, more));
  expect([status, body.error]).toEqual([202, null]);
  return body;
};

/** The run when it has one of these states. */
const reached = async (id: string, ...states: string[]): Promise<Json> => {
  let run: Json;
  await until(
    `the run is ${states.join(" or ")}`,
    async () => {
      run = (await send("GET", `/${id}`)).body;
      return states.includes(run.state);
    },
    30_000,
  );
  return run;
};

const ended = (id: string) => reached(id, "completed", "failed", "cancelled");

const resultsOf = async (id: string, query = ""): Promise<Json[]> => {
  const results: Json[] = [];
  for (let after = ""; ; ) {
    const { body } = await send("GET", `/${id}/samples?limit=100${query}${after}`);
    results.push(...body.data);
    if (!body.has_more) return results;
    after = `&after=${encodeURIComponent(body.next_cursor)}`;
  }
};

describe("a run", () => {
  test("answers and scores every sample in every repeat once, and its figures count them", async () => {
    const dataset = await addDataset(questions(30, { tags: ["numbers"] }));
    const started = await start(dataset, { repeats: 2, seed: 7 });
    expect([started.state, started.progress.total, started.pins.repeats]).toEqual(["queued", 60, 2]);
    const run = await ended(started.id);
    expect([run.state, run.progress]).toMatchObject(["completed", { total: 60, done: 60, errors: 0, running: 0 }]);
    const results = await resultsOf(run.id);
    expect(new Set(results.map(({ sample_key, repeat }) => `${sample_key} ${repeat}`)).size).toBe(60);
    expect(results.slice(0, 3).map(({ sample_key, repeat }) => [sample_key, repeat])).toEqual([
      ["k0", 0],
      ["k0", 1],
      ["k1", 0],
    ]);
    // Repeats have their own seeds, and don't come from the cache.
    expect(results.every(({ output }) => output.cache.status === "miss" || output.cache.status === "bypass")).toBe(
      true,
    );
    expect(results[0].output.text).not.toBe(results[1].output.text);
    expect(run.verdict).toMatchObject({ n: 30, errors: 0, pass_rate: { value: 0, interval: { method: "wilson" } } });
    expect(run.statistics[0]).toMatchObject({ metric: "correctness", evaluator: "exact@1", n: 30, mean: 0 });
    expect(run.failures).toEqual({ wrong: 60 });
    expect(run.segments).toMatchObject([{ kind: "tag", name: "numbers", results: 60 }]);
    expect(run.latency.n).toBe(60);
    // 3.60 an hour are 0.001 a second, for all 8 slots together.
    expect(run.cost).toEqual({ amount: expect.closeTo((run.gpu_seconds * 0.001) / 8, 12), currency: "EUR" });
    const tokens = results.reduce((sum, { output }) => sum + output.usage.total_tokens, 0);
    expect(run.usage.total_tokens).toBe(tokens);
    expect([run.pins.model_revision, run.pins.dataset.name]).toEqual(["synthetic", dataset]);
  });

  test("scores stored outputs without a model, and counts samples that can't be scored as errors", async () => {
    const [right, wrong] = [
      questions(3, { output: "0", group: "right" }),
      questions(2, { references: ["x"], output: "y", group: "wrong" }),
    ];
    const dataset = await addDataset([...right, ...wrong, { input: "no references", output: "z" }]);
    const started = await start(dataset, { target: { kind: "stored" } });
    const run = await ended(started.id);
    expect(run).toMatchObject({ state: "completed", passed: 0.2, progress: { done: 6, errors: 1, judged: 5 } });
    expect(run.verdict.bounds).toEqual({ worst: 1 / 6, best: 2 / 6 });
    expect(run.latency).toBeNull();
    const [error] = await resultsOf(run.id, "&state=error");
    expect([error.sample_key, error.error.code]).toEqual(["k5", "invalid_request"]);
    const ofGroup = await resultsOf(run.id, "&group=wrong");
    expect(ofGroup.map(({ sample_key, group }) => [sample_key, group])).toEqual([
      ["k3", "wrong"],
      ["k4", "wrong"],
    ]);
  });

  test("uses only the chosen samples: by tag, and a random subset of a fixed size", async () => {
    const dataset = await addDataset([...questions(20, { tags: ["a", "b"] }), ...questions(5, { tags: ["c"] })]);
    const keysOf = async (samples: object) => {
      const run = await ended((await start(dataset, { samples })).id);
      return (await resultsOf(run.id)).map(({ sample_key }) => sample_key);
    };
    expect(await keysOf({ tags: ["c", "d"] })).toEqual(["k20", "k21", "k22", "k23", "k24"]);
    const few = await keysOf({ limit: 4 });
    expect(few).toHaveLength(4);
    expect(await keysOf({ limit: 4 })).toEqual(few);
    const more = await keysOf({ limit: 9 });
    expect(few.filter((key) => !more.includes(key))).toEqual([]);
    expect((await send("POST", "", plan(dataset, { samples: { tags: ["none"] } }))).body.error.param).toBe(
      "samples.tags",
    );
  });

  test("counts the answers that came from the cache", async () => {
    const dataset = await addDataset(questions(3));
    const once = async () => ended((await start(dataset, { seed: 2_611 })).id);
    const runs = [await once(), await once()];
    expect(runs.map(({ cached, latency }) => [cached, latency?.n ?? 0])).toEqual([
      [0, 3],
      [3, 0],
    ]);
  });

  test("is started once for an Idempotency-Key", async () => {
    const dataset = await addDataset(questions(2));
    const key = { "idempotency-key": crypto.randomUUID() };
    const sent = await Promise.all(Array.from({ length: 10 }, () => send("POST", "", plan(dataset), key)));
    const ids = new Set(sent.flatMap(({ status, body }) => (status === 202 ? [body.id] : [])));
    expect([ids.size, sent.every(({ status }) => status === 202 || status === 409)]).toEqual([1, true]);
    expect((await send("POST", "", plan(dataset, { seed: 1 }), key)).status).toBe(422);
  });

  test("with failing samples ends with errors, which can be retried", async () => {
    const dataset = await addDataset([...questions(3), { input: "!error deadline_exceeded", references: ["x"] }]);
    const run = await ended((await start(dataset)).id);
    expect(run).toMatchObject({ state: "completed", progress: { done: 4, errors: 1 } });
    expect(run.failures).toEqual({ wrong: 3, timeout: 1 });
    const [error] = await resultsOf(run.id, "&failure=timeout");
    expect([error.state, error.attempts]).toEqual(["error", 2]);
    expect((await send("POST", `/${run.id}/resume`, {})).body.error.code).toBe("conflict");
    const again = await send("POST", `/${run.id}/resume`, { retry_errors: true });
    expect([again.status, again.body.state]).toEqual([202, "queued"]);
    const retried = await ended(run.id);
    expect(retried).toMatchObject({ state: "completed", progress: { done: 4, errors: 1 } });
    expect((await resultsOf(run.id, "&state=error"))[0].attempts).toBe(4);
  }, 60_000);

  test("with a sample on which the node always fails doesn't take the node from other runs", async () => {
    const dataset = await addDataset([{ input: "!error upstream_error", references: ["x"] }]);
    const failing = await ended((await start(dataset)).id);
    expect(failing).toMatchObject({ state: "completed", failures: { upstream_error: 1 } });
    const nodes = (await (await stack.call("GET", "/v1/nodes")).json()) as Json;
    expect(nodes.data.map(({ state }: Json) => state)).toEqual(["ready"]);
    const other = await ended((await start(await addDataset(questions(5)))).id);
    expect(other).toMatchObject({ state: "completed", progress: { done: 5, errors: 0 } });
  }, 60_000);

  test("fails when too many results are errors, and says so", async () => {
    const dataset = await addDataset(
      questions(40, { input: "!error invalid_request" }).map((each, n) => ({ ...each, group: `${n}` })),
    );
    const run = await ended((await start(dataset, { max_error_share: 0.5 })).id);
    expect([run.state, run.error.message]).toEqual(["failed", expect.stringContaining("results are errors (100 %)")]);
    expect(run.ended_at).not.toBeNull();
  });
});

describe("a running run", () => {
  const slow = () =>
    addDataset(questions(50, { input: "!hang after 1" }).map((each, n) => ({ ...each, tags: [`${n}`] })));

  test("stops within a second when it is cancelled, and can be resumed and cancelled again", async () => {
    const { id } = await start(await slow());
    await until("samples are running", async () => (await send("GET", `/${id}`)).body.progress.running > 0);
    const cancelled = await send("POST", `/${id}/cancel`);
    expect([cancelled.status, cancelled.body.state]).toEqual([200, "cancelled"]);
    const startedMs = performance.now();
    await until("no sample is running", async () => (await send("GET", `/${id}`)).body.progress.running === 0, 5000);
    expect(performance.now() - startedMs).toBeLessThan(1500);
    expect((await send("POST", `/${id}/pause`)).status).toBe(409);
    expect((await send("POST", `/${id}/resume`, {})).status).toBe(202);
    await reached(id, "running");
    expect((await send("POST", `/${id}/resume`, {})).status).toBe(409);
    await send("POST", `/${id}/cancel`);
    await ended(id);
  });

  test("pauses: no more samples start, and it continues where it was", async () => {
    const dataset = await addDataset(questions(400));
    const { id } = await start(dataset, { max_concurrency: 2 });
    await until("results have ended", async () => (await send("GET", `/${id}`)).body.progress.done > 20);
    const paused = (await send("POST", `/${id}/pause`)).body;
    expect([paused.state, paused.progress.eta_seconds]).toEqual(["paused", null]);
    await until("no sample is running", async () => (await send("GET", `/${id}`)).body.progress.running === 0);
    const before = (await send("GET", `/${id}`)).body.progress.done;
    expect(before).toBeLessThan(400);
    let figures: Json;
    await until("its figures are computed", async () => {
      figures = (await send("GET", `/${id}`)).body;
      return !figures.figures_stale;
    });
    expect(figures.verdict.n).toBe(before);
    await Bun.sleep(500);
    expect((await send("GET", `/${id}`)).body.progress.done).toBe(before);
    expect((await send("POST", `/${id}/resume`, {})).status).toBe(202);
    expect((await ended(id)).progress).toMatchObject({ done: 400, errors: 0 });
  }, 60_000);

  test("is followed by events with ids, which resume without gaps", async () => {
    const dataset = await addDataset(questions(100));
    const { id } = await start(dataset, { max_concurrency: 1 });
    const follow = async (headers: Record<string, string>, until: number) => {
      const response = await stack.call("GET", `/v1/batch-evals/${id}/events`, { headers });
      const seen: { id: number; event: Json }[] = [];
      let text = "";
      const decoder = new TextDecoder();
      for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += decoder.decode(piece, { stream: true });
        const frames = text.split("\n\n");
        text = frames.pop() ?? "";
        for (const frame of frames) {
          const [, place, data] = /^id: (\d+)\ndata: (.*)$/s.exec(frame) ?? [];
          if (data) seen.push({ id: Number(place), event: JSON.parse(data) });
        }
        if (seen.filter(({ event }) => event.type === "sample").length >= until) break;
      }
      return seen;
    };
    const first = await follow({ "last-event-id": "0" }, 50);
    expect(first[0]?.event).toMatchObject({ type: "state", run: { id } });
    const last = first.filter(({ event }) => event.type === "sample").at(-1)?.id ?? 0;
    const rest = await follow({ "last-event-id": String(last) }, Number.POSITIVE_INFINITY);
    expect(rest.at(-1)?.event).toMatchObject({ type: "done", run: { state: "completed" } });
    const keys = [...first, ...rest].flatMap(({ event, id: place }) =>
      event.type === "sample" && (place > last || first.some((each) => each.event === event)) ? [event.sample_key] : [],
    );
    expect([keys.length, new Set(keys).size]).toEqual([100, 100]);
  }, 60_000);
});

describe("a plan", () => {
  test("counts calls exactly, and warns about samples that can't be scored", async () => {
    const dataset = await addDataset([...questions(8, { group: "one" }), { input: "?" }, { input: "!" }]);
    const { body } = await send("POST", "/plan", plan(dataset, { repeats: 3, evaluators: ["exact@1", "judge@1"] }));
    expect(body).toMatchObject({ samples: 10, results: 30, generations: 30, judge_calls: 24 });
    expect(body.estimated_tokens).toBeGreaterThan(0);
    expect(body.warnings).toEqual([
      "2 of 10 samples have nothing to compare an answer with. They count as errors.",
      "The samples form 3 independent groups, so intervals are wider than for independent samples.",
      "At temperature 0, the answers to a sample hardly vary. Set a temperature such as 0.7, or use 1 repeat.",
    ]);
    const stored = await send("POST", "/plan", plan(dataset, { target: { kind: "stored" } }));
    expect([stored.body.generations, stored.body.warnings[1]]).toEqual([
      0,
      "10 of 10 samples have no stored output. They count as errors.",
    ]);
  });

  test("warns about contexts that the model never sees, and about repeats that hardly vary", async () => {
    const dataset = await addDataset([...questions(3), ...questions(2, { contexts: ["A text."] })]);
    for (const [name, content] of [
      ["bare", "{{input}}"],
      ["grounded", "{{contexts}}\n\n{{input}}"],
    ]) {
      await stack.call("POST", "/v1/prompts", { body: { name, messages: [{ role: "user", content }] } });
    }
    const warnings = async (target: object, more: object = {}) =>
      (await send("POST", "/plan", plan(dataset, { target, ...more }))).body.warnings;
    const unseen =
      "2 of 5 samples have contexts that the model does not get. To send them, use a prompt with {{contexts}}.";
    expect(await warnings({ kind: "chat" })).toEqual([unseen]);
    expect(await warnings({ kind: "chat", prompt: "bare" })).toEqual([unseen]);
    expect(await warnings({ kind: "chat", prompt: "grounded" })).toEqual([]);
    const repeats = { repeats: 2 };
    expect(await warnings({ kind: "chat", prompt: "grounded" }, repeats)).toEqual([
      expect.stringContaining("hardly vary"),
    ]);
    expect(await warnings({ kind: "chat", prompt: "grounded", temperature: 0.7 }, repeats)).toEqual([]);
  });

  test.each([
    [{ dataset: "unknown" }, 404, "dataset"],
    [{ target: { kind: "chat", model: "unknown" } }, 404, "model"],
    [{ evaluators: ["unknown@1"] }, 404, "evaluators"],
    [{ rubric: { criteria: ["faithfulness"] } }, 400, "rubric.criteria.0"],
    [{ samples: { tags: ["unknown"] } }, 400, "samples.tags"],
  ])("names what is wrong: %p", async (more, status, param) => {
    const dataset = await addDataset(questions(1));
    for (const path of ["/plan", ""]) {
      const reply = await send("POST", path, plan(dataset, more));
      expect([reply.status, reply.body.error.param]).toEqual([status, param]);
    }
  });
});

describe("the results of a run", () => {
  test("are filtered and sorted, page by page", async () => {
    const right = questions(7, { tags: ["easy"] }).map((each, n) => ({ ...each, output: `${n}` }));
    const wrong = questions(8, { output: "a fish" }).map((each) => ({ ...each, tags: ["hard"] }));
    const dataset = await addDataset([...right, ...wrong]);
    const { id } = await ended((await start(dataset, { target: { kind: "stored" } })).id);
    const keys = async (query: string) => (await resultsOf(id, query)).map(({ sample_key }) => sample_key);
    expect(await keys("&passed=true")).toEqual(right.map((_, n) => `k${n}`));
    expect(await keys("&failure=wrong&tag=hard")).toHaveLength(8);
    expect(await keys("&tag=easy&passed=false")).toEqual([]);
    expect(await keys("&search=fish")).toHaveLength(8);
    const pages: string[] = [];
    for (let after = ""; ; ) {
      const { body } = await send("GET", `/${id}/samples?limit=4&sort=worst_first${after}`);
      pages.push(...body.data.map(({ sample_key }: Json) => sample_key));
      if (!body.has_more) break;
      after = `&after=${encodeURIComponent(body.next_cursor)}`;
    }
    expect(pages).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 0, 1, 2, 3, 4, 5, 6].map((n) => `k${n}`));
    expect((await send("GET", `/${id}/samples?after=nonsense`)).body.error.param).toBe("after");
  });

  test("are scored again by another evaluator, beside the earlier scores", async () => {
    const dataset = await addDataset(questions(60, { output: "It is 0." }));
    const run = await ended((await start(dataset, { target: { kind: "stored" } })).id);
    const { status, body } = await send("POST", `/${run.id}/recompute`, { evaluators: ["reference@1"], shadow: true });
    expect([status, body.recompute.state]).toEqual([202, "queued"]);
    await until("it is recomputed", async () => (await send("GET", `/${run.id}`)).body.recompute.state === "completed");
    const after = (await send("GET", `/${run.id}`)).body;
    expect(after.recompute).toMatchObject({ done: 60, total: 60, added: 60, error: null });
    expect([after.passed, after.failures]).toEqual([run.passed, run.failures]);
    const [result] = await resultsOf(run.id);
    expect(result.scores.map(({ evaluator, shadow }: Json) => [evaluator, shadow])).toEqual([
      ["exact@1", false],
      ["reference@1", true],
    ]);
    expect(after.statistics.map(({ evaluator }: Json) => evaluator)).toEqual(["exact@1", "reference@1"]);
  });
});

test("a list of runs has batch runs only, and an unknown run is a 404", async () => {
  await stack.call("POST", "/v1/evaluate", { body: { sample: { input: "?", references: ["a"], output: "a" } } });
  const { body } = await send("GET", "?limit=100");
  expect(new Set(body.data.map(({ kind }: Json) => kind))).toEqual(new Set(["batch"]));
  for (const path of ["/none", "/none/samples", "/none/events"]) expect((await send("GET", path)).status).toBe(404);
});

test("a key whose content may not be stored can't start a run", async () => {
  const dataset = await addDataset(questions(1));
  const key = await stack.keyOf("editor", { content_logging: false });
  const response = await stack.call("POST", "/v1/batch-evals", { key, body: plan(dataset) });
  expect(((await response.json()) as Json).error.code).toBe("insufficient_role");
});
