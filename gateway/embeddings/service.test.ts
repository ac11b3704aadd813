import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { type FakeEngineOptions, fakeEngine } from "../../tests/engine-fake";
import { PRINCIPAL, UNLIMITED } from "../../tests/principal";
import { until } from "../../tests/until";
import { memoryCache } from "../adapters/cache-memory";
import { createAnswerCache } from "../cache/service";
import type { Call } from "../call";
import { parseCacheControl } from "../http/request-headers";
import { createModels } from "../models/registry";
import type { EngineRequest } from "../ports/engine";
import type { GenerationSample } from "../ports/recorder";
import { prefixOf } from "./inputs";
import { createEmbeddings } from "./service";
import { toNumbers } from "./vectors";

const setUp = (options?: FakeEngineOptions) => {
  const engine = fakeEngine(options);
  const samples: GenerationSample[] = [];
  const config = defaultConfig();
  const namespaces = { nameOf: (id: string) => id, isDisabled: () => false };
  const answers = createAnswerCache({
    cache: memoryCache({ maxBytes: config.cache.maxBytes }),
    config,
    namespaces,
    log: silentLog(),
  });
  const embeddings = createEmbeddings({
    ledger: UNLIMITED,
    engine,
    models: createModels({ engine, defaults: { chat: "fake-model", embedding: "fake-embedder" } }),
    answers,
    recorder: { generation: (sample) => void samples.push(sample) },
    totalMs: 10_000,
  });
  /** The inputs of each request to the node. */
  const asked = (): string[][] => engine.requests.map(({ body }) => JSON.parse(body).input);
  return { embeddings, engine, answers, samples, asked };
};

const call = (control?: string, changes: Partial<Call> = {}): Call => ({
  principal: PRINCIPAL,
  requestId: "req_1",
  signal: new AbortController().signal,
  priority: "interactive",
  directives: parseCacheControl(control),
  receivedAt: performance.now(),
  ...changes,
});

/** The first number of a fake vector is the text's length. */
const lengths = (vectors: { base64: string; tokens: number }[]) => vectors.map((vector) => toNumbers(vector)[0] ?? 0);

