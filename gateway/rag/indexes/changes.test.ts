import { afterEach, beforeEach, expect, test } from "bun:test";
import { deleteBuildPart, listDoomedBuilds } from "../../../db/builds";
import { listSearchChunks } from "../../../db/chunks";
import type { Db } from "../../../db/client";
import { raiseRevision, updateIndex } from "../../../db/indexes";
import { addDocuments, addIndex, contentOf, documentOf, stage } from "../../../tests/db/rag";
import { AT } from "../../../tests/db/steps/step";
import { temporaryDb } from "../../../tests/db/temporary";
import { loadChanges } from "./changes";
import { publishDocument, unpublishDocument } from "./publish";

let db: Db;
beforeEach(async () => {
  db = await temporaryDb();
  await db.write((tx) => addIndex(tx, "a"));
});
afterEach(() => db.close());

const place = { indexId: "idx_a", version: 1 };
const keyOf = (name: string) => {
  const { indexId, id: documentId, jobId } = documentOf("a", name);
  return { indexId, documentId, jobId };
};
const publish = async (name: string, words: readonly string[]): Promise<void> => {
  const build = await stage(db, "a", { name, id: `build_${crypto.randomUUID()}`, words });
  await db.write((tx) => publishDocument(tx, keyOf(name), contentOf("a", name, words), [build], AT));
};
const load = async (after: number) => {
  const page = await loadChanges(db, place, after);
  return page && { ...page, documents: page.documents.map(({ id, chunks }) => [id, chunks.length]) };
};

test("a page contains complete documents and the revision that it covers", async () => {
  expect(await load(0)).toEqual({ revision: 1, isLast: true, documents: [] });
  await addDocuments(db, "a", "one", "two");
  await publish("one", ["x", "y"]);
  await publish("two", ["z"]);
  expect(await load(0)).toEqual({
    revision: 3,
    isLast: true,
    documents: [
      ["doc_one", 2],
      ["doc_two", 1],
    ],
  });
  await db.write((tx) => unpublishDocument(tx, keyOf("one"), AT));
  await db.write((tx) => raiseRevision(tx, "idx_a", AT));
  expect(await load(3)).toEqual({ revision: 5, isLast: true, documents: [["doc_one", 0]] });
  expect(await load(5)).toEqual({ revision: 5, isLast: true, documents: [] });
  await db.write((tx) => updateIndex(tx, "idx_a", { deletedAt: AT }));
  expect(await load(5)).toBeUndefined();
});

test("a page has a few hundred chunks, and a longer document gets its own page", async () => {
  const words = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`);
  await addDocuments(db, "a", "one", "two", "three", "four");
  await publish("one", words(200));
  await publish("two", words(50));
  await publish("three", words(400));
  await publish("four", words(1));
  expect(await load(0)).toEqual({
    revision: 3,
    isLast: false,
    documents: [
      ["doc_one", 200],
      ["doc_two", 50],
    ],
  });
  expect(await load(3)).toEqual({ revision: 4, isLast: false, documents: [["doc_three", 400]] });
  expect(await load(4)).toEqual({ revision: 5, isLast: true, documents: [["doc_four", 1]] });
});

test("a document whose chunks are replaced and deleted during the read is read again", async () => {
  await addDocuments(db, "a", "one");
  await publish("one", ["old", "older"]);
  let isReplaced = false;
  const readAfterReplacement: typeof listSearchChunks = async (...read) => {
    if (!isReplaced) {
      isReplaced = true;
      await publish("one", ["new"]);
      for (const id of await listDoomedBuilds(db, 10)) while (!(await deleteBuildPart(db, id, 10)));
    }
    return listSearchChunks(...read);
  };
  const page = await loadChanges(db, place, 0, readAfterReplacement);
  expect(page?.documents.map(({ id, chunks }) => [id, chunks.map(({ searchText }) => searchText)])).toEqual([
    ["doc_one", ["new"]],
  ]);
  expect(page?.revision).toBe(3);
});
