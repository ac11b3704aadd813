import { createHash } from "node:crypto";
import { findVisibleBuild, insertBuild } from "../db/builds";
import { findVectorsByHash, insertChunks, type NewChunk } from "../db/chunks";
import type { Reads, Tx } from "../db/client";
import type { VersionRow } from "../db/indexes";
import type { VectorStore } from "../gateway/ports/vectors";
import type { StagedBuild } from "../gateway/rag/indexes/publish";
import { namespaceOf, toStoredVector } from "../gateway/rag/indexes/uploaded-vectors";
import type { ChunkPiece } from "../gateway/rag/ingest/chunk/chunk";
import type { ExtractedDocument } from "../gateway/rag/ingest/extract/document";
import { AppError } from "../lib/errors";
import { newId } from "../lib/ids";
import type { EmbeddingClient } from "./gateway-client";
import type { TaskContext } from "./handler";
import type { Pipeline } from "./rag-pipeline";
import { retry } from "./retry";

/** Number of chunks that are embedded and stored together. */
const BATCH = 64;

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export interface StageDeps extends Pick<Pipeline, "chunk"> {
  db: Reads;
  gateway: EmbeddingClient;
  /** Also receives the vectors; undefined: vectors are only in the database. */
  vectors?: VectorStore;
}

/** A staged build whose last chunks are not written yet. */
export interface NearlyStaged extends StagedBuild {
  /** Writes what is missing, in the transaction that publishes the build. */
  complete(tx: Tx): Promise<void>;
}

export interface StageRequest {
  documentId: string;
  jobId: string;
  /** The key whose limits and usage embedding counts towards. */
  keyId: string;
  title: string;
  metadata: Record<string, unknown>;
  document: ExtractedDocument;
  /** sha256 of the document's text. */
  hash: string;
  /** Called before each stage. Throws to stop. */
  onStage?(state: "chunking" | "embedding"): Promise<void>;
}

/**
 * Writes the chunks and vectors of a document for one version, as a staged build. The last batch, often the only one,
 * is left to `complete`, unless a vector store needs the rows first. Chunks whose text is unchanged keep their vectors.
 * Throws conflict if the nodes have a different revision of the model.
 */
export const stageBuild = async (
  { db, gateway, chunk, vectors }: StageDeps,
  context: TaskContext,
  version: VersionRow,
  { documentId, jobId, keyId, title, metadata, document, hash, onStage }: StageRequest,
): Promise<NearlyStaged> => {
  const { indexId, version: number, embeddingModel: model } = version;
  const caller = { keyId, signal: context.signal, traceparent: context.traceparent };
  await onStage?.("chunking");
  const pieces = await chunk(document, {
    chunkTokens: version.chunkTokens,
    overlapTokens: version.overlapTokens,
    title,
    countTokens: (texts) => gateway.countTokens(caller, model, texts),
  });
  context.signal.throwIfAborted();

  await onStage?.("embedding");
  const before = await findVisibleBuild(db, { indexId, version: number, documentId });
  const id = newId("build");
  const build = { id, indexId, version: number, documentId, jobId, contentHash: hash, vectorStore: vectors?.id };
  for (let from = 0; ; from += BATCH) {
    const hashed = pieces.slice(from, from + BATCH).map((piece) => ({ piece, sha256: sha256(piece.searchText) }));
    const hashes = hashed.map((each) => each.sha256);
    const known = before ? await findVectorsByHash(db, before.id, hashes) : new Map<string, Float32Array>();
    const missing = new Map(
      hashed.flatMap((each) => (known.has(each.sha256) ? [] : [[each.sha256, each.piece.searchText] as const])),
    );
    if (missing.size > 0) {
      const { vectors, revision } = await gateway.embed(caller, model, [...missing.values()]);
      if (revision !== version.embeddingModelRevision) throw otherRevision(version, revision);
      for (const [place, key] of [...missing.keys()].entries()) known.set(key, checked(vectors[place], version));
    }
    const rows = hashed.map(({ piece, sha256 }, place) => toRow(piece, sha256, from + place, known.get(sha256)));
    const write = async (tx: Tx) => {
      if (from === 0) await insertBuild(tx, build);
      await insertChunks(tx, id, rows);
    };
    const isLast = from + BATCH >= pieces.length;
    if (isLast && !vectors) return { id, version: number, complete: write };
    await context.write(write);
    // After the rows, because the rows are the only list of what to delete from the store.
    if (vectors && rows.length > 0) {
      const stored = rows.map((row) => toStoredVector({ id: documentId, metadata }, row));
      await retry(() => vectors.upsert(namespaceOf(version), stored), context.signal);
    }
    if (isLast) return { id, version: number, complete: async () => {} };
    const done = from + rows.length;
    await context.progress({ document: documentId, chunks: done, of: pieces.length }, Math.ceil(done / BATCH));
  }
};

const toRow = (
  { start, end, page, heading, tokens, text, searchText }: ChunkPiece,
  hash: string,
  position: number,
  vector: Float32Array | undefined,
): NewChunk => {
  if (!vector) throw new Error("A chunk was not embedded.");
  return { id: newId("chunk"), position, start, end, page, heading, tokens, text, searchText, sha256: hash, vector };
};

const checked = (vector: Float32Array | undefined, { dimension, embeddingModel }: VersionRow): Float32Array => {
  if (vector?.length === dimension) return vector;
  throw new AppError(
    "conflict",
    `"${embeddingModel}" now returns vectors of a different length than those in this index (${dimension}). Build a new version of the index.`,
  );
};

const otherRevision = ({ embeddingModel, embeddingModelRevision }: VersionRow, revision: string): AppError =>
  new AppError(
    "conflict",
    `The nodes have revision ${revision} of "${embeddingModel}", but this index was built with revision ${embeddingModelRevision}. Build a new version of the index.`,
  );
