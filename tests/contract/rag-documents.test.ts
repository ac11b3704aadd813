import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
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

const INDEXES = "/v1/rag/indexes";
const call = async (method: string, path: string, body?: unknown): Promise<[number, Json]> => {
  const response = await stack.call(method, INDEXES + path, { body });
  const text = await response.text();
  return [response.status, text === "" ? undefined : JSON.parse(text)];
};
const read = async (path: string): Promise<Json> => {
  const [status, body] = await call("GET", path);
  expect([path, status]).toEqual([path, 200]);
  return body;
};
const newIndex = async (): Promise<string> =>
  (await call("POST", "", { name: `index-${crypto.randomUUID()}` }))[1].id as string;
const add = async (id: string, ...documents: object[]): Promise<Json> => {
  const [status, added] = await call("POST", `/${id}/documents`, { documents });
  expect(status).toBe(202);
  return added;
};
const send = (id: string, files: Record<string, string>, fields: Record<string, string> = {}): Promise<Response> => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const [name, text] of Object.entries(files)) form.append("files", new File([text], name));
  const headers = { authorization: `Bearer ${stack.adminKey}` };
  return fetch(`${stack.url}${INDEXES}/${id}/documents`, { method: "POST", body: form, headers });
};
const settled = async (id: string): Promise<Json> => {
  let index: Json;
  await until(`the ingestion of ${id} has ended`, async () => {
    index = await read(`/${id}`);
    return index.ingestion?.ended_at !== null && index.status !== "ingesting";
  });
  return index;
};
const documentsOf = async (id: string, query = ""): Promise<Json[]> =>
  (await read(`/${id}/documents?limit=100${query}`)).data;
const textsOf = async (id: string, document: string): Promise<string[]> =>
  (await read(`/${id}/documents/${document}/chunks`)).data.map(({ text }: Json) => text);
const count = async (sql: string): Promise<number> => {
  const client = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
  const { rows } = await client.execute(sql);
  client.close();
  return Number(rows[0]?.n);
};

