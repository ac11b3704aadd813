import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../../lib/errors";
import { silentLog } from "../../../lib/log";
import { defaultConfig } from "../../../lib/settings";
import { TINY } from "../../../tests/tiny-checkpoint";
import { tinyScore, writeTinyReranker } from "../../../tests/tiny-reranker";
import type { Reranker, TextRequest } from "../engine";
import { createLlamaHost, type LlamaHost } from "./host";
import { createLlamaReranker } from "./reranker";

/** Token ids by word. "foods" is two tokens. */
const [CLS, SEP, FOOD, S, CONSTRUCTOR] = [2, 3, 5, 6, 7];

setDefaultTimeout(60_000);
let folder: string;
let host: LlamaHost;
let reranker: Reranker;

const configOf = (rerank: string) => {
  const config = defaultConfig({ node: { threads: 2, gpu: "off" } });
  return { ...config, models: { ...config.models, dir: folder, rerank } };
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reranker-"));
  const file = join(folder, "Tiny-Reranker.gguf");
  await writeTinyReranker(file);
  const config = configOf(file);
  host = createLlamaHost(config.node, silentLog());
  reranker = createLlamaReranker(config, host, silentLog());
  await reranker.load(() => {});
});
afterAll(async () => {
  await reranker.close();
  await host.dispose();
  await rm(folder, { recursive: true });
});

const request = (body: Record<string, unknown>): TextRequest => ({
  body,
  priority: "interactive",
  fairKey: "key",
  signal: new AbortController().signal,
  isAnswering: () => false,
});
const rank = async (body: Record<string, unknown>) => {
  const { start } = await reranker.accept(request(body));
  return (await Array.fromAsync(start())).sort((a, b) => a.index - b.index);
};
const rejection = async (body: Record<string, unknown>): Promise<AppError> => {
  const error = await reranker.accept(request(body)).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error("was not rejected");
  return error;
};

describe("the llama reranker", () => {
  test("reports its model", () => {
    expect(reranker.models()).toMatchObject([
      { id: "tiny-reranker", kind: "rerank", context_window: TINY.positions, capabilities: { rerank: true } },
    ]);
  });

  test("reads both texts with their separators, and its scores equal the computed ones", async () => {
    const documents = ["constructor", "food constructor", "foods foods"];
    const pairs = [
      [CLS, FOOD, S, SEP, CONSTRUCTOR, SEP],
      [CLS, FOOD, S, SEP, FOOD, CONSTRUCTOR, SEP],
      [CLS, FOOD, S, SEP, FOOD, S, FOOD, S, SEP],
    ];
    const ranked = await rank({ query: "foods", documents });
    expect(ranked.map(({ tokens }) => tokens)).toEqual(pairs.map((pair) => pair.length));
    for (const [index, pair] of pairs.entries()) expect(ranked[index]?.score).toBeCloseTo(tinyScore(pair), 3);
    expect(new Set(ranked.map(({ score }) => score)).size).toBe(3);
  });

  test("a document's score doesn't depend on the other documents", async () => {
    const [alone] = await rank({ query: "food", documents: ["constructor"] });
    const many = await rank({ query: "food", documents: Array(40).fill("constructor") });
    expect(new Set(many.map(({ score }) => score))).toEqual(new Set([alone?.score ?? -1]));
  });

  test("a control token in a text is plain text", async () => {
    const [ranked] = await rank({ query: "food", documents: ["[SEP]"] });
    expect(ranked?.tokens).toBeGreaterThan(5);
  });

  test("a document that is too long is named, or shortened if the request allows it", async () => {
    const documents = ["food", "food ".repeat(20)];
    const error = await rejection({ query: "food", documents });
    expect([error.kind, error.detail.param]).toEqual(["context_length_exceeded", "documents.1"]);
    const [, long] = await rank({ query: "food", documents, truncate: true });
    expect(long?.tokens).toBe(TINY.positions);
    const kept = [CLS, FOOD, SEP, ...Array(TINY.positions - 4).fill(FOOD), SEP];
    expect(long?.score).toBeCloseTo(tinyScore(kept), 3);
  });

  test("a query that leaves no room for a document is rejected, even with truncate", async () => {
    const error = await rejection({ query: "food ".repeat(20), documents: ["food"], truncate: true });
    expect([error.kind, error.detail.param]).toEqual(["context_length_exceeded", "query"]);
  });

  test("a very long document is shortened too", async () => {
    const [long] = await rank({ query: "food", documents: ["food ".repeat(100_000)], truncate: true });
    expect(long?.tokens).toBe(TINY.positions);
  });
});

test("a model without a classifier is rejected with the name of the setting", async () => {
  const file = join(folder, "plain.gguf");
  await writeTinyReranker(file, false);
  const plain = createLlamaReranker(configOf(file), host, silentLog());
  const error = await plain.load(() => {}).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ kind: "invalid_request", message: expect.stringContaining("GROUNDWIRE_RERANK_MODEL") });
});
