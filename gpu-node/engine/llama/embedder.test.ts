import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../../lib/errors";
import { silentLog } from "../../../lib/log";
import { defaultConfig } from "../../../lib/settings";
import { TINY, tinyCheckpoint, writeCheckpoint } from "../../../tests/tiny-checkpoint";
import { withPrefixes } from "../../models/catalogue";
import { convertBert } from "../../models/convert-bert";
import { ensureModel } from "../../models/download";
import { hashFile } from "../../models/verify";
import { embeddingCapabilities } from "../capabilities";
import type { Embedder, TextRequest } from "../engine";
import { createLlamaEmbedder } from "./embedder";
import { createLlamaHost, type LlamaHost } from "./host";

/** The default embedding model. Two threads, so that two contexts share the work. */
const config = defaultConfig({ node: { threads: 2, gpu: "off" } });
setDefaultTimeout(60_000);
let host: LlamaHost;
let embedder: Embedder;

beforeAll(async () => {
  host = createLlamaHost(config.node, silentLog());
  embedder = createLlamaEmbedder(config, host, silentLog());
  await embedder.load(() => {});
});
afterAll(async () => {
  await embedder.close();
  await host.dispose();
});

const request = (body: Record<string, unknown>): TextRequest => ({
  body,
  priority: "interactive",
  fairKey: "key",
  signal: new AbortController().signal,
  isAnswering: () => false,
});
const embed = async (input: unknown) => {
  const { start } = await embedder.accept(request({ input }));
  return (await Array.fromAsync(start())).sort((a, b) => a.index - b.index);
};
const rejection = async (body: Record<string, unknown>): Promise<AppError> => {
  const error = await embedder.accept(request(body)).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error("was not rejected");
  return error;
};
const dot = (a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

const TEXTS = [
  "A man is eating food.",
  "A man is eating a piece of bread.",
  "Two bonds rose.",
  "\u6771\u4eac",
  "a".repeat(99),
];

describe("the llama embedder", () => {
  test("returns vectors of length 1 whose cosines match the published ones", async () => {
    const [food, bread, bonds] = await embed(TEXTS);
    expect(dot(food?.vector, food?.vector)).toBeCloseTo(1, 5);
    // 0.7553 with the weights in single precision.
    expect(dot(food?.vector, bread?.vector)).toBeCloseTo(0.7553, 2);
    expect(dot(food?.vector, bonds?.vector)).toBeLessThan(0.2);
  });

  test("a batch gives bit-for-bit the same vectors as its texts embedded one by one, and exact token counts", async () => {
    const batch = await embed([...TEXTS, ...TEXTS]);
    for (const [index, text] of TEXTS.entries()) {
      const [separate] = await embed(text);
      expect(batch[index]?.vector).toEqual(separate?.vector as Float32Array);
      expect(batch[index + TEXTS.length]?.vector).toEqual(separate?.vector as Float32Array);
      expect(batch[index]?.tokens).toBe((await embedder.tokenize(undefined, text)).length);
    }
    expect(batch[0]?.tokens).toBe(8);
  });

  test("token ids give the text's vector, with or without the model's first and last token", async () => {
    const ids = await embedder.tokenize("all-minilm-l6-v2", "A man is eating food.");
    expect(ids).toEqual([101, 1037, 2158, 2003, 5983, 2833, 1012, 102]);
    const [text, whole, bare] = [
      ...(await embed("A man is eating food.")),
      ...(await embed(ids)),
      ...(await embed([ids.slice(1, -1)])),
    ];
    expect([whole, bare]).toEqual([text, text]);
  });

  test("counts as many tokens as it embeds, and those of texts beyond its context", async () => {
    const texts = [...TEXTS, "food ".repeat(2000), ""];
    const counts = await Promise.all(texts.map(async (text) => (await embedder.tokenize(undefined, text)).length));
    expect(counts.slice(0, TEXTS.length)).toEqual((await embed(TEXTS)).map(({ tokens }) => tokens));
    expect(counts.slice(TEXTS.length)).toEqual([2002, 2]);
  });

  test("a control token written in a text stays plain text", async () => {
    const ids = await embedder.tokenize(undefined, "[SEP]");
    expect(ids.slice(1, -1)).not.toContain(102);
  });

  test("accepts 512 tokens and rejects 513, naming the input; rejects far longer texts without reading all of them", async () => {
    expect((await embed("food ".repeat(510)))[0]?.tokens).toBe(512);
    const error = await rejection({ input: ["food", "food ".repeat(511)] });
    expect([error.kind, error.detail.param]).toEqual(["context_length_exceeded", "input.1"]);
    expect(error.message).toBe(
      "This model's maximum context length is 512 tokens. input.1 has 513 tokens. Shorten it or split it. (context_length_exceeded)",
    );
    const book = await rejection({ input: "x".repeat(3_000_000) });
    expect([book.kind, book.message.includes("at least")]).toEqual(["context_length_exceeded", true]);
  });

  test("a text of only spaces is accepted, whatever its length", async () => {
    expect((await embed(" \n".repeat(50_000)))[0]?.tokens).toBe(2);
  });

  test("rejects unsupported parameters by name", async () => {
    const params: [string, Record<string, unknown>][] = [
      ["model", { input: "a", model: "smollm2-135m-instruct" }],
      ["dimensions", { input: "a", dimensions: 128 }],
      ["input.0", { input: [[30_522]] }],
    ];
    for (const [param, body] of params) expect((await rejection(body)).detail.param).toBe(param);
    expect((await embedder.accept(request({ input: "a", dimensions: 384 }))).model.dimensions).toBe(384);
  });

  test("nothing is computed for a caller that disconnected before its texts are tokenized", async () => {
    const left = new AbortController();
    left.abort(new AppError("client_closed", "gone"));
    const accepted = embedder.accept({ ...request({ input: "a" }), signal: left.signal });
    await expect(accepted.then(({ start }) => Array.fromAsync(start()))).rejects.toThrow("gone");
  });
});

describe("a model of the catalogue", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "models-"));
  });
  afterAll(() => rm(dir, { recursive: true }));

  /** An embedder whose file of bge-small-en-v1.5 is made from the tiny checkpoint with this pooling. */
  const withPooling = async (settings: object): Promise<Embedder> => {
    const files = { ...tinyCheckpoint(), "1_Pooling/config.json": Buffer.from(JSON.stringify(settings)) };
    await writeCheckpoint(join(dir, "source"), files);
    await convertBert(join(dir, "source"), join(dir, "bge-small-en-v1.5.Q8_0.gguf"), () => {});
    const models = { ...config.models, dir, embedding: "bge-small-en-v1.5" };
    return createLlamaEmbedder({ ...config, models }, host, silentLog());
  };

  test("has the catalogue's prefixes, which are part of its revision", async () => {
    const model = await withPooling({ pooling_mode_cls_token: true });
    await model.load(() => {});
    const sha256 = await hashFile(join(dir, "bge-small-en-v1.5.Q8_0.gguf"));
    const prefixes = { query: "Represent this sentence for searching relevant passages: ", document: "" };
    const [card] = model.models();
    expect(card).toEqual({
      id: "bge-small-en-v1.5",
      kind: "embedding",
      ...withPrefixes(sha256.slice(0, 12), {}, prefixes),
      context_window: TINY.positions,
      dimensions: TINY.hidden,
      capabilities: embeddingCapabilities(false),
    });
    const { start } = await model.accept(request({ input: "foods" }));
    expect((await Array.fromAsync(start())).map(({ vector }) => vector.length)).toEqual([TINY.hidden]);
    await model.close();
  });

  test("is rejected if its pooling differs", async () => {
    const model = await withPooling({ pooling_mode_mean_tokens: true });
    await expect(model.load(() => {})).rejects.toThrow("does not have this model's pooling (cls)");
  });
});

test("a chat model is rejected if an embedding model is needed", async () => {
  const { path } = await ensureModel("chat", config);
  const wrong = createLlamaEmbedder({ ...config, models: { ...config.models, embedding: path } }, host, silentLog());
  await expect(wrong.load(() => {})).rejects.toThrow("is not an embedding model");
});