describe("documents", () => {
  test("of a JSON body become searchable, with text, chunks and offsets that reproduce them", async () => {
    const id = await newIndex();
    const text = "# Leave\n\nEveryone has 30 days.\n\nAsk early.";
    const { ingestion, documents } = await add(id, { text, source: "leave.md", metadata: { site: "north" } });
    expect(ingestion).toMatchObject({ state: "queued", total: 1, done: 0, failed: 0 });
    expect(documents).toEqual([{ id: expect.any(String), source: "leave.md", outcome: "added" }]);
    const index = await settled(id);
    expect(index).toMatchObject({
      status: "ready",
      revision: 2,
      documents: 1,
      chunks: 3,
      ingestion: { state: "completed", total: 1, done: 1, failed: 0 },
    });
    const document = await read(`/${id}/documents/${documents[0].id}`);
    expect(document).toMatchObject({
      title: "Leave",
      source: "leave.md",
      state: "ready",
      media_type: "text/markdown",
      metadata: { site: "north" },
      chunks: 3,
      characters: text.length,
      error: null,
    });
    const stored = await read(`/${id}/documents/${document.id}/text`);
    expect(stored).toEqual({ text, pages: [], hash: document.content_hash });
    expect(createHash("sha256").update(stored.text).digest("hex")).toBe(stored.hash);
    const { data } = await read(`/${id}/documents/${document.id}/chunks`);
    for (const chunk of data) expect(stored.text.slice(chunk.start, chunk.end)).toBe(chunk.text);
    expect(data.map(({ tokens }: Json) => tokens)).toEqual([2, 4, 2]);
  });

  test("of a form are read file by file; a bad file fails by itself, and its error says what to do", async () => {
    const id = await newIndex();
    const files = { "a.txt": "One.\fTwo.", "b.pdf": "unreadable", "c.md": "Three." };
    const response = await send(id, files, { metadata: '{"year":2024}' });
    expect(response.status).toBe(202);
    const index = await settled(id);
    expect(index.ingestion).toMatchObject({ state: "completed", total: 3, done: 2, failed: 1 });
    expect([index.failed_documents, index.last_error.message]).toEqual([1, "b.pdf is damaged. Save it again."]);
    const documents = await documentsOf(id);
    expect(documents.map(({ source, state }) => `${source} ${state}`).sort()).toEqual([
      "a.txt ready",
      "b.pdf failed",
      "c.md ready",
    ]);
    expect(documents.every(({ metadata }) => metadata.year === 2024)).toBe(true);
    const [failed] = await documentsOf(id, "&state=failed");
    expect(failed.error).toMatchObject({ code: "invalid_request", message: "b.pdf is damaged. Save it again." });
    expect((await documentsOf(id, "&search=A.TX")).map(({ source }) => source)).toEqual(["a.txt"]);
    const [paged] = await documentsOf(id, "&search=a.txt");
    const { data } = await read(`/${id}/documents/${paged.id}/chunks`);
    expect(data.map(({ text, page }: Json) => [text, page])).toEqual([
      ["One.", 1],
      ["Two.", 2],
    ]);
    expect((await call("GET", `/${id}/documents/${failed.id}/text`))[0]).toBe(404);
    // The files of documents that are ready are not kept; the failed one can be read again.
    expect(await count("SELECT COUNT(*) AS n FROM uploads")).toBe(1);
    const [status, retried] = await call("POST", `/${id}/documents/${failed.id}/retry`);
    expect([status, retried.state]).toEqual([202, "queued"]);
    expect((await settled(id)).ingestion).toMatchObject({ total: 1, failed: 1 });
    expect((await call("POST", `/${id}/documents/${paged.id}/retry`))[0]).toBe(409);
    expect((await call("DELETE", `/${id}/documents/${failed.id}`))[0]).toBe(204);
    expect(await count("SELECT COUNT(*) AS n FROM uploads")).toBe(0);
  });

  test("with the same content are unchanged; the same source or id replaces in one step, and old texts still open", async () => {
    const id = await newIndex();
    const first = { text: "Old rule.\n\nKept rule.", source: "rules.md" };
    const [document] = (await add(id, first)).documents;
    await settled(id);
    const before = await read(`/${id}/documents/${document.id}`);
    expect(await add(id, first)).toEqual({
      ingestion: null,
      documents: [{ id: document.id, source: "rules.md", outcome: "unchanged" }],
    });
    const { documents } = await add(id, { text: "New rule.\n\nKept rule.", source: "rules.md" });
    expect(documents).toEqual([{ id: document.id, source: "rules.md", outcome: "replaced" }]);
    const index = await settled(id);
    expect([index.documents, index.revision]).toEqual([1, 3]);
    expect(await textsOf(id, document.id)).toEqual(["New rule.", "Kept rule."]);
    const old = await read(`/${id}/documents/${document.id}/text?hash=${before.content_hash}`);
    expect(old).toEqual({ text: first.text, pages: [], hash: before.content_hash });
    expect((await call("GET", `/${id}/documents/${document.id}/text?hash=none`))[0]).toBe(404);

    const named = { id: document.id, text: "By id.", source: "other.md", metadata: { a: 1 } };
    expect((await add(id, named)).documents[0]).toMatchObject({ id: document.id, outcome: "replaced" });
    await settled(id);
    expect(await read(`/${id}/documents/${document.id}`)).toMatchObject({ source: "other.md", metadata: { a: 1 } });
    // Other metadata is a change, although the text is the same.
    expect((await add(id, { ...named, metadata: { a: 2 } })).documents[0].outcome).toBe("replaced");
    await settled(id);
    expect((await read(`/${id}/documents/${document.id}`)).metadata).toEqual({ a: 2 });
  });

  test("keep their visible content during a replacement, and if it fails", async () => {
    const id = await newIndex();
    const [document] = (await add(id, { text: "Good.", source: "a.md" })).documents;
    await settled(id);
    await add(id, { text: "unreadable", source: "a.md" });
    const index = await settled(id);
    expect([index.chunks, index.failed_documents]).toEqual([1, 1]);
    expect(await textsOf(id, document.id)).toEqual(["Good."]);
    expect(await read(`/${id}/documents/${document.id}`)).toMatchObject({ state: "failed", chunks: 1 });
    await add(id, { text: "Better.", source: "a.md" });
    await settled(id);
    expect(await textsOf(id, document.id)).toEqual(["Better."]);
    expect(await count("SELECT COUNT(*) AS n FROM uploads")).toBe(0);
  });

  test("that are deleted are gone immediately; the sweep deletes chunks and vectors", async () => {
    const id = await newIndex();
    const [document] = (await add(id, { text: "One.\n\nTwo." })).documents;
    await settled(id);
    expect((await call("DELETE", `/${id}/documents/${document.id}`))[0]).toBe(204);
    for (const path of ["", "/text", "/chunks"]) {
      const [status, { error }] = await call("GET", `/${id}/documents/${document.id}${path}`);
      expect([status, error.param]).toEqual([404, "document_id"]);
    }
    expect(await read(`/${id}`)).toMatchObject({ status: "empty", documents: 0, chunks: 0, revision: 3 });
  });

  test.each([
    [
      "two documents of one id",
      [
        { id: "doc_1", text: "a" },
        { id: "doc_1", text: "b" },
      ],
      "documents.1.id",
    ],
    [
      "two documents of one source",
      [
        { source: "a", text: "a" },
        { source: "a", text: "b" },
      ],
      "documents.1.source",
    ],
    ["an empty text", [{ text: "" }], "documents.0.text"],
    ["metadata that can't be filtered", [{ text: "a", metadata: { a: [1] } }], "documents.0.metadata.a"],
    ["no documents", [], "documents"],
  ])("with %s are rejected, the error names the problem, and nothing is kept", async (_, documents, param) => {
    const id = await newIndex();
    const [status, { error }] = await call("POST", `/${id}/documents`, { documents });
    expect([status, error.param]).toEqual([400, param]);
    expect(await count("SELECT COUNT(*) AS n FROM uploads")).toBe(0);
  });

  test("of a form with wrong metadata, no file or another field are refused, and nothing is kept", async () => {
    const id = await newIndex();
    for (const [files, fields, param] of [
      [{ "a.md": "x" }, { metadata: "[1]" }, "metadata"],
      [{ "a.md": "x" }, { folder: "x" }, "folder"],
      [{}, { metadata: "{}" }, "files"],
    ] as [Record<string, string>, Record<string, string>, string][]) {
      const response = await send(id, files, fields);
      const { error } = (await response.json()) as Json;
      expect([response.status, error.param]).toEqual([400, param]);
    }
    expect(await count("SELECT COUNT(*) AS n FROM uploads")).toBe(0);
  });

  test("are listed page by page, newest first", async () => {
    const id = await newIndex();
    for (const text of ["one", "two", "three"]) await add(id, { text });
    await settled(id);
    const first = await read(`/${id}/documents?limit=2`);
    const second = await read(`/${id}/documents?limit=2&after=${first.next_cursor}`);
    expect([...first.data, ...second.data].map(({ title }: Json) => title)).toEqual(["three", "two", "one"]);
  });
});

