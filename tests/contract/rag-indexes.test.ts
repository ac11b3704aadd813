import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createClient } from "@libsql/client";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;
type Options = Parameters<Stack["call"]>[2];

const INDEXES = "/v1/rag/indexes";
const call = async (method: string, path: string, options?: Options): Promise<[number, Json]> => {
  const response = await stack.call(method, INDEXES + path, options);
  const text = await response.text();
  return [response.status, text === "" ? undefined : JSON.parse(text)];
};
const unique = (): string => `index-${crypto.randomUUID()}`;
const create = async (body: object = {}, options?: Options): Promise<Json> => {
  const [status, index] = await call("POST", "", { ...options, body: { name: unique(), ...body } });
  expect(status).toBe(201);
  return index;
};

describe("an index", () => {
  test("is created with the default model and measured settings, and is read by id and by name", async () => {
    const index = await create({ description: "Rules" });
    expect(index).toMatchObject({
      status: "empty",
      revision: 1,
      description: "Rules",
      active: {
        version: 1,
        state: "active",
        embedding_model: "all-minilm-l6-v2",
        embedding_model_revision: "synthetic",
        dimension: 64,
        chunking: { chunk_tokens: 256, overlap_tokens: 32 },
      },
      building: null,
      retrieval: { mode: "hybrid", top_k: 5 },
      documents: 0,
      ingestion: null,
    });
    expect(await call("GET", `/${index.id}`)).toEqual([200, index]);
    expect(await call("GET", `/${index.name}`)).toEqual([200, index]);
    const [, { data }] = await call("GET", `/${index.id}/versions`);
    expect(data).toEqual([index.active]);
  });

  test.each([
    ["a model that no node has", { embedding_model: "unknown" }, 404, "embedding_model"],
    ["a chat model", { embedding_model: "smollm2-135m-instruct" }, 400, "embedding_model"],
    [
      "chunks longer than the model's context",
      { chunking: { chunk_tokens: 8000, overlap_tokens: 0 } },
      400,
      "chunking.chunk_tokens",
    ],
    [
      "an overlap of whole chunks",
      { chunking: { chunk_tokens: 64, overlap_tokens: 64 } },
      400,
      "chunking.overlap_tokens",
    ],
    ["an unknown setting", { retrieval: { topk: 3 } }, 400, "retrieval.topk"],
  ])("with %s is refused by its name", async (_, body, status, param) => {
    const [got, { error }] = await call("POST", "", { body: { name: unique(), ...body } });
    expect([got, error.param]).toEqual([status, param]);
  });

  test("has a unique name, which can be reused after its deletion", async () => {
    const { id, name } = await create();
    const [status, { error }] = await call("POST", "", { body: { name } });
    expect([status, error.code, error.param]).toEqual([409, "conflict", "name"]);
    expect((await call("DELETE", `/${name}`))[0]).toBe(204);
    expect((await call("GET", `/${id}`))[0]).toBe(404);
    expect((await call("DELETE", `/${id}`))[0]).toBe(404);
    expect((await create({ name })).id).not.toBe(id);
  });

  test("can't have a name that looks like an id, because it could be another index's id", async () => {
    const { id } = await create();
    for (const [method, path] of [
      ["POST", ""],
      ["PATCH", `/${id}`],
    ] as const) {
      const [status, { error }] = await call(method, path, { body: { name: (await create()).id } });
      expect([status, error.param, error.message]).toEqual([400, "name", "name must not start with idx_, as ids do."]);
    }
  });

  test("changes its name and retrieval settings, which raises its revision", async () => {
    const { id } = await create({ retrieval: { candidates: 10 } });
    const name = unique();
    const [status, changed] = await call("PATCH", `/${id}`, { body: { name, retrieval: { top_k: 8 } } });
    expect([status, changed.name, changed.revision]).toEqual([200, name, 2]);
    expect(changed.retrieval).toMatchObject({ top_k: 8, candidates: 10, mode: "hybrid" });
    const taken = (await create()).name;
    expect((await call("PATCH", `/${id}`, { body: { name: taken } }))[0]).toBe(409);
  });

  test("is listed newest first, page by page", async () => {
    const made = [await create(), await create(), await create()].map(({ id }) => id).reverse();
    const [, first] = await call("GET", "?limit=2");
    const [, second] = await call("GET", `?limit=1&after=${first.next_cursor}`);
    expect([...first.data, ...second.data].map(({ id }: Json) => id)).toEqual(made);
    expect((await call("GET", "?after=nonsense"))[0]).toBe(400);
  });
});

