import { afterEach, beforeEach, expect, test } from "bun:test";
import { insertBuild, listDoomedBuilds } from "../../../db/builds";
import type { Db } from "../../../db/client";
import { isMissingVectors } from "../../../db/vectors";
import { deleteBuild } from "../../../jobs/rag-leftovers";
import { AppError } from "../../../lib/errors";
import { addDocuments, addIndex, addVersion, contentOf, documentOf, stage } from "../../../tests/db/rag";
import { AT } from "../../../tests/db/steps/step";
import { problemOf, temporaryDb } from "../../../tests/db/temporary";
import { memoryVectors } from "../../adapters/vectors-memory";
import type { VectorStore } from "../../ports/vectors";
import { publishDocument, unpublishDocument } from "./publish";
import { chunkOf, uploadMissing } from "./uploaded-vectors";

let db: Db;
let vectors: VectorStore;
const version = (number = 1) => ({ indexId: "idx_a", version: number });
beforeEach(async () => {
  db = await temporaryDb();
  vectors = memoryVectors();
  await db.write((tx) => addIndex(tx, "a"));
});
afterEach(() => db.close());

/** Makes a document with these words searchable, in all versions, without a vector store. */
const publish = async (name: string, words: string[], versions = [1]): Promise<void> => {
  const { indexId, id: documentId, jobId } = documentOf("a", name);
  const builds = await Promise.all(
    versions.map((each) => stage(db, "a", { name, id: `build_${name}_${each}`, version: each, words })),
  );
  await db.write((tx) => publishDocument(tx, { indexId, documentId, jobId }, contentOf("a", name, words), builds, AT));
};
const unpublish = (name: string) =>
  db.write((tx) => unpublishDocument(tx, { indexId: "idx_a", documentId: `doc_${name}` }, AT));
const sweep = async (store?: VectorStore): Promise<void> => {
  for (const id of await listDoomedBuilds(db, 10)) await deleteBuild({ db, vectors: store }, id);
};
const stored = async (number = 1): Promise<string[]> => {
  const { vectors: found } = await vectors.range(`idx_a-${number}`, { cursor: null, limit: 1000 });
  return found.map(({ id }) => id).sort();
};

test("the id of a vector names its document, which may contain slashes, and its chunk", () => {
  expect(chunkOf("doc/1/chunk_2")).toEqual({ document: "doc/1", chunk: "chunk_2" });
});

test("an upload adds the missing vectors of every version with their metadata, once", async () => {
  await db.write((tx) => addVersion(tx, "idx_a", 2));
  await addDocuments(db, "a", "one", "two");
  await publish("one", ["a", "b"], [1, 2]);
  await publish("two", ["c"], [1, 2]);
  expect(await isMissingVectors(db, version(), "memory")).toBe(true);
  expect(await uploadMissing({ db, vectors })).toBe(4);
  expect(await stored(2)).toEqual([
    "doc_one/chunk_build_one_2_0",
    "doc_one/chunk_build_one_2_1",
    "doc_two/chunk_build_two_2_0",
  ]);
  const { vectors: found } = await vectors.range("idx_a-1", { cursor: null, limit: 10 });
  expect(found.map(({ metadata }) => metadata)).toContainEqual({ name: "two" });
  expect(await isMissingVectors(db, version(), "memory")).toBe(false);
  expect(await uploadMissing({ db, vectors })).toBe(0);
  expect(await isMissingVectors(db, version(), "another store")).toBe(true);
});

test("a version that the store rejects doesn't stop the upload of others", async () => {
  await db.write((tx) => addVersion(tx, "idx_a", 2));
  await addDocuments(db, "a", "one", "two");
  await publish("one", ["a"], [1, 2]);
  await publish("two", ["b"], [1, 2]);
  const picky: VectorStore = {
    ...vectors,
    upsert: async (namespace, some) => {
      if (namespace === "idx_a-1") throw new AppError("conflict", "The Upstash index has a different dimension.");
      await vectors.upsert(namespace, some);
    },
  };
  expect((await problemOf(uploadMissing({ db, vectors: picky }))).kind).toBe("conflict");
  expect([(await stored(1)).length, (await stored(2)).length]).toEqual([0, 2]);
});

test("documents deleted while the store was switched off are not found after it is switched on again", async () => {
  await addDocuments(db, "a", "kept", "deleted");
  await publish("kept", ["a"]);
  await publish("deleted", ["b"]);
  await uploadMissing({ db, vectors });
  await unpublish("deleted");
  await sweep(undefined);
  expect((await stored()).length).toBe(2);
  expect(await isMissingVectors(db, version(), "memory")).toBe(true);
  await uploadMissing({ db, vectors });
  expect(await stored()).toEqual(["doc_kept/chunk_build_kept_1_0"]);
});

test("the vectors of a document that is being added are not deleted as leftovers", async () => {
  await addDocuments(db, "a", "visible", "staged");
  await publish("visible", ["a"]);
  const { jobId } = documentOf("a", "staged");
  const build = { id: "build_staged", ...version(), documentId: "doc_staged", jobId, contentHash: "x" };
  await db.write((tx) => insertBuild(tx, { ...build, vectorStore: "memory" }));
  await vectors.upsert("idx_a-1", [{ id: "doc_staged/chunk_1", vector: Float32Array.of(1, 0), metadata: {} }]);
  await uploadMissing({ db, vectors });
  expect(await stored()).toEqual(["doc_staged/chunk_1", "doc_visible/chunk_build_visible_1_0"]);
});

test("while the store is unreachable, the rows of deleted chunks stay, so that their vectors can be deleted", async () => {
  await addDocuments(db, "a", "one");
  await publish("one", ["a", "b"]);
  await uploadMissing({ db, vectors });
  await unpublish("one");
  const lost = async () => Promise.reject(new AppError("unavailable", "The vector store can't be reached."));
  expect((await problemOf(sweep({ ...vectors, delete: lost }))).kind).toBe("unavailable");
  expect((await stored()).length).toBe(2);
  await sweep(vectors);
  expect([await stored(), await listDoomedBuilds(db, 10)]).toEqual([[], []]);
});
