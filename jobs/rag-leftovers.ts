import { deleteBuildPart, dropBuilds, listDoomedBuilds } from "../db/builds";
import type { Db } from "../db/client";
import { hasStuckDocuments, settleDocuments } from "../db/documents";
import { deleteIndexPart, hasDeletedIndex, listStuckVersions, updateVersion } from "../db/indexes";

/** Maximum chunks deleted per transaction. */
const MAX_DELETED_CHUNKS = 500;
const DOCUMENTS_AT_ONCE = 100;
const BUILDS_AT_ONCE = 20;

/** Finishes documents and versions that jobs left open, and deletes unused content, in short transactions. */
export const sweepIndexes = async (db: Db, now: () => Date): Promise<void> => {
  while (await hasStuckDocuments(db)) await settleDocuments(db, now(), DOCUMENTS_AT_ONCE);
  if ((await listStuckVersions(db)).length > 0) await failVersions(db);
  for (;;) {
    const doomed = await listDoomedBuilds(db, BUILDS_AT_ONCE);
    if (doomed.length === 0) break;
    for (const id of doomed) while (!(await deleteBuildPart(db, id, MAX_DELETED_CHUNKS)));
  }
  while ((await hasDeletedIndex(db)) && (await deleteIndexPart(db, DOCUMENTS_AT_ONCE)));
};

/** Marks incomplete versions of finished jobs as failed. */
const failVersions = (db: Db): Promise<void> =>
  db.write(async (tx) => {
    for (const { error, ...version } of await listStuckVersions(tx)) {
      await updateVersion(tx, version, { state: "failed", error });
      await dropBuilds(tx, version);
    }
  });
