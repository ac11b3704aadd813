import { and, asc, desc, eq, exists, gt, inArray, isNotNull, isNull, lt, notExists, or, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { publishBatchEnd } from "./ended-work";
import { batches, batchResults, jobs } from "./schema";
import type { BatchTokens } from "./schema/batches";

export type { BatchProblem, BatchTokens } from "./schema/batches";

export type BatchRow = typeof batches.$inferSelect;

export const insertBatch = (tx: Tx, row: typeof batches.$inferInsert) => tx.insert(batches).values(row);

export const findBatch = (db: Reads, id: string): Promise<BatchRow | undefined> =>
  db.select().from(batches).where(eq(batches.id, id)).get();

/** Lists a key's batches, newest first, starting after the id `after`. Ids sort by creation time. */
export const listBatches = (
  db: Reads,
  createdBy: string,
  { limit, after }: { limit: number; after?: string },
): Promise<BatchRow[]> =>
  db
    .select()
    .from(batches)
    .where(and(eq(batches.createdBy, createdBy), after === undefined ? undefined : lt(batches.id, after)))
    .orderBy(desc(batches.id))
    .limit(limit);

/** Id of an unfinished batch that reads this input file. */
export const findBatchReading = async (db: Reads, inputFileId: string): Promise<string | undefined> => {
  const [reader] = await db
    .select({ id: batches.id })
    .from(batches)
    .where(and(eq(batches.inputFileId, inputFileId), isNull(batches.endedAt)))
    .limit(1);
  return reader?.id;
};

/** A batch that is unfinished and still belongs to `jobId`. Call it in the transaction that writes to the batch. */
export const findBatchOfJob = (tx: Tx, id: string, jobId: string): Promise<BatchRow | undefined> =>
  tx
    .select()
    .from(batches)
    .where(and(eq(batches.id, id), eq(batches.jobId, jobId), isNull(batches.endedAt)))
    .get();

/** Changes a batch, and publishes its end if `changes` ends it. */
export const updateBatch = async (tx: Tx, id: string, changes: Partial<BatchRow>): Promise<void> => {
  await tx.update(batches).set(changes).where(eq(batches.id, id));
  if (changes.endedAt) await publishBatchEnd(tx, id, changes.endedAt);
};

export type BatchResult = Omit<typeof batchResults.$inferSelect, "batchId"> & { tokens: BatchTokens };

/** Stores results and adds them to the batch's counts and tokens. A request that already has a result keeps it. */
export const insertBatchResults = async (tx: Tx, batchId: string, results: readonly BatchResult[]): Promise<void> => {
  if (results.length === 0) return;
  const rows = results.map(({ tokens: _, ...row }) => ({ ...row, batchId }));
  const stored = await tx
    .insert(batchResults)
    .values(rows)
    .onConflictDoNothing()
    .returning({ line: batchResults.line });
  const lines = new Set(stored.map(({ line }) => line));
  const added = results.filter(({ line }) => lines.has(line));
  const failed = added.filter(({ isError }) => isError).length;
  const sumOf = (kind: keyof BatchTokens) => added.reduce((sum, { tokens }) => sum + tokens[kind], 0);
  const batch = await findBatch(tx, batchId);
  if (!batch) return;
  const { input, cached, output, reasoning } = batch.tokens;
  await tx
    .update(batches)
    .set({
      completed: batch.completed + added.length - failed,
      failed: batch.failed + failed,
      tokens: {
        input: input + sumOf("input"),
        cached: cached + sumOf("cached"),
        output: output + sumOf("output"),
        reasoning: reasoning + sumOf("reasoning"),
      },
    })
    .where(eq(batches.id, batchId));
};

/** Lines of the input file whose requests have a result. */
export const listEndedLines = async (db: Reads, batchId: string): Promise<number[]> => {
  const rows = await db.select({ line: batchResults.line }).from(batchResults).where(eq(batchResults.batchId, batchId));
  return rows.map(({ line }) => line);
};

/**
 * Lines of the output or error file whose requests come after line `after` of the input file, in the same order.
 * Returns at least one line and then as many as fit into `maxBytes`; an empty list after the last line.
 */
export const listOutputs = async (
  db: Reads,
  batchId: string,
  { isError, after, limit, maxBytes }: { isError: boolean; after: number; limit: number; maxBytes: number },
): Promise<{ line: number; output: string }[]> => {
  const isNext = and(
    eq(batchResults.batchId, batchId),
    gt(batchResults.line, after),
    eq(batchResults.isError, isError),
  );
  const sizes = await db
    .select({ line: batchResults.line, sizeBytes: sql<number>`octet_length(${batchResults.output})` })
    .from(batchResults)
    .where(isNext)
    .orderBy(asc(batchResults.line))
    .limit(limit);
  let total = 0;
  const lines = sizes.flatMap(({ line, sizeBytes }, n) => {
    total += sizeBytes;
    return n === 0 || total <= maxBytes ? [line] : [];
  });
  if (lines.length === 0) return [];
  return db
    .select({ line: batchResults.line, output: batchResults.output })
    .from(batchResults)
    .where(and(eq(batchResults.batchId, batchId), inArray(batchResults.line, lines)))
    .orderBy(asc(batchResults.line));
};

/** An unfinished batch whose job has ended, so no worker will continue it, with the job's input and error. */
interface StrandedBatch {
  batch: BatchRow;
  payload: Record<string, unknown> | null;
  error: Record<string, unknown> | null;
}

export const listStrandedBatches = (db: Reads, limit: number): Promise<StrandedBatch[]> =>
  db
    .select({ batch: batches, payload: jobs.payload, error: jobs.error })
    .from(batches)
    .leftJoin(jobs, eq(jobs.id, batches.jobId))
    .where(and(isNull(batches.endedAt), or(isNull(jobs.id), isNotNull(jobs.endedAt))))
    .limit(limit);

const resultsOf = (db: Reads) =>
  db.select({ line: batchResults.line }).from(batchResults).where(eq(batchResults.batchId, batches.id));

/** Ids of finished batches whose output files have been written but whose results are still in the database. */
export const listFinishedWithResults = async (db: Reads, limit: number): Promise<string[]> => {
  const rows = await db
    .select({ id: batches.id })
    .from(batches)
    .where(and(isNotNull(batches.endedAt), exists(resultsOf(db))))
    .limit(limit);
  return rows.map(({ id }) => id);
};

/** Deletes up to `limit` results of a batch. Returns true when none are left. */
export const deleteBatchResults = (db: Pick<Db, "write">, batchId: string, limit: number): Promise<boolean> =>
  db.write(async (tx) => {
    const some = tx
      .select({ line: batchResults.line })
      .from(batchResults)
      .where(eq(batchResults.batchId, batchId))
      .limit(limit);
    const { rowsAffected } = await tx
      .delete(batchResults)
      .where(and(eq(batchResults.batchId, batchId), inArray(batchResults.line, some)));
    return rowsAffected < limit;
  });

/** Deletes up to `limit` batches that ended before `before` and whose results have been deleted. */
export const deleteOldBatches = (db: Pick<Db, "write">, before: Date, limit: number): Promise<void> =>
  db.write(async (tx) => {
    const old = tx
      .select({ id: batches.id })
      .from(batches)
      .where(and(lt(batches.endedAt, before), notExists(resultsOf(tx))))
      .limit(limit);
    await tx.delete(batches).where(inArray(batches.id, old));
  });
