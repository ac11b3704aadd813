import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createClient } from "@libsql/client";
import { decodeVector } from "../../lib/vectors";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({}, { models: { documentPrefix: "passage: " } });
  await until("the node has reported its models", async () => (await send("GET", "/v1/models")).data.length === 2);
});
afterAll(() => stack.close());

const send = async (method: string, path: string, body?: unknown): Promise<Json> => {
  const response = await stack.call(method, path, { body });
  expect([path, response.status < 300]).toEqual([path, true]);
  return response.json();
};
const newIndex = async (): Promise<string> =>
  (await send("POST", "/v1/rag/indexes", { name: `index-${crypto.randomUUID()}` })).id;
const store = (index: string, input: unknown, fields: object = {}): Promise<Json> =>
  send("POST", "/v1/embeddings", { input, store: { index, ...fields } });
const refusal = async (body: Json, key?: string) => {
  const response = await stack.call("POST", "/v1/embeddings", { body, ...(key && { key }) });
  const { error } = (await response.json()) as Json;
  return [response.status, error.code, error.param];
};
const documentsOf = async (index: string): Promise<Json[]> =>
  (await send("GET", `/v1/rag/indexes/${index}/documents`)).data.toReversed();
const vectorOf = async (chunk: string): Promise<Float32Array> => {
  const client = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
  const { rows } = await client.execute({ sql: "SELECT vector FROM chunk_vectors WHERE chunk_id = ?", args: [chunk] });
  client.close();
  return new Float32Array(rows[0]?.vector as ArrayBuffer);
};

describe("store", () => {
  test("makes each text a document with one chunk and the returned vector", async () => {
    const index = await newIndex();
    const texts = ["Everyone has 30 days of leave.", "Ask early.\nThen wait."];
    const { data, stored } = await store(index, texts, { ids: ["leave", "ask"], metadata: [{ site: "north" }, {}] });
    expect(stored).toMatchObject({ index_id: index, revision: 3 });
    const documents = await documentsOf(index);
    const shown = documents.map(({ title, source, metadata, state, chunks }) => [
      title,
      source,
      metadata,
      state,
      chunks,
    ]);
    expect(shown.toSorted()).toEqual([
      ["Ask early.", "ask", {}, "ready", 1],
      ["Everyone has 30 days of leave.", "leave", { site: "north" }, "ready", 1],
    ]);
    for (const [place, id] of stored.ids.entries()) {
      const path = `/v1/rag/indexes/${index}/documents/${id}`;
      const { data: chunks } = await send("GET", `${path}/chunks`);
      expect(chunks).toMatchObject([{ text: texts[place], start: 0, end: texts[place]?.length }]);
      expect((await send("GET", `${path}/text`)).text).toBe(texts[place]);
      expect(await vectorOf(chunks[0].id)).toEqual(decodeVector(data[place].embedding) as Float32Array<ArrayBuffer>);
    }
    const { data: plain } = await send("POST", "/v1/embeddings", { input: texts, input_type: "document" });
    expect(data).toEqual(plain);
  });

  test("makes texts searchable immediately, and only with their newest content", async () => {
    const index = await newIndex();
    const ask = async (question: string) =>
      (await send("POST", "/v1/rag/query", { index, question, generate: false })).chunks;
    await store(index, "The harbour opens in May.", { ids: ["harbour"] });
    expect(await ask("harbour opens")).toMatchObject([{ text: "The harbour opens in May." }]);
    await store(index, "The harbour opens in June.", { ids: ["harbour"] });
    expect(await ask("harbour opens")).toMatchObject([{ text: "The harbour opens in June." }]);
  });

  test("changes nothing if the same is stored again, with ids or without", async () => {
    const index = await newIndex();
    for (const fields of [{ ids: ["a", "b"] }, {}]) {
      const first = await store(index, ["one", "two"], fields);
      expect((await store(index, ["one", "two"], fields)).stored).toEqual(first.stored);
    }
    const repeated = await store(index, ["one", "one", "three"]);
    expect(new Set(repeated.stored.ids).size).toBe(2);
    expect(await documentsOf(index)).toHaveLength(5);
  });

  test("replaces the content or metadata of an existing id, and keeps the document", async () => {
    const index = await newIndex();
    const { stored } = await store(index, "one", { ids: ["a"] });
    const changed = await store(index, "two", { ids: ["a"] });
    expect(changed.stored).toEqual({ ...stored, revision: stored.revision + 1 });
    await store(index, "two", { ids: ["a"], metadata: [{ site: "south" }] });
    expect(await documentsOf(index)).toMatchObject([{ id: stored.ids[0], title: "two", metadata: { site: "south" } }]);
  });
});

describe("store is refused", () => {
  test.each<[what: string, status: number, param: string, body: Record<string, unknown>, fields: object]>([
    ["for token ids", 400, "input", { input: [1, 2] }, {}],
    ["for queries", 400, "input_type", { input: "a", input_type: "query" }, {}],
    ["for more than 256 texts", 400, "input", { input: Array(257).fill("a") }, {}],
    ["with fewer ids than texts", 400, "store.ids", { input: ["a", "b"] }, { ids: ["x"] }],
    ["with more metadata than texts", 400, "store.metadata", { input: "a" }, { metadata: [{}, {}] }],
    [
      "for equal texts with different metadata",
      400,
      "store.metadata",
      { input: ["a", "a"] },
      { metadata: [{ n: 1 }, {}] },
    ],
    ["for a text that is too long", 400, "input.1", { input: ["a", "word ".repeat(5000)] }, {}],
    ["for a different length than the index's", 400, "dimensions", { input: "a", dimensions: 8 }, {}],
  ])("%s, and nothing is stored", async (_what, status, param, body, fields) => {
    const index = await newIndex();
    const [code, , name] = await refusal({ ...body, store: { index, ...fields } });
    expect([code, name]).toEqual([status, param]);
    expect(await documentsOf(index)).toEqual([]);
  });

  test("for a member, for an unknown index and for one that the key may not use", async () => {
    const body = { input: "a", store: { index: await newIndex() } };
    expect(await refusal(body, await stack.keyOf("member"))).toEqual([403, "insufficient_role", "store"]);
    expect(await refusal({ input: "a", store: { index: "none" } })).toEqual([404, "not_found", "store.index"]);
    const key = await stack.keyOf("editor", { allowed_indexes: ["another"] });
    expect(await refusal(body, key)).toEqual([404, "not_found", "store.index"]);
    expect(await documentsOf(body.store.index)).toEqual([]);
  });

  test("if the index was built with a different revision of the model", async () => {
    const index = await newIndex();
    const client = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
    await client.execute({
      sql: "UPDATE index_versions SET embedding_model_revision = 'older' WHERE index_id = ?",
      args: [index],
    });
    client.close();
    expect(await refusal({ input: "a", store: { index } })).toEqual([409, "conflict", "store.index"]);
    expect(await documentsOf(index)).toEqual([]);
  });
});
