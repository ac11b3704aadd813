import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { publishBuild, publishDocument, unpublishDocument } from "../gateway/rag/indexes/publish";
import { silentLog } from "../lib/log";
import { startChild } from "../tests/db/process";
import { addDocuments, addIndex, addVersion, contentOf, documentOf, replace, stage, wordsOf } from "../tests/db/rag";
import { AT } from "../tests/db/steps/step";
import { temporaryDb, withDatabaseFile } from "../tests/db/temporary";
import * as builds from "./builds";
import * as chunks from "./chunks";
import { type Db, openDb } from "./client";
import { findDocument, findText } from "./documents";
import * as indexes from "./indexes";
import { requestCancel } from "./jobs";
import { migrate } from "./migrate";
import { chunks as chunkTable, chunkVectors, documentBuilds } from "./schema";

let db: Db;
beforeEach(async () => {
  db = await temporaryDb();
  await db.write((tx) => addIndex(tx, "a"));
});
afterEach(() => db.close());

const index = { indexId: "idx_a", version: 1 };
const keyOf = (name: string) => {
  const { indexId, id: documentId, jobId } = documentOf("a", name);
  return { indexId, documentId, jobId };
};
const publish = async (name: string, words: readonly string[], builds: { id: string; version: number }[]) =>
  db.write((tx) => publishDocument(tx, keyOf(name), contentOf("a", name, words), builds, AT));
const add = async (name: string, words: readonly string[], id = `build_${name}`): Promise<void> => {
  expect(await publish(name, words, [await stage(db, "a", { name, id, words })])).toBe("published");
};
const textsOf = async (name: string, version = 1): Promise<string[]> =>
  (await chunks.listChunks(db, { ...keyOf(name), version }, { limit: 100 })).map(({ text }) => text);
const sweep = async (): Promise<void> => {
  for (const id of await builds.listDoomedBuilds(db, 100)) while (!(await builds.deleteBuildPart(db, id, 2)));
};
const changes = async (after: number) =>
  (await builds.listChanges(db, index, after, 100)).map(({ revision, documentId, buildId }) => [
    revision,
    documentId,
    buildId,
  ]);

describe("a document", () => {
  test("is invisible until it is published, then it raises the revision and is one entry of the change log", async () => {
    await addDocuments(db, "a", "one");
    const build = await stage(db, "a", { name: "one", id: "build_1", words: ["x", "y"] });
    expect([await textsOf("one"), await changes(0), await indexes.findIndexRevision(db, "idx_a")]).toEqual([
      [],
      [],
      { revision: 1, activeVersion: 1 },
    ]);
    expect(await chunks.listPassages(db, index, ["chunk_build_1_0"])).toEqual([]);
    expect(await publish("one", ["x", "y"], [build])).toBe("published");
    expect(await changes(0)).toEqual([[2, "doc_one", "build_1"]]);
    expect(await changes(2)).toEqual([]);
    const [passage] = await chunks.listPassages(db, index, ["chunk_build_1_1", "chunk_none"]);
    expect(passage).toMatchObject({ text: "y", documentId: "doc_one", title: "one", source: "one.md", pages: [] });
    const [first] = await chunks.listSearchChunks(db, "build_1", { position: 1, limit: 1 });
    expect([first?.searchText, first?.vector.length]).toEqual(["y", 2]);
  });

  test("is replaced in one step, and its earlier text can still be read", async () => {
    await addDocuments(db, "a", "one");
    await add("one", ["x", "y", "z"]);
    await add("one", ["x"], "build_2");
    expect([await textsOf("one"), await changes(2)]).toEqual([["x"], [[3, "doc_one", "build_2"]]]);
    expect((await findText(db, "idx_a", "doc_one", "x y z"))?.text).toBe("x y z");
    await sweep();
    expect([await db.$count(chunkTable), await db.$count(chunkVectors), await db.$count(documentBuilds)]).toEqual([
      1, 1, 1,
    ]);
  });

  test("that is deleted is gone immediately and stays in the change log; its id can be used again", async () => {
    await addDocuments(db, "a", "one");
    await add("one", ["x"]);
    expect(await db.write((tx) => unpublishDocument(tx, keyOf("one"), AT))).toBe(true);
    expect([await textsOf("one"), await changes(2), await changes(0)]).toEqual([[], [[3, "doc_one", null]], []]);
    expect(await findText(db, "idx_a", "doc_one", "x")).toBeUndefined();
    await sweep();
    expect([await db.$count(chunkTable), await changes(2)]).toEqual([0, [[3, "doc_one", null]]]);
    await addDocuments(db, "a", "one");
    await add("one", ["y"], "build_2");
    expect(await changes(2)).toEqual([
      [3, "doc_one", null],
      [4, "doc_one", "build_2"],
    ]);
  });

  test("that a newer job has taken over is not published by the older one", async () => {
    await addDocuments(db, "a", "one");
    const build = await stage(db, "a", { name: "one", id: "build_1", words: ["x"] });
    const key = { ...keyOf("one"), jobId: "job_other" };
    expect(await db.write((tx) => publishDocument(tx, key, contentOf("a", "one", ["x"]), [build], AT))).toBe("gone");
    expect([await textsOf("one"), (await findDocument(db, "idx_a", "doc_one"))?.state]).toEqual([[], "queued"]);
  });

  test("is published only with a build for every version that gets new documents", async () => {
    await addDocuments(db, "a", "one");
    const first = await stage(db, "a", { name: "one", id: "build_1", words: ["x"] });
    await db.write((tx) => addVersion(tx, "idx_a", 2));
    expect(await publish("one", ["x"], [first])).toBe("incomplete");
    const second = await stage(db, "a", { name: "one", id: "build_2", version: 2, words: ["x"] });
    expect(await publish("one", ["x"], [first, second])).toBe("published");
    expect([await textsOf("one", 1), await textsOf("one", 2)]).toEqual([["x"], ["x"]]);
  });
});

