import { and, eq, gt, inArray, isNull, lt, not, or, type SQL } from "drizzle-orm";
import type { BuildRow } from "./builds";
import type { Reads, Tx } from "./client";
import { chunks, documentBuilds, documents, indexes, indexVersions } from "./schema";

/* Tracks the vectors in an external vector store. The database keeps every vector. */

type Version = Pick<BuildRow, "indexId" | "version">;
export type BuildPlace = Pick<BuildRow, "id" | "indexId" | "version" | "documentId" | "vectorStore">;

/** A visible build with the metadata of its document. */
export interface BuildToUpload extends BuildPlace {
  metadata: Record<string, unknown>;
}

/** Three conditions instead of one `IS NOT`, so that SQLite uses the database index. */
const isMissingIn = (store: string): SQL | undefined => {
  const { state, vectorStore } = documentBuilds;
  return and(eq(state, "visible"), or(isNull(vectorStore), lt(vectorStore, store), gt(vectorStore, store)));
};

const isOf = ({ indexId, version }: Version): SQL | undefined =>
  and(eq(documentBuilds.indexId, indexId), eq(documentBuilds.version, version));

const place = {
  id: documentBuilds.id,
  indexId: documentBuilds.indexId,
  version: documentBuilds.version,
  documentId: documentBuilds.documentId,
  vectorStore: documentBuilds.vectorStore,
};

/** Visible builds of live versions whose vectors `store` lacks. `ids`: only these builds; `except`: not these versions. */
export const listBuildsToUpload = (
  db: Reads,
  store: string,
  { ids, except = [], limit }: { ids?: readonly string[]; except?: readonly Version[]; limit: number },
): Promise<BuildToUpload[]> => {
  const { indexId, version, documentId } = documentBuilds;
  const isLive = inArray(indexVersions.state, ["building", "ready"]);
  return db
    .select({ ...place, metadata: documents.metadata })
    .from(documentBuilds)
    .innerJoin(indexes, and(eq(indexes.id, indexId), isNull(indexes.deletedAt)))
    .innerJoin(indexVersions, and(eq(indexVersions.indexId, indexId), eq(indexVersions.version, version), isLive))
    .innerJoin(documents, and(eq(documents.indexId, indexId), eq(documents.id, documentId)))
    .where(
      and(
        isMissingIn(store),
        ids && inArray(documentBuilds.id, [...ids]),
        ...except.flatMap((each) => isOf(each) ?? []).map(not),
      ),
    )
    .limit(limit);
};

/** Whether a version has a visible build whose vectors `store` lacks. */
export const isMissingVectors = async (db: Reads, version: Version, store: string): Promise<boolean> => {
  const missing = db.select({ id: documentBuilds.id }).from(documentBuilds);
  return (await missing.where(and(isMissingIn(store), isOf(version))).limit(1)).length > 0;
};

/** Whether `store` has the vectors of any build of a version. */
export const hasVectors = async (db: Reads, version: Version, store: string): Promise<boolean> => {
  const found = db.select({ id: documentBuilds.id }).from(documentBuilds);
  return (await found.where(and(isOf(version), eq(documentBuilds.vectorStore, store))).limit(1)).length > 0;
};

/** Records that `store` has the vectors of a build. */
export const markUploaded = async (tx: Tx, buildId: string, store: string): Promise<void> => {
  await tx.update(documentBuilds).set({ vectorStore: store }).where(eq(documentBuilds.id, buildId));
};

/** Records that `store` no longer has the current vectors of a version. */
export const forgetUploads = async (tx: Tx, version: Version, store: string): Promise<void> => {
  const isStored = and(isOf(version), eq(documentBuilds.vectorStore, store));
  await tx.update(documentBuilds).set({ vectorStore: null }).where(isStored);
};

/** A build, and whether its version still accepts documents; undefined if the build was deleted. */
export const findBuild = async (db: Reads, id: string): Promise<{ build: BuildPlace; isLive: boolean } | undefined> => {
  const found = await db
    .select({ build: place, state: indexVersions.state, deletedAt: indexes.deletedAt })
    .from(documentBuilds)
    .innerJoin(indexes, eq(indexes.id, documentBuilds.indexId))
    .innerJoin(
      indexVersions,
      and(eq(indexVersions.indexId, documentBuilds.indexId), eq(indexVersions.version, documentBuilds.version)),
    )
    .where(eq(documentBuilds.id, id))
    .get();
  if (!found) return undefined;
  const { build, state, deletedAt } = found;
  return { build, isLive: deletedAt === null && (state === "building" || state === "ready") };
};

/** Ids of all chunks of a build. */
export const listChunkIds = async (db: Reads, buildId: string): Promise<string[]> => {
  const rows = await db.select({ id: chunks.id }).from(chunks).where(eq(chunks.buildId, buildId));
  return rows.map(({ id }) => id);
};

/** The given ids that belong to chunks. */
export const findChunkIds = async (db: Reads, ids: readonly string[]): Promise<Set<string>> => {
  const rows = await db
    .select({ id: chunks.id })
    .from(chunks)
    .where(inArray(chunks.id, [...ids]));
  return new Set(rows.map(({ id }) => id));
};