test("cancelling stops within a moment, keeps what is searchable, and can be retried", async () => {
  const id = await newIndex();
  const texts = ["Good.", ...Array.from({ length: 70 }, (_, n) => `endless ${n}`)];
  await add(id, ...texts.map((text) => ({ text, title: text })));
  await until("the good one is ready and the worker reads as many others as it can", async () => {
    const states = (await documentsOf(id)).map(({ state }) => state);
    return states.includes("ready") && states.filter((state) => state === "reading").length === 64;
  });
  const [status, ingestion] = await call("POST", `/${id}/ingestion/cancel`);
  expect([status, ingestion.total]).toEqual([200, 71]);
  const index = await settled(id);
  expect(index).toMatchObject({ status: "ready", ingestion: { state: "cancelled", done: 1, failed: 0 } });
  expect((await documentsOf(id, "&state=cancelled")).length).toBe(70);
  expect((await call("POST", `/${id}/ingestion/cancel`))[0]).toBe(409);
  expect(await count("SELECT COUNT(*) AS n FROM document_builds WHERE state = 'staging'")).toBe(0);
});

describe("a new version", () => {
  test("is built beside the active one, gets new documents, and is switched to and back in one step", async () => {
    const id = await newIndex();
    const [one] = (await add(id, { text: "One." })).documents;
    await settled(id);
    const request = { chunking: { chunk_tokens: 64, overlap_tokens: 0 } };
    const [status, version] = await call("POST", `/${id}/versions`, request);
    expect([status, version.version, version.state]).toEqual([202, 2, "building"]);
    const stateOf = async () => (await read(`/${id}/versions`)).data.map(({ state }: Json) => state);
    await until("version 2 is ready", async () => (await stateOf())[0] === "ready");
    const [two] = (await add(id, { text: "Two." })).documents;
    await settled(id);
    const { revision } = await read(`/${id}`);
    const [switched, index] = await call("POST", `/${id}/versions/2/activate`);
    expect([switched, index.active.version, index.chunks, index.revision]).toEqual([200, 2, 2, revision + 1]);
    expect(await stateOf()).toEqual(["active", "ready"]);
    for (const { id: document } of [one, two]) expect(await textsOf(id, document)).toHaveLength(1);
    const [, back] = await call("POST", `/${id}/versions/1/activate`);
    expect([back.active.version, back.chunks]).toEqual([1, 2]);
    expect((await call("POST", `/${id}/versions/9/activate`))[0]).toBe(404);
  });

  test("of an index without documents is ready, and the oldest inactive one is retired", async () => {
    const id = await newIndex();
    for (const chunk_tokens of [64, 65, 66]) {
      await call("POST", `/${id}/versions`, { chunking: { chunk_tokens, overlap_tokens: 0 } });
      await until("it is ready", async () => (await read(`/${id}/versions`)).data[0].state === "ready");
    }
    const { data } = await read(`/${id}/versions`);
    expect(data.map(({ state }: Json) => state)).toEqual(["ready", "ready", "retired", "active"]);
    expect((await call("POST", `/${id}/versions/2/activate`))[0]).toBe(409);
  });
});

test("deleting an index during ingestion stops the work and leaves no rows behind", async () => {
  const id = await newIndex();
  await add(id, { text: "Good.\n\nBetter." }, { text: "endless" });
  await until("one is searchable", async () => (await read(`/${id}`)).chunks === 2);
  expect((await call("DELETE", `/${id}`))[0]).toBe(204);
  const tables = ["indexes", "documents", "document_builds"].map(
    (table) => `SELECT COUNT(*) FROM ${table} WHERE ${table === "indexes" ? "id" : "index_id"} = '${id}'`,
  );
  await until("everything is deleted", async () => (await count(`SELECT (${tables.join(") + (")}) AS n`)) === 0);
  expect(await count("SELECT COUNT(*) AS n FROM chunk_vectors WHERE chunk_id NOT IN (SELECT id FROM chunks)")).toBe(0);
});
