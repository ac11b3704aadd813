import { deleteBuildPart, dropBuilds, listDoomedBuilds } from "../db/builds";
import type { Db } from "../db/client";
import { hasStuckDocuments, settleDocuments } from "../db/documents";
import { deleteIndexPart, hasDeletedIndex, listStuckVersions, updateVersion } from "../db/indexes";

/** Rows per transaction. */
const CHUNKS_AT_ONCE = 500;
const DOCUMENTS_AT_ONCE = 100;
const BUILDS_AT_ONCE = 20;

/** Ends what ended jobs have left open, and deletes content that is no longer needed, in short transactions. */
export const sweepIndexes = async (db: Db, now: () => Date): Promise<void> => {
  while (await hasStuckDocuments(db)) await settleDocuments(db, now(), DOCUMENTS_AT_ONCE);
  if ((await listStuckVersions(db)).length > 0) await failVersions(db);
  for (;;) {
    const doomed = await listDoomedBuilds(db, BUILDS_AT_ONCE);
    if (doomed.length === 0) break;
    for (const id of doomed) while (!(await deleteBuildPart(db, id, CHUNKS_AT_ONCE)));
  }
  while ((await hasDeletedIndex(db)) && (await deleteIndexPart(db, DOCUMENTS_AT_ONCE)));
};

/** Versions whose job ended before they were complete. */
const failVersions = (db: Db): Promise<void> =>
  db.write(async (tx) => {
    for (const { error, ...version } of await listStuckVersions(tx)) {
      await updateVersion(tx, version, { state: "failed", error });
      await dropBuilds(tx, version);
    }
  });