test("a new version lacks the documents for which it has no build, and accepts no build of an outdated text", async () => {
  await addDocuments(db, "a", "one", "two", "queued");
  await add("one", ["x"]);
  await add("two", ["y"]);
  await db.write((tx) => addVersion(tx, "idx_a", 2));
  const version = { indexId: "idx_a", version: 2 };
  expect(await indexes.listMissingDocuments(db, version, 10)).toEqual(["doc_one", "doc_two"]);
  const build = await stage(db, "a", { name: "one", id: "build_v2", version: 2, words: ["x"] });
  expect(await db.write((tx) => publishBuild(tx, keyOf("one"), "older", build, AT))).toBe(false);
  expect(await db.write((tx) => publishBuild(tx, keyOf("one"), "x", build, AT))).toBe(true);
  expect(await indexes.listMissingDocuments(db, version, 10)).toEqual(["doc_two"]);
  const totals = await indexes.findVersionTotals(db, "idx_a", [1, 2]);
  expect([totals.get(1)?.documents, totals.get(2)?.documents]).toEqual([2, 1]);
});

test("a deleted index is gone immediately, and the sweep deletes all of its data", async () => {
  await addDocuments(db, "a", "one", "two");
  await add("one", ["x", "y", "z"]);
  await stage(db, "a", { name: "two", id: "build_two", words: ["x"] });
  await db.write((tx) => indexes.updateIndex(tx, "idx_a", { deletedAt: AT }));
  expect(await indexes.findIndex(db, "idx_a")).toBeUndefined();
  expect(await db.write((tx) => unpublishDocument(tx, keyOf("one"), AT))).toBe(false);
  await sweep();
  while (await indexes.deleteIndexPart(db, 1));
  expect(await indexes.hasDeletedIndex(db)).toBe(false);
  for (const table of [chunkTable, chunkVectors, documentBuilds]) expect(await db.$count(table)).toBe(0);
});

test("what an ended job has staged is deleted; what a running job stages is kept", async () => {
  await addDocuments(db, "a", "one");
  await stage(db, "a", { name: "one", id: "build_1", words: ["x"] });
  expect(await builds.listDoomedBuilds(db, 10)).toEqual([]);
  await db.write((tx) => requestCancel(tx, "job_a_rag", AT));
  expect(await builds.listDoomedBuilds(db, 10)).toEqual(["build_1"]);
});

test("kill -9 during replacements leaves one complete version of the document, and a reader never sees half of one", async () => {
  await withDatabaseFile(async (file) => {
    const open = async () => openDb({ url: `file:${file}` }, silentLog());
    const reader = await open();
    await migrate(reader);
    await reader.write((tx) => addIndex(tx, "a"));
    await addDocuments(reader, "a", "replaced");
    await replace(reader, "a", 0);
    const read = async () => {
      const rows = await chunks.listChunks(reader, { ...index, documentId: "doc_replaced" }, { limit: 100 });
      const texts = rows.map(({ text }) => text);
      const n = Number(texts[0]?.split("-")[1]);
      expect(texts).toEqual(wordsOf(n));
    };
    for (let round = 0; round < 10; round++) {
      await using child = await startChild(file, 1000);
      child.send({ do: "replace", tag: "a" });
      for (let n = 0; n <= round % 3; n++) await Promise.all([child.expect("replace"), read()]);
      await read();
      await child.kill();
      await read();
    }
    await reader.write((tx) => requestCancel(tx, "job_a_rag", AT));
    for (const id of await builds.listDoomedBuilds(reader, 100)) while (!(await builds.deleteBuildPart(reader, id, 7)));
    await read();
    expect([await reader.$count(documentBuilds), await reader.$count(chunkTable)]).toEqual([1, wordsOf(0).length]);
    expect(await reader.$count(chunkVectors)).toBe(wordsOf(0).length);
    await reader.close();
  });
}, 60_000);