describe("embed", () => {
  test("returns vectors in the order of the inputs, computes identical inputs once, and counts usage for all", async () => {
    const { embeddings, asked } = setUp();
    const { vectors, promptTokens, hits, misses } = await embeddings.embed(call(), {
      input: ["aaa", "b", "aaa", "cc"],
    });
    expect([lengths(vectors), promptTokens, hits, misses]).toEqual([[3, 1, 3, 2], 9, 0, 3]);
    expect(asked()).toEqual([["aaa", "b", "cc"]]);
  });

  test("uses cached vectors, computes the rest, and counts usage as if all had been computed", async () => {
    const { embeddings, asked } = setUp();
    await embeddings.embed(call(), { input: ["aaa", "b"] });
    const mixed = await embeddings.embed(call(), { input: ["dddd", "b", "aaa", "b"] });
    expect([lengths(mixed.vectors), mixed.promptTokens, mixed.hits, mixed.misses]).toEqual([[4, 1, 3, 1], 9, 3, 1]);
    expect(mixed.cache).toMatchObject({ status: "miss", stored: true });
    const known = await embeddings.embed(call(), { input: "b" });
    expect(known.cache).toMatchObject({ status: "hit", kind: "memory", age: 0 });
    expect(asked()).toEqual([["aaa", "b"], ["dddd"]]);
  });

  test("caches a string, its tokens and other dimensions separately, but not the model's default dimensions", async () => {
    const { embeddings, asked } = setUp();
    await embeddings.embed(call(), { input: "[1]" });
    await embeddings.embed(call(), { input: [1] });
    await embeddings.embed(call(), { input: "[1]", dimensions: 1 });
    await embeddings.embed(call(), { input: "[1]", dimensions: 2 });
    expect(asked()).toEqual([["[1]"], [[1]], ["[1]"]] as never);
  });

  test("applies cache-control to each input", async () => {
    const { embeddings, asked } = setUp();
    await expect(embeddings.embed(call("only-if-cached"), { input: ["a", "bb"] })).rejects.toMatchObject({
      kind: "not_cached",
    });
    await embeddings.embed(call("no-store"), { input: "a" });
    await embeddings.embed(call("s-maxage=0"), { input: "a" });
    await embeddings.embed(call(), { input: ["a", "bb"] });
    await embeddings.embed(call("only-if-cached"), { input: ["bb", "a"] });
    await embeddings.embed(call("no-cache"), { input: "a" });
    expect(asked()).toEqual([["a"], ["a"], ["a", "bb"], ["a"]]);
  });

  test("caches nothing for a key without content logging, or if the entry is invalidated in the meantime", async () => {
    const held = Promise.withResolvers<void>();
    const { embeddings, answers, asked, engine } = setUp({ beforePiece: () => held.promise });
    const principal = { ...PRINCIPAL, contentLogging: false };
    const running = [
      embeddings.embed(call(undefined, { principal }), { input: "private" }),
      embeddings.embed(call(), { input: "dropped" }),
    ];
    await until("both are computed", () => engine.requests.length === 2);
    await answers.invalidate("model:fake-embedder");
    held.resolve();
    await Promise.all(running);
    for (const input of ["private", "dropped"]) await embeddings.embed(call(), { input });
    expect(asked()).toEqual([["private"], ["dropped"], ["private"], ["dropped"]]);
  });

  test("sends many inputs in parallel requests of limited size, with the caller's key and priority", async () => {
    const held = Promise.withResolvers<void>();
    const { embeddings, engine, asked } = setUp({ beforePiece: () => held.promise });
    const texts = Array.from({ length: 200 }, (_, index) => "x".repeat(index + 1));
    const running = embeddings.embed(call(undefined, { priority: "batch" }), { input: texts });
    await until("four run", () => engine.running() === 4);
    held.resolve();
    expect(lengths((await running).vectors)).toEqual(texts.map((text) => text.length));
    expect(asked().every((batch) => batch.length <= 32)).toBe(true);
    expect(engine.requests[0]).toMatchObject({ priority: "batch", fairKey: PRINCIPAL.keyId, model: "fake-embedder" });
  });

  test("names the caller's input in an error, and aborts the rest of the request", async () => {
    const refuse = ({ body }: EngineRequest) => {
      const index = (JSON.parse(body).input as string[]).indexOf("long");
      const detail = { param: `input.${index}` };
      return index < 0 ? undefined : new AppError("context_length_exceeded", `input.${index} has 600.`, detail);
    };
    const { embeddings, engine } = setUp({ refuse });
    const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`);
    const input = [...texts.slice(0, 50), "text 0", ...texts.slice(50, 70), "long", ...texts.slice(70)];
    const error = await embeddings.embed(call(), { input }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: "input.71 has 600.", detail: { param: "input.71" } });
    await expect(embeddings.embed(call(), { input: "long" })).rejects.toMatchObject({ detail: { param: "input" } });
    expect(engine.running()).toBe(0);
  });

  test("stops when the caller disconnects", async () => {
    const caller = new AbortController();
    const { embeddings, engine } = setUp({ beforePiece: () => new Promise(() => {}) });
    const running = embeddings.embed(call(undefined, { signal: caller.signal }), { input: "a" });
    await until("it runs", () => engine.running() === 1);
    caller.abort();
    await expect(running).rejects.toMatchObject({ kind: "client_closed" });
    expect(engine.running()).toBe(0);
  });

  test("rejects vectors from nodes with different revisions of the model", async () => {
    const { embeddings, engine } = setUp();
    const { request } = engine;
    engine.request = async (asked) => ({ ...(await request(asked)), modelRevision: "other" });
    await expect(embeddings.embed(call(), { input: "a" })).rejects.toMatchObject({ kind: "unavailable" });
  });

  test("adds the model's prefix for an input type, and none without one", async () => {
    const { embeddings, asked } = setUp({ prefixes: { query: "q: ", document: "d: " } });
    await embeddings.embed(call(), { input: ["a", "b"], input_type: "document" });
    await embeddings.embed(call(), { input: "a", input_type: "query" });
    const plain = await embeddings.embed(call(), { input: ["a", "d: b"] });
    expect([asked(), plain.hits]).toEqual([[["d: a", "d: b"], ["q: a"], ["a"]], 1]);
    const without = setUp();
    await without.embeddings.embed(call(), { input: "a", input_type: "query" });
    expect(without.asked()).toEqual([["a"]]);
  });

  test("rejects an input type for token ids, and until the model's prefixes are known", async () => {
    const { embeddings, engine, asked } = setUp();
    await expect(embeddings.embed(call(), { input: [[1], [2]], input_type: "query" })).rejects.toMatchObject({
      kind: "invalid_request",
      detail: { param: "input_type" },
    });
    engine.nodes = () => [];
    const models = createModels({ engine, defaults: { chat: "fake-model", embedding: "fake-embedder" } });
    expect(() => prefixOf(models.resolve(PRINCIPAL, "embedding", undefined), "document")).toThrow(
      expect.objectContaining({ kind: "unavailable" }),
    );
    expect(asked()).toEqual([]);
  });

  test("rejects a chat model, and does not find a model that the key may not use", async () => {
    const { embeddings } = setUp();
    await expect(embeddings.embed(call(), { input: "a", model: "fake-model" })).rejects.toMatchObject({
      kind: "invalid_request",
    });
    const principal = { ...PRINCIPAL, allowedModels: ["fake-model"] };
    await expect(embeddings.embed(call(undefined, { principal }), { input: "a" })).rejects.toMatchObject({
      kind: "model_not_found",
    });
  });

  test("records metrics once: the computed tokens and the cache status", async () => {
    const { embeddings, samples } = setUp();
    await embeddings.embed(call(), { input: ["aaa", "b"] });
    await embeddings.embed(call(), { input: ["aaa", "cc"] });
    await embeddings.embed(call(), { input: ["aaa"] });
    expect(
      samples.map(({ operation, cache, promptTokens, node }) => [operation, cache.status, promptTokens, node]),
    ).toEqual([
      ["embedding", "miss", 4, "fake"],
      ["embedding", "miss", 2, "fake"],
      ["embedding", "hit", 0, undefined],
    ]);
  });
});

test("returns numbers to other services with embedTexts, through the same cache and nodes", async () => {
  const { embeddings, asked } = setUp();
  await embeddings.embed(call(), { input: "bb" });
  const { vectors, model } = await embeddings.embedTexts(call(), ["a", "bb"]);
  expect([vectors, model]).toEqual([[Float32Array.of(1, 1), Float32Array.of(2, 1)], "fake-embedder"]);
  expect((await embeddings.embedTexts(call(), [])).vectors).toEqual([]);
  expect(asked()).toEqual([["bb"], ["a"]]);
});

test("embedQuery embeds the end of a question that is too long, with the prefix", async () => {
  const refuse = ({ body }: EngineRequest) =>
    JSON.parse(body).input[0].length > 6 ? new AppError("context_length_exceeded", "Too long.") : undefined;
  const { embeddings, asked } = setUp({ prefixes: { query: "q: ", document: "d: " }, refuse });
  const { vector, revision } = await embeddings.embedQuery(call(), "fake-embedder", "abcdef");
  expect([vector[0], revision]).toEqual([6, "fake-revision"]);
  expect(asked()).toEqual([["q: abcdef"], ["q: def"]]);
});
