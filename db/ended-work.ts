import { and, count, eq, inArray } from "drizzle-orm";
import type { Tx } from "./client";
import { type JobRow, settleJob } from "./jobs";
import { publishEvent } from "./outbox";
import { batches, documents, indexes, runs } from "./schema";

type Json = Record<string, unknown>;

/** Number of failed documents listed in an event. */
const MAX_LISTED = 10;

/** Publishes that a batch run has ended. Call it in the transaction that ends the run. */
export const publishRunEnd = async (tx: Tx, id: string, now: Date): Promise<void> => {
  const run = await tx.select().from(runs).where(eq(runs.id, id)).get();
  if (!run?.endedAt) return;
  const { done = 0, errors = 0, judged = 0, passed = 0 } = run.progress ?? {};
  const data = {
    run_id: run.id,
    name: run.name,
    state: run.state,
    dataset_id: run.datasetId,
    results: { done, errors, judged, passed },
    error: reasonOf(run.error),
    created_at: run.createdAt.toISOString(),
    started_at: run.startedAt?.toISOString() ?? null,
    ended_at: run.endedAt.toISOString(),
  };
  // A resumed run ends again.
  await publishEvent(tx, { type: "run.ended", cause: `run.ended:${id}:${run.endedAt.getTime()}`, data }, now);
};

/** Publishes the end of a batch of requests. Call it in the transaction that ends it. */
export const publishBatchEnd = async (tx: Tx, id: string, now: Date): Promise<void> => {
  const batch = await tx.select().from(batches).where(eq(batches.id, id)).get();
  if (!batch?.endedAt) return;
  const { total, completed, failed } = batch;
  const data = {
    batch_id: batch.id,
    status: batch.status,
    endpoint: batch.endpoint,
    request_counts: { total, completed, failed },
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    created_at: batch.createdAt.toISOString(),
    ended_at: batch.endedAt.toISOString(),
  };
  await publishEvent(tx, { type: "batch.ended", cause: `batch.ended:${id}`, data }, now);
};

/** As `settleJob`, and publishes what ended with the job: its batch run, or an ingestion with failed documents. */
export const settleJobAndPublish = async (tx: Tx, id: string, result: Json | null, now: Date): Promise<void> => {
  const job = await settleJob(tx, id, result, now);
  if (!job || job.state === "cancelled") return;
  await publishIngestionFailure(tx, job, now);
  if (job.state !== "failed") return;
  const failed = await tx
    .select({ id: runs.id })
    .from(runs)
    .where(and(eq(runs.jobId, id), eq(runs.state, "failed"), eq(runs.endedAt, now)));
  for (const run of failed) await publishRunEnd(tx, run.id, now);
};

/** A failed job leaves its last documents unfinished; a sweep marks them as failed. */
const UNFINISHED = ["queued", "reading", "chunking", "embedding"] as const;

/** Does nothing for other jobs: no document refers to them. */
const publishIngestionFailure = async (tx: Tx, job: JobRow, now: Date): Promise<void> => {
  const states = job.state === "failed" ? (["failed", ...UNFINISHED] as const) : (["failed"] as const);
  const isFailed = and(eq(documents.jobId, job.id), inArray(documents.state, [...states]));
  const [first, ...others] = await tx.select().from(documents).where(isFailed).orderBy(documents.id).limit(MAX_LISTED);
  if (!first) return;
  const [counted] = await tx.select({ failed: count() }).from(documents).where(isFailed);
  const index = await tx.select({ name: indexes.name }).from(indexes).where(eq(indexes.id, first.indexId)).get();
  const data = {
    index_id: first.indexId,
    index_name: index?.name ?? first.indexId,
    job_id: job.id,
    documents: Number(job.payload.total ?? counted?.failed ?? 0),
    failed: counted?.failed ?? 0,
    failures: [first, ...others].map(({ id, error }) => ({ document_id: id, error: reasonOf(error ?? job.error) })),
  };
  await publishEvent(tx, { type: "ingestion.failed", cause: `ingestion.failed:${job.id}`, data }, now);
};

/** The part of a stored error that doesn't depend on a request. */
const reasonOf = (error: Json | null): { code: string; message: string } | null =>
  error && { code: String(error.code), message: String(error.message) };
