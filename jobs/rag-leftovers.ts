import { deleteBuildPart, dropBuilds, listDoomedBuilds } from "../db/builds";
import type { Db } from "../db/client";
import { hasStuckDocuments, settleDocuments } from "../db/documents";
import { deleteIndexPart, hasDeletedIndex, listStuckVersions, updateVersion } from "../db/indexes";
import type { VectorStore } from "../gateway/ports/vectors";
import { deleteVectors } from "../gateway/rag/indexes/uploaded-vectors";
import { toAppError } from "../lib/errors";
import type { Log } from "../lib/log";

/** Maximum chunks deleted per transaction. */
const MAX_DELETED_CHUNKS = 500;
const DOCUMENTS_AT_ONCE = 100;
const BUILDS_AT_ONCE = 20;

export interface SweepDeps {
  db: Db;
  /** Undefined: vectors are only in the database. */
  vectors?: VectorStore;
  log: Pick<Log, "warn">;
}

/**
 * Finishes documents and versions that jobs left open, and deletes unused content in short transactions. While the vector
 * store is unreachable, chunks stay until a later sweep.
 */
export const sweepIndexes = async (deps: SweepDeps, now: () => Date): Promise<void> => {
  const { db, vectors, log } = deps;
  while (await hasStuckDocuments(db)) await settleDocuments(db, now(), DOCUMENTS_AT_ONCE);
  if ((await listStuckVersions(db)).length > 0) await failVersions(db);
  try {
    await deleteBuilds(deps);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (!vectors || error.kind === "internal") throw thrown;
    log.warn({ code: error.kind, err: error.cause ?? error }, "vectors could not be deleted from the vector store");
  }
  while ((await hasDeletedIndex(db)) && (await deleteIndexPart(db, DOCUMENTS_AT_ONCE)));
};

const deleteBuilds = async (deps: SweepDeps): Promise<void> => {
  const dropped = new Set<string>();
  for (;;) {
    const doomed = await listDoomedBuilds(deps.db, BUILDS_AT_ONCE);
    if (doomed.length === 0) break;
    for (const id of doomed) await deleteBuild(deps, id, { dropped });
  }
};

/** Deletes a build and its vectors. `writes`: the task on whose behalf it is deleted. */
export const deleteBuild = async (
  { db, vectors }: Pick<SweepDeps, "db" | "vectors">,
  id: string,
  { writes = db, dropped = new Set() }: { writes?: Pick<Db, "write">; dropped?: Set<string> } = {},
): Promise<void> => {
  await deleteVectors({ db, vectors, dropped }, id);
  while (!(await deleteBuildPart(writes, id, MAX_DELETED_CHUNKS)));
};

/** Marks incomplete versions of finished jobs as failed. */
const failVersions = (db: Db): Promise<void> =>
  db.write(async (tx) => {
    for (const { error, ...version } of await listStuckVersions(tx)) {
      await updateVersion(tx, version, { state: "failed", error });
      await dropBuilds(tx, version);
    }
  });
