import {
  type BatchProblem,
  deleteBatchResults,
  findBatchOfJob,
  listFinishedWithResults,
  listStrandedBatches,
  updateBatch,
} from "../../db/batches";
import type { Db } from "../../db/client";
import { insertJob } from "../../db/jobs";
import { BATCH_REQUESTS_KIND, type BatchRequestsPayload } from "../../gateway/batches/job";
import { newId } from "../../lib/ids";

const MAX_SWEPT = 20;
const RESULTS_PER_DELETE = 500;

/**
 * Ends batches whose job has failed, for example because three workers died on it. A new job gives the remaining
 * requests the first job's error and writes the output files. If that job fails too, the batch gets no files.
 */
export const endStrandedBatches = async (db: Db, now: () => Date): Promise<void> => {
  for (const { batch, error: jobError, payload } of await listStrandedBatches(db, MAX_SWEPT)) {
    const { code = "internal", message = "The job of this batch has ended." } = jobError ?? {};
    const error = { code: String(code), message: String(message) };
    await db.write(async (tx) => {
      if (!(await findBatchOfJob(tx, batch.id, batch.jobId))) return;
      if (payload?.error !== undefined) {
        const problem: BatchProblem = { ...error, line: null, param: null };
        return updateBatch(tx, batch.id, { status: "failed", errors: [problem], endedAt: now() });
      }
      const next: BatchRequestsPayload = { batchId: batch.id, error };
      const { createdBy } = batch;
      const job = { id: newId("job"), kind: BATCH_REQUESTS_KIND, payload: { ...next }, createdBy };
      await insertJob(tx, job, [null], now());
      await updateBatch(tx, batch.id, { jobId: job.id });
    });
  }
};

/** Deletes the stored results of finished batches, which are also in their output files. */
export const deleteFinishedResults = async (db: Db): Promise<void> => {
  for (const id of await listFinishedWithResults(db, MAX_SWEPT)) {
    while (!(await deleteBatchResults(db, id, RESULTS_PER_DELETE)));
  }
};
