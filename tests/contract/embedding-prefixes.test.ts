import { afterAll, beforeAll, expect, test } from "bun:test";
import { createClient } from "@libsql/client";
import type { EmbeddingList } from "../../gateway/embeddings/contract";
import { decodeVector } from "../../lib/vectors";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({}, { models: { queryPrefix: "query: ", documentPrefix: "passage: " } });
  await until("the node has reported its models", async () => (await send("GET", "/v1/models")).data.length === 2);
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
const send = async (method: string, path: string, body?: unknown): Promise<any> => {
  const response = await stack.call(method, path, { body });
  expect(response.status).toBeLessThan(300);
  return response.json();
};
const embed = async (body: object): Promise<{ vector: Float32Array | undefined; tokens: number; revision: string }> => {
  const { data, usage, model_revision }: EmbeddingList = await send("POST", "/v1/embeddings", body);
  return { vector: decodeVector(data[0]?.embedding), tokens: usage.prompt_tokens, revision: model_revision };
};

test("the lists of models and nodes show the prefixes, and the revision depends on them", async () => {
  const prefixes = { query: "query: ", document: "passage: " };
  const { data: models } = await send("GET", "/v1/models");
  expect(models).toMatchObject([
    { kind: "chat", prefixes: null },
    { kind: "embedding", prefixes },
  ]);
  expect(models[1].revision).toMatch(/^[0-9a-f]{12}$/);
  const { data: nodes } = await send("GET", "/v1/nodes");
  expect(nodes[0].models).toMatchObject([{ prefixes: null }, { prefixes, revision: models[1].revision }]);
  expect((await embed({ input: "leave" })).revision).toBe(models[1].revision);
});

test("input_type adds the prefix to texts, and to what is counted", async () => {
  const input = "Everyone has 30 days.";
  const document = await embed({ input, input_type: "document" });
  expect(document).toEqual(await embed({ input: `passage: ${input}` }));
  expect(document.tokens).toBe(5);
  expect((await embed({ input, input_type: "query" })).vector).toEqual(
    (await embed({ input: `query: ${input}` })).vector,
  );
  expect((await embed({ input })).vector).not.toEqual(document.vector);
  const counts = await send("POST", "/v1/tokenize", { input: [input, ""], input_type: "document" });
  expect(counts.data).toEqual([{ count: 5 }, { count: 1 }]);
});

test.each([
  ["token ids", { input: [1, 2], input_type: "query" }],
  ["an unknown type", { input: "a", input_type: "passage" }],
])("input_type is refused for %s", async (_what, body) => {
  const response = await stack.call("POST", "/v1/embeddings", { body });
  const { error } = (await response.json()) as { error: { param: string } };
  expect([response.status, error.param]).toEqual([400, "input_type"]);
});

test("chunks of documents are embedded and counted with the prefix for documents", async () => {
  const index = await send("POST", "/v1/rag/indexes", { name: "prefixed" });
  const documents = [{ title: "Leave", text: "Everyone has 30 days." }];
  await send("POST", `/v1/rag/indexes/${index.id}/documents`, { documents });
  await until("the document is searchable", async () => {
    return (await send("GET", `/v1/rag/indexes/${index.id}`)).status === "ready";
  });
  const client = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
  const { rows } = await client.execute(
    "SELECT tokens, search_text, vector FROM chunks JOIN chunk_vectors ON chunk_id = chunks.id",
  );
  client.close();
  const [row] = rows;
  expect([rows.length, row?.tokens]).toEqual([1, 5]);
  const { vector } = await embed({ input: row?.search_text, input_type: "document" });
  expect(new Float32Array(row?.vector as ArrayBuffer)).toEqual(vector as Float32Array<ArrayBuffer>);
});
