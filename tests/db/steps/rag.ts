import * as builds from "../../../db/builds";
import * as chunks from "../../../db/chunks";
import type { Db } from "../../../db/client";
import * as documents from "../../../db/documents";
import * as indexes from "../../../db/indexes";
import { findUpload, insertUploads } from "../../../db/uploads";
import * as vectors from "../../../db/vectors";
import { addDocuments, addIndex, addVersion, chunksOf, documentOf } from "../rag";
import { AT, LATER, type Step, type StepGroup } from "./step";

const idx = (tag: string): string => `idx_${tag}`;
const build = (tag: string, name: string): string => `build_${tag}_${name}`;
const text = (tag: string, name: string) => ({
  indexId: idx(tag),
  documentId: `doc_${name}`,
  hash: "hash",
  text: "a b",
  pages: [0],
});

const steps: readonly Step[] = [
  {
    name: "insertIndex",
    write: (db, tag) =>
      db.write(async (tx) => {
        await addIndex(tx, tag);
        await addIndex(tx, `${tag}-doomed`);
      }),
  },
  { name: "insertVersion", write: (db, tag) => db.write((tx) => addVersion(tx, idx(tag), 2)) },
  {
    name: "updateVersion",
    write: (db, tag) =>
      db.write((tx) => indexes.updateVersion(tx, { indexId: idx(tag), version: 2 }, { state: "failed" })),
  },
  {
    name: "updateIndex",
    write: (db, tag) =>
      db.write(async (tx) => {
        await indexes.updateIndex(tx, idx(tag), { description: "described" });
        await indexes.updateIndex(tx, idx(`${tag}-doomed`), { deletedAt: LATER });
      }),
  },
  {
    name: "insertDocuments",
    write: (db, tag) => addDocuments(db, tag, "kept", "queued", "stuck", "deleted", "hidden"),
  },
  {
    name: "updateDocument",
    write: (db, tag) => db.write((tx) => documents.updateDocument(tx, documentOf(tag, "kept"), { state: "reading" })),
  },
  {
    name: "updateDocuments",
    write: (db, tag) =>
      db.write((tx) => documents.updateDocuments(tx, idx(tag), ["doc_queued"], { title: "retitled" })),
  },
  { name: "insertText", write: (db, tag) => db.write((tx) => documents.insertText(tx, text(tag, "kept"))) },
  {
    name: "insertBuild",
    write: (db, tag) =>
      db.write(async (tx) => {
        for (const name of ["kept", "hidden", "abandoned", "dropped"]) {
          const { indexId, id: documentId, jobId } = documentOf(tag, name);
          const version = name === "dropped" ? 2 : 1;
          const row = { id: build(tag, name), indexId, version, documentId, jobId, contentHash: "hash" };
          await builds.insertBuild(tx, row);
        }
      }),
  },
  {
    name: "insertChunks",
    write: (db, tag) =>
      db.write(async (tx) => {
        for (const name of ["kept", "hidden", "abandoned"]) {
          await chunks.insertChunks(tx, build(tag, name), chunksOf(build(tag, name), ["a", "b"]));
        }
      }),
  },
  { name: "raiseRevision", write: (db, tag) => db.write((tx) => indexes.raiseRevision(tx, idx(tag), LATER)) },
  {
    name: "showBuilds",
    write: (db, tag) =>
      db.write(async (tx) => {
        for (const name of ["kept", "hidden"]) {
          const place = { indexId: idx(tag), documentId: `doc_${name}`, revision: 2 };
          await builds.showBuilds(tx, place, [{ id: build(tag, name), version: 1 }]);
        }
      }),
  },
  {
    name: "markUploaded",
    write: (db, tag) =>
      db.write(async (tx) => {
        await vectors.markUploaded(tx, build(tag, "kept"), "store");
        await vectors.markUploaded(tx, build(tag, "dropped"), "other");
      }),
  },
  {
    name: "forgetUploads",
    write: (db, tag) => db.write((tx) => vectors.forgetUploads(tx, { indexId: idx(tag), version: 2 }, "other")),
  },
  {
    name: "hideBuilds",
    write: (db, tag) =>
      db.write((tx) => builds.hideBuilds(tx, { indexId: idx(tag), documentId: "doc_hidden", revision: 3 })),
  },
  {
    name: "dropBuilds",
    write: (db, tag) =>
      db.write(async (tx) => {
        const place = { indexId: idx(tag), documentId: "doc_dropped", revision: 2 };
        await builds.showBuilds(tx, place, [{ id: build(tag, "dropped"), version: 2 }]);
        await builds.dropBuilds(tx, { indexId: idx(tag), version: 2 });
      }),
  },
  { name: "deleteBuildPart", write: (db, tag) => builds.deleteBuildPart(db, build(tag, "abandoned"), 10) },
  {
    name: "deleteDocument",
    write: (db, tag) => db.write((tx) => documents.deleteDocument(tx, idx(tag), "doc_deleted")),
  },
  {
    name: "cancelQueuedDocuments",
    write: (db, tag) =>
      db.write(async (tx) => {
        await documents.updateDocument(
          tx,
          { indexId: idx(tag), id: "doc_stuck" },
          { state: "embedding", jobId: "job_none" },
        );
        await documents.cancelQueuedDocuments(tx, `job_${tag}_rag`, LATER);
      }),
  },
  { name: "settleDocuments", write: (db) => documents.settleDocuments(db, LATER, 100) },
  { name: "deleteIndexPart", write: (db) => indexes.deleteIndexPart(db, 10) },
  {
    name: "insertUploads",
    write: (db, tag) =>
      db.write((tx) => {
        const file = { id: `upload_${tag}_small`, fileName: "a.md", createdBy: "test", sha256: "hash" };
        return insertUploads(tx, [{ ...file, bytes: Buffer.from("bytes") }], AT);
      }),
  },
];

