import { beforeEach, describe, expect, test } from "bun:test";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { memoryCache } from "../adapters/cache-memory";
import { parseCacheControl } from "../http/request-headers";
import type { Cache } from "../ports/cache";
import type { EngineReply } from "../ports/engine";
import { type CachedAnswer, type CacheRequest, createAnswerCache } from "./service";

const head = { node: "node-1", modelRevision: "r1", engine: "test", retries: 0, queueMs: 0 };
const HOUR_MS = 3_600_000;

/** Answers "a1 b1 c1", then "a2 b2 c2" and so on, one frame per word, and counts its calls. */
const upstream = (options: { fail?: AppError; text?: string[] } = {}) => {
  const state = { calls: 0, aborted: 0 };
  const held = Promise.withResolvers<void>();
  const generate = async (signal: AbortSignal): Promise<EngineReply> => {
    const call = ++state.calls;
    signal.addEventListener("abort", () => state.aborted++);
    if (options.fail) throw options.fail;
    const body = (async function* () {
      for (const word of options.text ?? ["a", "b", "c"]) {
        yield new TextEncoder().encode(`${word}${call} `);
        await Promise.race([held.promise, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
        if (signal.aborted) throw new AppError("client_closed", "gone");
      }
    })();
    return { ...head, body };
  };
  return { state, generate, release: held.resolve };
};

const toStored = (frames: Uint8Array[]): string | undefined => Buffer.concat(frames).toString().trim() || undefined;

let now = Date.UTC(2026, 10, 23);
let cache: Cache;
let disabled: string | undefined;
let shared: Record<string, string>;
let reduced: string | undefined;
let requests = 0;

type CacheSettings = Partial<Config["cache"]>;

const create = (settings: CacheSettings = {}, store = cache) => {
  const config = { cache: { ...defaultConfig().cache, ...settings } };
  const namespaces = { nameOf: (id: string) => shared[id] ?? id, isDisabled: (name: string) => name === disabled };
  const degradations = { has: (code: string) => code === reduced };
  return createAnswerCache({ cache: store, config, namespaces, degradations, log: silentLog(), now: () => now });
};

const request = (fields: Partial<CacheRequest> & { control?: string } = {}): CacheRequest => ({
  keyId: "key_a",
  parts: { model: "m", messages: [{ role: "user", content: "hi" }] },
  stream: false,
  tags: ["model:m"],
  directives: parseCacheControl(fields.control),
  requestId: `req_${++requests}`,
  call: new AbortController(),
  ...fields,
});

const textOf = async (answer: CachedAnswer): Promise<string> => {
  if ("stored" in answer) return answer.stored;
  let text = "";
  for await (const frame of answer.reply.body) text += new TextDecoder().decode(frame);
  return text.trim();
};

beforeEach(() => {
  now = Date.UTC(2026, 10, 23);
  cache = memoryCache({ maxBytes: 1_000_000, now: () => now });
  disabled = undefined;
  reduced = undefined;
  shared = {};
});

/** Opens an upstream, and returns a function that asks it through the cache and returns the report and the text. */
const setUp = (answers = create(), options: Parameters<typeof upstream>[0] = {}) => {
  const { state, generate, release } = upstream(options);
  release();
  const ask = async (fields: Parameters<typeof request>[0] = {}) => {
    const answer = await answers.answer(request(fields), generate, toStored);
    return { ...answer.report, text: await textOf(answer) };
  };
  return { answers, state, ask };
};

test("keys that share a namespace, but may use different fallback models, don't join each other", async () => {
  shared = { key_a: "team", key_b: "team" };
  const answers = create();
  const { generate, release } = upstream();
  const begin = async (keyId: string, fallbacks?: string[]) =>
    (await answers.answer(request({ keyId, fallbacks }), generate, toStored)).report.status;
  expect(await Promise.all([begin("key_a", ["small"]), begin("key_b", ["tiny"]), begin("key_b")])).toEqual([
    "miss",
    "miss",
    "miss",
  ]);
  expect(await begin("key_b", ["small"])).toBe("joined");
  release();
});

describe("hits", () => {
  test("a repeated request is served from the store, with its age and remaining lifetime", async () => {
    const { state, ask } = setUp(create({ ttlSeconds: 100 }));
    expect(await ask()).toMatchObject({ status: "miss", stored: true, text: "a1 b1 c1" });
    now += 9500;
    expect(await ask()).toMatchObject({ status: "hit", kind: "memory", age: 9, ttl: 90, text: "a1 b1 c1" });
    expect(state.calls).toBe(1);
  });

  test("a stream is served from the entry of a non-streamed answer, and vice versa", async () => {
    const { state, ask } = setUp();
    await ask({ stream: true });
    expect(await ask({ stream: false })).toMatchObject({ status: "hit" });
    expect(state.calls).toBe(1);
  });

  test("another key can't read it until an admin lets both share a namespace", async () => {
    const { ask } = setUp();
    await ask({ keyId: "key_a" });
    expect(await ask({ keyId: "key_b" })).toMatchObject({ status: "miss" });
    shared = { key_a: "team", key_b: "team" };
    expect(await ask({ keyId: "key_a" })).toMatchObject({ status: "miss" });
    expect(await ask({ keyId: "key_b" })).toMatchObject({ status: "hit" });
  });

  test("an entry expires", async () => {
    const { ask } = setUp(create({ ttlSeconds: 60 }));
    await ask();
    now += 60_000;
    expect(await ask()).toMatchObject({ status: "miss", text: "a2 b2 c2" });
  });
});

describe("outages", () => {
  const MINUTE = { ttlSeconds: 60, staleSeconds: 600 };
  const outage = new AppError("unavailable", "No GPU node is available (1 down).");

  test("an expired answer is served if no node accepts the request, marked as stale, and never otherwise", async () => {
    const options: { fail?: AppError } = {};
    const { state, ask } = setUp(create(MINUTE), options);
    await ask();
    now += 90_000;
    options.fail = outage;
    const stale = { status: "hit", stale: true, age: 90, ttl: -30, text: "a1 b1 c1" };
    expect(await ask()).toMatchObject({ ...stale, reason: "expired, but nothing can be generated" });
    options.fail = new AppError("overloaded", "The queue is full.");
    expect(ask()).rejects.toMatchObject({ kind: "overloaded" });
    await ask().catch(() => {});
    options.fail = undefined;
    const calls = state.calls + 1;
    expect(await ask()).toMatchObject({ status: "miss", text: `a${calls} b${calls} c${calls}` });
  });

  test("during cached_only, no node is asked first, and entries that are cached separately are served too", async () => {
    const { answers, state, ask } = setUp(create(MINUTE));
    await ask();
    const parts = [{ input: "one" }];
    await (await answers.entries(request(), parts)).keep(0, "vector");
    now += 90_000;
    expect((await answers.entries(request(), parts)).values).toEqual([undefined]);
    reduced = "cached_only";
    expect(await ask()).toMatchObject({ status: "hit", stale: true });
    expect(await answers.entries(request(), parts)).toMatchObject({ values: ["vector"], report: { stale: true } });
    expect(state.calls).toBe(1);
  });

  test("an expired answer is not served after the configured time, and not against the request's directives", async () => {
    const options: { fail?: AppError } = {};
    const { ask } = setUp(create(MINUTE), options);
    await ask();
    await ask({ control: "s-maxage=60", parts: { model: "short" } });
    now += 90_000;
    options.fail = outage;
    const refused = [{ control: "max-age=80" }, { control: "no-cache" }, { parts: { model: "short" } }];
    for (const fields of refused) expect(ask(fields)).rejects.toMatchObject({ kind: "unavailable" });
    for (const fields of refused) await ask(fields).catch(() => {});
    expect(await ask({ control: "max-age=120" })).toMatchObject({ stale: true });
    now += 570_000;
    expect(ask()).rejects.toMatchObject({ kind: "unavailable" });
    await ask().catch(() => {});
  });
});

describe("cache-control", () => {
  test("max-age ignores an older entry, and the new answer replaces it", async () => {
    const { ask } = setUp();
    await ask();
    now += 10_000;
    expect(await ask({ control: "max-age=10" })).toMatchObject({ status: "hit", age: 10 });
    expect(await ask({ control: "max-age=9" })).toMatchObject({ status: "miss", text: "a2 b2 c2" });
    expect(await ask({ control: "max-age=0" })).toMatchObject({ status: "hit", text: "a2 b2 c2", age: 0 });
  });

  test("no-cache generates a new answer and replaces the entry", async () => {
    const { ask } = setUp();
    await ask();
    expect(await ask({ control: "no-cache" })).toMatchObject({ status: "bypass", stored: true, text: "a2 b2 c2" });
    expect(await ask()).toMatchObject({ status: "hit", text: "a2 b2 c2" });
  });

  test("no-store stores nothing, but reads an existing entry", async () => {
    const { ask } = setUp();
    expect(await ask({ control: "no-store" })).toMatchObject({ status: "miss", text: "a1 b1 c1" });
    expect(await ask()).toMatchObject({ status: "miss", text: "a2 b2 c2" });
    expect(await ask({ control: "no-store" })).toMatchObject({ status: "hit", text: "a2 b2 c2" });
    expect(await ask({ control: "no-cache, no-store" })).toMatchObject({ status: "bypass", text: "a3 b3 c3" });
    expect(await ask()).toMatchObject({ status: "hit", text: "a2 b2 c2" });
  });

  test("s-maxage shortens the configured time, but can't extend it", async () => {
    const { ask } = setUp(create({ ttlSeconds: 100 }));
    await ask({ control: "s-maxage=10" });
    expect((await ask()).ttl).toBe(10);
    now += 10_000;
    await ask({ control: "s-maxage=1000" });
    expect((await ask()).ttl).toBe(100);
    now += 100_000;
    expect(await ask({ control: "s-maxage=0" })).toMatchObject({ status: "miss", stored: false });
    expect(await ask()).toMatchObject({ status: "miss" });
  });

  test("only-if-cached returns a stored answer or 504, without a generation", async () => {
    const { state, ask } = setUp();
    const refusal = { kind: "not_cached", status: 504, retryable: false };
    await expect(ask({ control: "only-if-cached" })).rejects.toMatchObject(refusal);
    expect(state.calls).toBe(0);
    await ask();
    expect(await ask({ control: "only-if-cached" })).toMatchObject({ status: "hit" });
    now += HOUR_MS;
    await expect(ask({ control: "only-if-cached, max-age=60" })).rejects.toMatchObject(refusal);
    await expect(ask({ control: "only-if-cached, no-cache" })).rejects.toMatchObject(refusal);
    await expect(ask({ control: "only-if-cached", bypass: "sampled" })).rejects.toMatchObject(refusal);
    expect(state.calls).toBe(1);
  });
});

describe("bypass", () => {
  test.each([
    ["if the request may not be cached", {}, { bypass: "sampled" }, "sampled"],
    ["if the cache is off", { enabled: false }, {}, "the cache is off"],
    [
      "in opt-in mode, if the request does not ask for it",
      { optIn: true },
      {},
      "not requested: send cache-control max-age or s-maxage",
    ],
  ])("the cache is neither read nor written %s", async (_, settings, fields, reason) => {
    const { state, ask } = setUp(create(settings));
    expect(await ask(fields)).toMatchObject({ status: "bypass", reason });
    expect(await ask(fields)).toMatchObject({ status: "bypass", reason });
    expect(state.calls).toBe(2);
    expect((await cache.stats())[0]?.entries).toBe(0);
  });

  test("in opt-in mode, max-age or s-maxage enables the cache", async () => {
    const { ask } = setUp(create({ optIn: true }));
    await ask({ control: "s-maxage=60" });
    expect(await ask({ control: "max-age=60" })).toMatchObject({ status: "hit" });
  });

  test("a disabled namespace keeps its entries but does not serve them", async () => {
    const { ask } = setUp();
    await ask();
    disabled = "key_a";
    expect(await ask()).toMatchObject({ status: "bypass", reason: "the namespace is disabled" });
    disabled = undefined;
    reduced = undefined;
    expect(await ask()).toMatchObject({ status: "hit" });
  });
});

describe("storing", () => {
  test("skips errors and empty answers", async () => {
    const answers = create();
    const failing = upstream({ fail: new AppError("upstream_error", "broken") });
    await expect(answers.answer(request(), failing.generate, toStored)).rejects.toMatchObject({
      kind: "upstream_error",
    });
    const { generate, release } = upstream();
    release();
    await textOf(await answers.answer(request(), generate, () => undefined));
    expect((await cache.stats())[0]?.entries).toBe(0);
    expect(answers.counts.writes).toEqual({ stored: 0, skipped: 1, failed: 0 });
    expect(answers.inFlight()).toBe(0);
  });

  test("returns an answer even if it can't be converted to an entry", async () => {
    const { generate, release } = upstream();
    release();
    const answer = await create().answer(request(), generate, () => {
      throw new Error("not JSON");
    });
    expect(await textOf(answer)).toBe("a1 b1 c1");
  });

  test("does not delay the answer", async () => {
    const written = Promise.withResolvers<boolean>();
    const slow: Cache = { ...cache, set: () => written.promise };
    const { ask, answers } = setUp(create({}, slow));
    expect(await ask()).toMatchObject({ text: "a1 b1 c1" });
    // Until the entry is written, an identical request joins the finished generation.
    expect(await ask()).toMatchObject({ status: "joined", text: "a1 b1 c1" });
    written.resolve(true);
    await written.promise;
    await Promise.resolve();
    expect(answers.counts.writes.stored).toBe(1);
  });

  test("one call invalidates everything with a tag, including running generations", async () => {
    const answers = create();
    const { generate, release, state } = upstream();
    const running = await answers.answer(request(), generate, toStored);
    expect(await answers.invalidate("model:m")).toBe(0);
    const after = await answers.answer(request(), generate, toStored);
    expect(after.report.status).toBe("miss");
    release();
    expect(await Promise.all([textOf(running), textOf(after)])).toEqual(["a1 b1 c1", "a2 b2 c2"]);
    const hit = await answers.answer(request(), generate, toStored);
    expect(await textOf(hit)).toBe("a2 b2 c2");
    expect(await answers.invalidate("model:m")).toBe(1);
    expect(state.calls).toBe(2);
  });
});

describe("during a generation", () => {
  type Answers = ReturnType<typeof create>;
  const cases: [name: string, invalidate: (answers: Answers, key: string) => Promise<unknown>, isItsOwn: boolean][] = [
    ["its key", (answers, key) => answers.deleteEntry(key), true],
    ["its tag", (answers) => answers.invalidate("model:m"), true],
    ["its namespace", (answers) => answers.invalidate("namespace:key_a"), true],
    ["another key", (answers, key) => answers.deleteEntry(`${key}0`), false],
    ["another tag", (answers) => answers.invalidate("model:m2"), false],
    ["another namespace", (answers) => answers.invalidate("namespace:key_b"), false],
  ];

  test.each(cases)(
    "invalidating %s prevents joining and storing only if it is the answer's own",
    async (_, invalidate, isItsOwn) => {
      const answers = create();
      const { generate, release } = upstream();
      const running = await answers.answer(request(), generate, toStored);
      const { key = "" } = running.report;
      await invalidate(answers, key);
      const next = await answers.answer(request(), generate, toStored);
      expect(next.report.status).toBe(isItsOwn ? "miss" : "joined");
      release();
      const texts = await Promise.all([textOf(running), textOf(next)]);
      expect(texts).toEqual(["a1 b1 c1", isItsOwn ? "a2 b2 c2" : "a1 b1 c1"]);
      expect((await cache.get(key))?.value).toBe(texts[1]);
      expect(answers.counts.writes).toEqual({ stored: 1, skipped: isItsOwn ? 1 : 0, failed: 0 });
    },
  );

  test.each(cases)(
    "invalidating %s drops the values of separate parts only if it is their own",
    async (_, invalidate, isItsOwn) => {
      const answers = create();
      const part = { model: "m", input: "text" };
      const ask = () => answers.entries(request(), [part]);
      const { keep, report } = await ask();
      await invalidate(answers, report.key ?? "");
      await keep(0, "vector");
      expect((await ask()).values).toEqual([isItsOwn ? undefined : "vector"]);
    },
  );
});

describe("identical requests in flight", () => {
  test.each([false, true])(
    "fifty of them make one upstream call and get the same bytes (stream: %p)",
    async (stream) => {
      const answers = create();
      const { generate, release, state } = upstream();
      const answered = await Promise.all(
        Array.from({ length: 50 }, () => answers.answer(request({ stream }), generate, toStored)),
      );
      release();
      const texts = await Promise.all(answered.map(textOf));
      expect(state.calls).toBe(1);
      expect(new Set(texts)).toEqual(new Set(["a1 b1 c1"]));
      const statuses = answered.map(({ report }) => report.status);
      expect(statuses.filter((status) => status === "joined").length).toBe(49);
      expect(answers.counts.total).toMatchObject({ misses: 1, hits: { in_flight: 49 } });
    },
  );

  test("a streaming and a non-streaming request don't share frames", async () => {
    const answers = create();
    const { generate, release, state } = upstream();
    const both = [
      await answers.answer(request({ stream: true }), generate, toStored),
      await answers.answer(request({ stream: false }), generate, toStored),
    ];
    release();
    await Promise.all(both.map(textOf));
    expect(state.calls).toBe(2);
  });

  test("the others continue when the first leaves; after all have left, the generation is aborted and not stored", async () => {
    const answers = create();
    const { generate, state } = upstream();
    const callers = Array.from({ length: 3 }, () => new AbortController());
    for (const call of callers) await answers.answer(request({ call }), generate, toStored);
    callers[0]?.abort();
    callers[1]?.abort();
    expect(state.aborted).toBe(0);
    callers[2]?.abort();
    expect(state.aborted).toBe(1);
    const next = await answers.answer(request(), generate, toStored);
    expect(next.report.status).toBe("miss");
    expect(state.calls).toBe(2);
    expect((await cache.stats())[0]?.entries).toBe(0);
  });

  test("an error before the first frame reaches all of them", async () => {
    const answers = create();
    const { generate, state } = upstream({ fail: new AppError("overloaded", "full") });
    const results = await Promise.allSettled([1, 2, 3].map(() => answers.answer(request(), generate, toStored)));
    expect(results.every((result) => result.status === "rejected" && result.reason.kind === "overloaded")).toBe(true);
    expect(state.calls).toBe(1);
  });

  test("if the first is cancelled before its generation starts, the next one starts its own", async () => {
    const answers = create();
    const cancelled = Promise.withResolvers<EngineReply>();
    const first = answers.answer(request(), () => cancelled.promise, toStored);
    const { generate, release, state } = upstream();
    release();
    const second = answers.answer(request(), generate, toStored);
    await Promise.resolve();
    cancelled.reject(new AppError("client_closed", "the first one left"));
    await expect(first).rejects.toMatchObject({ kind: "client_closed" });
    expect(await textOf(await second)).toBe("a1 b1 c1");
    expect(state.calls).toBe(1);
  });
});

test("a request is remembered with its id and parts, and its user text only as hashes", async () => {
  const { answers, ask } = setUp();
  await ask({ requestId: "req_x" });
  const recent = answers.recent("req_x");
  expect(recent?.namespace).toBe("key_a");
  expect(JSON.parse(recent?.parts ?? "")).toEqual({
    model: "m",
    messages: expect.stringMatching(/^hash:[0-9a-f]{16}$/),
  });
});