describe("a key that may use some indexes", () => {
  test("sees no others: in no list, and by neither id nor name on any route", async () => {
    const [own, named, other] = [await create(), await create(), await create()];
    const key = await stack.keyOf("editor", { allowed_indexes: [own.id, named.name] });
    const [, { data }] = await call("GET", "?limit=100", { key });
    expect(data.map(({ id }: Json) => id)).toEqual([named.id, own.id]);
    for (const index of [own, named]) {
      for (const handle of [index.id, index.name]) expect((await call("GET", `/${handle}`, { key }))[0]).toBe(200);
    }
    const document = { body: { documents: [{ text: "x" }] } };
    for (const handle of [other.id, other.name]) {
      for (const [method, path, options] of [
        ["GET", ""],
        ["PATCH", "", { body: { description: "x" } }],
        ["DELETE", ""],
        ["GET", "/versions"],
        ["POST", "/versions", { body: { chunking: { chunk_tokens: 64, overlap_tokens: 0 } } }],
        ["POST", "/versions/1/activate"],
        ["GET", "/documents"],
        ["POST", "/documents", document],
        ["GET", "/documents/doc_1"],
        ["DELETE", "/documents/doc_1"],
        ["POST", "/documents/doc_1/retry"],
        ["GET", "/documents/doc_1/text"],
        ["GET", "/documents/doc_1/chunks"],
        ["POST", "/ingestion/cancel"],
      ] as [string, string, Options?][]) {
        const [status, { error }] = await call(method, `/${handle}${path}`, { key, ...options });
        expect([method, path, status, error.param]).toEqual([method, path, 404, "index"]);
      }
    }
    expect((await call("GET", `/${other.id}`))[1].documents).toBe(0);
  });

  test("loses access to an index immediately when an admin revokes it", async () => {
    const { id } = await create();
    const made = await stack.call("POST", "/v1/keys", {
      body: { name: "limited", role: "viewer", allowed_indexes: [id] },
    });
    const { id: keyId, key } = (await made.json()) as Json;
    expect((await call("GET", `/${id}`, { key }))[0]).toBe(200);
    await stack.call("PATCH", `/v1/keys/${keyId}`, { body: { allowed_indexes: [] } });
    expect((await call("GET", `/${id}`, { key }))[0]).toBe(404);
  });

  test("can't create an index that it could not see", async () => {
    const name = unique();
    const key = await stack.keyOf("editor", { allowed_indexes: [name] });
    const [status, { error }] = await call("POST", "", { key, body: { name: unique() } });
    expect([status, error.code]).toEqual([403, "insufficient_role"]);
    expect((await create({ name }, { key })).name).toBe(name);
  });
});

test("an index built with a different revision of the embedding model is rejected until a new version is active", async () => {
  const { id } = await create();
  const text = { documents: [{ source: "a.md", text: "The ferry leaves at seven." }] };
  const settled = () =>
    until("the documents are settled", async () => (await call("GET", `/${id}`))[1].ingestion?.ended_at !== null);
  await call("POST", `/${id}/documents`, { body: text });
  await settled();
  const database = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
  const args = ["older", id];
  await database.execute({ sql: "UPDATE index_versions SET embedding_model_revision = ? WHERE index_id = ?", args });
  database.close();

  const ask = async () => {
    const body = { index: id, question: "When does the ferry leave?", generate: false };
    const response = await stack.call("POST", "/v1/rag/query", { body });
    return [response.status, (await response.json()) as Json] as const;
  };
  const [status, { error }] = await ask();
  expect([status, error.code, error.param]).toEqual([409, "conflict", "index"]);
  expect(error.message).toContain("Build a new version of the index and activate it.");
  await call("POST", `/${id}/documents`, { body: { documents: [{ source: "b.md", text: "The bakery opens." }] } });
  await settled();
  const [, { last_error: failure }] = await call("GET", `/${id}`);
  expect([failure.code, failure.message]).toEqual(["conflict", expect.stringContaining("Build a new version")]);

  const [, { version }] = await call("POST", `/${id}/versions`, {
    body: { chunking: { chunk_tokens: 64, overlap_tokens: 0 } },
  });
  await until("the version is ready", async () => (await call("GET", `/${id}`))[1].building === null);
  await call("POST", `/${id}/versions/${version}/activate`);
  expect((await ask())[0]).toBe(200);

  await call("POST", `/${id}/documents`, { body: { documents: [{ source: "c.md", text: "The museum is closed." }] } });
  await settled();
  expect((await call("GET", `/${id}`))[1]).toMatchObject({ documents: 3, failed_documents: 1 });
  const [, { data: versions }] = await call("GET", `/${id}/versions`);
  expect(versions.map(({ state }: Json) => state)).toEqual(["active", "retired"]);
  expect(versions[1].error.message).toContain("was built with revision older");
});
