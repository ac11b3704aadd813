import type { BuildRow } from "../../../db/builds";
import { listSearchChunks } from "../../../db/chunks";
import type { Db } from "../../../db/client";
import * as uploads from "../../../db/vectors";
import { toAppError } from "../../../lib/errors";
import type { Metadata } from "../../ports/metadata-filter";
import type { StoredVector, VectorStore } from "../../ports/vectors";

/* Vectors of indexes in an external vector store. Each version has its own namespace. */

const BUILDS_AT_ONCE = 50;
const CHUNKS_AT_ONCE = 250;

interface Deps {
  db: Db;
  vectors: VectorStore;
  /** Aborting it stops an upload after the current document. */
  signal?: AbortSignal;
}

export const namespaceOf = ({ indexId, version }: Pick<BuildRow, "indexId" | "version">): string =>
  `${indexId}-${version}`;

/** The id of a chunk's vector in its namespace. */
const vectorId = (documentId: string, chunkId: string): string => `${documentId}/${chunkId}`;

/** The document and the chunk of a vector. A document's id may contain slashes. */
export const chunkOf = (id: string): { document: string; chunk: string } => {
  const slash = id.lastIndexOf("/");
  return { document: id.slice(0, slash), chunk: id.slice(slash + 1) };
};

export const toStoredVector = (
  document: { id: string; metadata: Record<string, unknown> },
  { id, vector }: { id: string; vector: Float32Array },
): StoredVector => ({ id: vectorId(document.id, id), vector, metadata: document.metadata as Metadata });

/**
 * Uploads the visible builds that the store lacks because it is new, was unreachable or was switched off. `ids`: only
 * these builds. If the store rejects a version, the others are still uploaded. Returns the number of uploaded builds.
 * Throws what `upsert` throws.
 */
export const uploadMissing = async (deps: Deps, ids?: readonly string[]): Promise<number> => {
  const rejected: uploads.BuildPlace[] = [];
  let rejection: unknown;
  let uploaded = 0;
  for (;;) {
    const options = { ids, except: rejected, limit: BUILDS_AT_ONCE };
    const builds = await uploads.listBuildsToUpload(deps.db, deps.vectors.id, options);
    if (builds.length === 0) break;
    for (const build of builds) {
      if (rejected.some((other) => namespaceOf(other) === namespaceOf(build))) continue;
      deps.signal?.throwIfAborted();
      try {
        await upload(deps, build);
        uploaded++;
      } catch (thrown) {
        if (toAppError(thrown).retryable) throw thrown;
        rejection = thrown;
        rejected.push(build);
      }
    }
  }
  if (rejection !== undefined) throw rejection;
  return uploaded;
};

const upload = async ({ db, vectors }: Deps, build: uploads.BuildToUpload): Promise<void> => {
  const namespace = namespaceOf(build);
  if (!(await uploads.hasVectors(db, build, vectors.id))) await deleteStrays({ db, vectors }, namespace);
  const document = { id: build.documentId, metadata: build.metadata };
  for (let position = 0; ; position += CHUNKS_AT_ONCE) {
    const chunks = await listSearchChunks(db, build.id, { position, limit: CHUNKS_AT_ONCE });
    if (chunks.length > 0) {
      await vectors.upsert(
        namespace,
        chunks.map((chunk) => toStoredVector(document, chunk)),
      );
    }
    if (chunks.length < CHUNKS_AT_ONCE) break;
  }
  await db.write((tx) => uploads.markUploaded(tx, build.id, vectors.id));
};

/** Deletes vectors whose chunk was deleted while the store was not in use. */
const deleteStrays = async ({ db, vectors }: Deps, namespace: string): Promise<void> => {
  const strays: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await vectors.range(namespace, { cursor, limit: CHUNKS_AT_ONCE });
    const ids = page.vectors.map(({ id }) => id);
    const known = await uploads.findChunkIds(
      db,
      ids.map((id) => chunkOf(id).chunk),
    );
    strays.push(...ids.filter((id) => !known.has(chunkOf(id).chunk)));
    cursor = page.cursor;
  } while (cursor !== null);
  if (strays.length > 0) await vectors.delete(namespace, { ids: strays });
};

/** Deletes the vectors of a build before its rows, which are the only list of them. Throws what `delete` throws. */
export const deleteVectors = async (
  { db, vectors, dropped }: { db: Db; vectors: VectorStore | undefined; dropped: Set<string> },
  buildId: string,
): Promise<void> => {
  const found = await uploads.findBuild(db, buildId);
  if (!found) return;
  const { build, isLive } = found;
  const { id, documentId, vectorStore } = build;
  // A store that is not in use keeps these vectors. If it is used again, the version is uploaded again.
  const isElsewhere = vectorStore !== null && vectorStore !== vectors?.id;
  if (isElsewhere) await db.write((tx) => uploads.forgetUploads(tx, build, vectorStore));
  if (!vectors) return;
  const namespace = namespaceOf(build);
  if (!isLive) {
    if (!dropped.has(namespace)) await vectors.drop(namespace);
    dropped.add(namespace);
    return;
  }
  const chunkIds = await uploads.listChunkIds(db, id);
  if (chunkIds.length === 0) return;
  await vectors.delete(namespace, { ids: chunkIds.map((chunk) => vectorId(documentId, chunk)) });
};