const stateOf = async (db: Db, tag: string) => {
  const index = await indexes.findIndex(db, `index ${tag}`);
  const rows = await documents.listDocuments(db, idx(tag), { limit: 10 });
  const changes = await builds.listChanges(db, { indexId: idx(tag), version: 1 }, 1, 10);
  const stores = ["kept", "dropped"].map(async (name) => (await vectors.findBuild(db, build(tag, name)))?.build);
  const upload = await findUpload(db, `upload_${tag}_small`);
  return {
    index: index && { description: index.description, revision: index.revision },
    versions: (await indexes.listVersions(db, idx(tag), { limit: 10 })).map(({ state }) => state),
    documents: rows.map(({ id, state }) => `${id} ${state}`),
    retitled: rows.filter(({ title }) => title === "retitled").length,
    dropped: await builds.findVisibleBuild(db, { indexId: idx(tag), version: 2, documentId: "doc_dropped" }),
    text: (await documents.findText(db, idx(tag), "doc_kept", "hash"))?.pages,
    changes: changes.map(({ revision, documentId, buildId }) => ({ revision, documentId, buildId })),
    chunks: (await chunks.listSearchChunks(db, build(tag, "kept"), { position: 0, limit: 10 })).map(
      ({ searchText }) => searchText,
    ),
    stores: (await Promise.all(stores)).map((found) => found?.vectorStore),
    upload: upload && { state: upload.state, sizeBytes: upload.sizeBytes },
  };
};

const finalState = (tag: string) => ({
  index: { description: "described", revision: 2 },
  versions: ["failed", "ready"],
  documents: ["doc_stuck cancelled", "doc_queued cancelled", "doc_kept reading", "doc_hidden cancelled"],
  retitled: 1,
  dropped: undefined,
  text: [0],
  changes: [
    { revision: 2, documentId: "doc_kept", buildId: build(tag, "kept") },
    { revision: 3, documentId: "doc_hidden", buildId: null },
  ],
  chunks: ["a", "b"],
  stores: ["store", null],
  upload: { state: "complete", sizeBytes: 5 },
});

/** Indexes, documents, builds and chunks. */
export const ragSteps: StepGroup = { steps, stateOf, finalState };
