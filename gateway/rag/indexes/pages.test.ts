import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Db } from "../../../db/client";
import { updateDocument } from "../../../db/documents";
import { temporaryDb } from "../../../tests/db/temporary";
import { PRINCIPAL } from "../../../tests/principal";
import { createUploads } from "../../uploads/service";
import { createDocuments, type Documents } from "./documents";
import { storeTexts } from "./read-request";
import { createSampleIndex } from "./sample";
import { createIndexes, type Indexes } from "./service";

/* The service functions that only the pages use, and the memory that a deletion frees. */

const EMBEDDING = { id: "small", kind: "embedding", context_window: 128, default: false };
const models = {
  resolve: () => ({ id: "small", revision: "1", isKnown: true, dimensions: 2 }),
  get: () => EMBEDDING,
  list: () => [EMBEDDING, { ...EMBEDDING, id: "best", default: true }, { ...EMBEDDING, id: "chat", kind: "chat" }],
} as never;

let db: Db;
let indexes: Indexes;
/** Ids of indexes whose memory was freed. */
let forgotten: string[];
let documents: Documents;
let uploads: ReturnType<typeof createUploads>;
let seconds = 0;
const now = () => new Date(Date.UTC(2026, 10, 23, 20, 15, seconds++));
beforeEach(async () => {
  db = await temporaryDb();
  forgotten = [];
  indexes = createIndexes({ db, models, forget: async (id) => void forgotten.push(id), now });
  uploads = createUploads({ db, maxBytes: 1_000_000 });
  documents = createDocuments({ db, indexes, uploads, now });
});
afterEach(() => db.close());

const add = async (index: string, ...sources: string[]) => {
  const texts = sources.map((source) => ({ source, title: source, text: `About ${source}` }));
  const files = await storeTexts(texts, uploads, PRINCIPAL);
  const added = await documents.submit(PRINCIPAL, index, { files }, (make) => make(async () => {}));
  return added.documents.map(({ id }) => id);
};
const firstPage = { page: 1, pageLength: 2 };

test("an index gets the default embedding model, and chunks that this model can read", () => {
  expect(indexes.defaults(PRINCIPAL)).toEqual({
    models: ["best", "small"],
    chunking: { chunk_tokens: 128, overlap_tokens: 16 },
  });
});

test("a deleted index is no longer kept in memory, and an unknown one changes nothing", async () => {
  const { id } = await indexes.create(PRINCIPAL, { name: "deleted" });
  await indexes.create(PRINCIPAL, { name: "kept" });
  await indexes.remove(PRINCIPAL, "deleted");
  await indexes.remove(PRINCIPAL, "deleted").catch(() => undefined);
  expect(forgotten).toEqual([id]);
});

describe("a numbered page of indexes", () => {
  const names = async (by: "name" | "documents" | "updated", isDescending: boolean, page = 1) => {
    const found = await indexes.listNumbered(PRINCIPAL, { ...firstPage, page, sort: { by, isDescending } });
    return { names: found.data.map(({ name }) => name), page: found.page, total: found.total };
  };

  test("is sorted by name without regard to case, number of documents or last change", async () => {
    for (const name of ["beta", "Alpha", "gamma"]) await indexes.create(PRINCIPAL, { name });
    await add("beta", "a.md", "b.md");
    await add("gamma", "a.md");
    expect(await names("name", false)).toEqual({ names: ["Alpha", "beta"], page: 1, total: 3 });
    expect(await names("name", false, 9)).toEqual({ names: ["gamma"], page: 2, total: 3 });
    expect((await names("documents", true)).names).toEqual(["beta", "gamma"]);
    expect((await names("updated", true)).names).toEqual(["gamma", "Alpha"]);
  });

  test("has only the indexes that the key may use", async () => {
    for (const name of ["open", "closed"]) await indexes.create(PRINCIPAL, { name });
    const limited = { ...PRINCIPAL, allowedIndexes: ["open"] };
    const sort = { by: "name", isDescending: false } as const;
    const found = await indexes.listNumbered(limited, { ...firstPage, sort });
    expect([found.total, found.data.map(({ name }) => name)]).toEqual([1, ["open"]]);
  });
});

describe("documents", () => {
  beforeEach(() => indexes.create(PRINCIPAL, { name: "handbook" }));

  test("are on numbered pages, filtered and sorted", async () => {
    await add("handbook", "b.md", "A.md", "c.md");
    const sort = { by: "title", isDescending: false } as const;
    const found = await documents.listNumbered(PRINCIPAL, "handbook", { ...firstPage, sort });
    expect([found.total, found.data.map(({ title }) => title)]).toEqual([3, ["A.md", "b.md"]]);
    const searched = await documents.listNumbered(PRINCIPAL, "handbook", { ...firstPage, sort, search: "C.M" });
    expect(searched.data.map(({ title }) => title)).toEqual(["c.md"]);
    const ready = await documents.listNumbered(PRINCIPAL, "handbook", { ...firstPage, sort, state: "ready" });
    expect(ready.total).toBe(0);
  });

  test("of the last ingestion are listed with those in progress first, then failed and queued ones", async () => {
    const { id: indexId } = await indexes.get(PRINCIPAL, "handbook");
    await add("handbook", "earlier.md");
    const ids = await add("handbook", "ready.md", "queued.md", "failed.md", "reading.md");
    for (const [at, state] of (["ready", "queued", "failed", "reading"] as const).entries()) {
      await db.write((tx) => updateDocument(tx, { indexId, id: ids[at] as string }, { state }));
    }
    const found = await documents.listIngested(PRINCIPAL, "handbook", 3);
    expect(found.map(({ state }) => state)).toEqual(["reading", "failed", "queued"]);
  });

  test("that failed are read again by one job; others are left alone", async () => {
    const { id: indexId } = await indexes.get(PRINCIPAL, "handbook");
    const ids = await add("handbook", "a.md", "b.md", "c.md");
    for (const id of ids.slice(0, 2)) {
      await db.write((tx) => updateDocument(tx, { indexId, id }, { state: "failed" }));
    }
    await documents.retry(PRINCIPAL, "handbook", ids);
    const { ingestion, failed_documents: failed } = await indexes.get(PRINCIPAL, "handbook");
    expect([ingestion?.total, failed]).toEqual([2, 0]);
    expect(documents.retry(PRINCIPAL, "handbook", ids)).rejects.toMatchObject({ kind: "conflict" });
  });
});

test("the sample index has our own docs, and opening it again adds nothing", async () => {
  const sample = createSampleIndex({ indexes, documents, uploads });
  const { id } = await sample.open(PRINCIPAL);
  const first = await indexes.get(PRINCIPAL, id);
  const sources = (await documents.list(PRINCIPAL, id, { limit: 100 })).data.map(({ source }) => source);
  expect(sources).toContain("README.md");
  expect(sources).toContain("docs/rag.md");
  expect((await sample.open(PRINCIPAL)).id).toBe(id);
  expect((await indexes.get(PRINCIPAL, id)).ingestion).toEqual(first.ingestion);
  expect(first.documents).toBe(sources.length);
});
