import { deleteBuildPart, insertBuild, listDoomedBuilds } from "../../db/builds";
import { insertChunks, type NewChunk } from "../../db/chunks";
import type { Db, Tx } from "../../db/client";
import { insertDocuments } from "../../db/documents";
import { insertIndex, insertVersion } from "../../db/indexes";
import { insertJob } from "../../db/jobs";
import { publishDocument } from "../../gateway/rag/indexes/publish";
import { normalise } from "../../lib/vectors";
import { AT } from "./steps/step";

/** An index with one version and a running job. Returns its id. */
export const addIndex = async (tx: Tx, tag: string, version = 1): Promise<string> => {
  const id = `idx_${tag}`;
  await insertIndex(tx, { id, name: `index ${tag}`, retrieval: {}, createdBy: "test", createdAt: AT, updatedAt: AT });
  await addVersion(tx, id, version);
  await insertJob(tx, { id: `job_${tag}_rag`, kind: `rag ${tag}`, payload: {}, createdBy: "test" }, [null], AT);
  return id;
};

export const addVersion = (tx: Tx, indexId: string, version: number): Promise<void> =>
  insertVersion(tx, {
    indexId,
    version,
    state: "ready",
    embeddingModel: "small",
    embeddingModelRevision: "1",
    dimension: 2,
    chunker: "test@1",
    chunkTokens: 16,
    overlapTokens: 0,
    createdAt: AT,
  });

export const documentOf = (tag: string, name: string) => ({
  indexId: `idx_${tag}`,
  id: `doc_${name}`,
  title: name,
  source: `${name}.md`,
  mediaType: "text/markdown",
  metadata: { name },
  state: "queued" as const,
  jobId: `job_${tag}_rag`,
  createdBy: "test",
  createdAt: AT,
  updatedAt: AT,
});

export const addDocuments = (db: Pick<Db, "write">, tag: string, ...names: string[]): Promise<void> =>
  db.write((tx) =>
    insertDocuments(
      tx,
      names.map((name) => documentOf(tag, name)),
    ),
  );

/** A chunk for each word, in order. */
export const chunksOf = (buildId: string, words: readonly string[]): NewChunk[] =>
  words.map((word, position) => ({
    id: `chunk_${buildId}_${position}`,
    position,
    start: position,
    end: position + word.length,
    page: null,
    heading: null,
    tokens: 1,
    text: word,
    searchText: word,
    sha256: `hash of ${word}`,
    vector: normalise([1, position]),
  }));

/** Stages a build of a document with these words. */
export const stage = async (
  db: Pick<Db, "write">,
  tag: string,
  { name, id, version = 1, words }: { name: string; id: string; version?: number; words: readonly string[] },
): Promise<{ id: string; version: number }> => {
  const { indexId, id: documentId, jobId } = documentOf(tag, name);
  await db.write((tx) => insertBuild(tx, { id, indexId, version, documentId, jobId, contentHash: words.join(" ") }));
  await db.write((tx) => insertChunks(tx, id, chunksOf(id, words)));
  return { id, version };
};

/** The content that belongs to these words. */
export const contentOf = (tag: string, name: string, words: readonly string[]) => {
  const { title, source, mediaType, metadata } = documentOf(tag, name);
  const text = words.join(" ");
  return { title, source, mediaType, metadata, fileHash: `file of ${text}`, text, pages: [], hash: text };
};

const WORDS_PER_CONTENT = 20;
const REPLACED = "replaced";

/** The words of content `n`; all of them end in `-n`. */
export const wordsOf = (n: number): string[] => Array.from({ length: WORDS_PER_CONTENT }, (_, word) => `w${word}-${n}`);

/** Replaces the document `doc_replaced` by content `n`, and deletes what the previous content left. */
export const replace = async (db: Db, tag: string, n: number): Promise<void> => {
  const words = wordsOf(n);
  const { indexId, id: documentId, jobId } = documentOf(tag, REPLACED);
  const build = await stage(db, tag, { name: REPLACED, id: `build_${crypto.randomUUID()}`, words });
  await db.write((tx) =>
    publishDocument(tx, { indexId, documentId, jobId }, contentOf(tag, REPLACED, words), [build], AT),
  );
  for (const id of await listDoomedBuilds(db, 10)) while (!(await deleteBuildPart(db, id, 7)));
};
