import { and, asc, eq, gt, inArray, lte, notInArray, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { publishRunEnd } from "./ended-work";
import { joinedResults, type ResultRow } from "./joined-results";
import { insertRows, updateRows } from "./json-rows";
import type { NewResultRow } from "./results";
import type { RunRow } from "./runs";
import { results, runs } from "./schema";

export type { BatchProgress } from "./schema/evals";

/** The part of a result that identifies the work of a batch run. */
export type ResultTask = Pick<
  ResultRow,
  "id" | "sampleId" | "sampleKey" | "repeat" | "position" | "attempts" | "deaths" | "sample"
>;

/** A run, if `jobId` is still its current job. Read in the transaction that writes for the run. */
export const findRunOfJob = (tx: Tx, id: string, jobId: string): Promise<RunRow | undefined> =>
  tx
    .select()
    .from(runs)
    .where(and(eq(runs.id, id), eq(runs.jobId, jobId)))
    .get();

/** Changes a batch run. Its figures become stale. If it ends, this is published. */
export const updateBatchRun = async (
  tx: Tx,
  id: string,
  changes: Partial<Pick<RunRow, "state" | "progress" | "pins" | "error" | "startedAt" | "endedAt" | "jobId">>,
): Promise<void> => {
  // A worker's clock may be slow, and a run must not end before it started.
  const endedAt =
    changes.endedAt && sql`MAX(COALESCE(${runs.startedAt}, 0), ${sql.param(changes.endedAt, runs.endedAt)})`;
  await tx
    .update(runs)
    .set({ ...changes, ...(endedAt && { endedAt }), changes: sql`${runs.changes} + 1` })
    .where(eq(runs.id, id));
  if (changes.endedAt) await publishRunEnd(tx, id, changes.endedAt);
};

/** Names the job that scores the outputs of a run again. */
export const setRecomputeJob = async (tx: Tx, id: string, recomputeJobId: string): Promise<void> => {
  await tx.update(runs).set({ recomputeJobId }).where(eq(runs.id, id));
};

/** Creates pending results. One that already exists is not changed. */
export const insertPendingResults = async (
  tx: Tx,
  rows: readonly Required<
    Pick<NewResultRow, "id" | "runId" | "sampleId" | "sampleKey" | "repeat" | "position" | "createdAt">
  >[],
): Promise<void> => {
  const pending = rows.map((row) => ({ ...row, state: "pending" as const }));
  await insertRows(
    tx,
    results,
    ["id", "runId", "sampleId", "sampleKey", "repeat", "position", "createdAt", "state"],
    pending,
  );
  await tagResults(tx, rows);
};

/** Stores the tags of results that were just created. */
const tagResults = async (tx: Tx, rows: readonly Pick<NewResultRow, "runId" | "position">[]): Promise<void> => {
  for (const [runId, own] of Map.groupBy(rows, (row) => row.runId)) {
    const positions = own.map(({ position = 0 }) => position);
    await tx.run(sql`INSERT OR IGNORE INTO result_tags (run_id, tag, position, repeat)
      SELECT results.run_id, tags.value, results.position, results.repeat
      FROM results JOIN samples ON samples.id = results.sample_id, json_each(samples.tags) AS tags
      WHERE results.run_id = ${runId} AND results.position BETWEEN ${Math.min(...positions)} AND ${Math.max(...positions)}`);
  }
};

const taskColumns = {
  id: results.id,
  sampleId: results.sampleId,
  sampleKey: results.sampleKey,
  repeat: results.repeat,
  position: results.position,
  attempts: results.attempts,
  deaths: results.deaths,
};

/** Starts up to `limit` pending results of a run, in the dataset's order. `exceptIds` are left pending. */
export const startResults = async (
  tx: Tx,
  runId: string,
  { limit, exceptIds = [] }: { limit: number; exceptIds?: readonly string[] },
): Promise<ResultTask[]> => {
  const pending = tx
    .select({ id: results.id })
    .from(results)
    .where(
      and(
        eq(results.runId, runId),
        eq(results.state, "pending"),
        inArray(results.state, ["pending", "running"]),
        notInArray(results.id, [...exceptIds]),
      ),
    )
    .orderBy(asc(results.position), asc(results.repeat))
    .limit(limit);
  return started(tx, inArray(results.id, pending));
};

/** Starts one result if it is pending. */
export const startResult = (tx: Tx, id: string): Promise<ResultTask[]> =>
  started(tx, and(eq(results.id, id), eq(results.state, "pending")));

const started = async (tx: Tx, which: SQL | undefined): Promise<ResultTask[]> => {
  const rows = await tx.update(results).set({ state: "running" }).where(which).returning(taskColumns);
  if (rows.length === 0) return [];
  const found = await joinedResults(tx).where(
    inArray(
      results.id,
      rows.map(({ id }) => id),
    ),
  );
  const samples = new Map(found.map(({ result, sample }) => [result.id, sample]));
  return rows
    .flatMap((row) => {
      const sample = samples.get(row.id);
      return sample ? [{ ...row, sample }] : [];
    })
    .sort((a, b) => a.position - b.position || a.repeat - b.repeat);
};

/** Makes all running results of a run pending again. */
export const returnResults = async (tx: Tx, runId: string): Promise<void> => {
  await tx.update(results).set({ state: "pending" }).where(isRunning(runId));
};

/** `state IN …` lets SQLite use the index of open results. */
const isRunning = (runId: string): SQL | undefined =>
  and(eq(results.runId, runId), inArray(results.state, ["pending", "running"]), eq(results.state, "running"));

/** Records that a worker died while running a run's results, and makes them pending again. Returns how many. */
export const recordDeaths = async (tx: Tx, runId: string): Promise<number> => {
  const { rowsAffected } = await tx
    .update(results)
    .set({ state: "pending", deaths: sql`${results.deaths} + 1` })
    .where(isRunning(runId));
  return rowsAffected;
};

/**
 * Open results on which workers have died, and how many. Those with the fewest come first: workers that are killed for
 * other reasons then rarely die on the same result again.
 */
export const listSuspects = (db: Reads, runId: string): Promise<{ id: string; deaths: number }[]> =>
  db
    .select({ id: results.id, deaths: results.deaths })
    .from(results)
    .where(and(eq(results.runId, runId), inArray(results.state, ["pending", "running"]), gt(results.deaths, 0)))
    .orderBy(asc(results.deaths), asc(results.position), asc(results.repeat));

/** The columns that are set when a result ends, after its id. */
const ENDED = [
  "id",
  "state",
  "output",
  "passed",
  "failure",
  "error",
  "attempts",
  "sequence",
  "overall",
  "latencyMs",
  "endedAt",
] as const;

export type EndedResult = Required<Pick<NewResultRow, (typeof ENDED)[number]>>;

/** Stores the outcomes of running results. Returns how many were stored; a result that isn't running is not changed. */
export const endResults = (tx: Tx, rows: readonly EndedResult[]): Promise<number> =>
  updateRows(tx, results, ENDED, rows, eq(results.state, "running"));

/**
 * Makes up to `limit` errors with a sequence number of at most `sequence` pending again. Returns their failure kinds.
 */
export const resetErrors = async (
  tx: Tx,
  runId: string,
  { sequence, limit }: { sequence: number; limit: number },
): Promise<(string | null)[]> => {
  const errors = await tx
    .select({ id: results.id, failure: results.failure })
    .from(results)
    .where(and(eq(results.runId, runId), eq(results.state, "error"), lte(results.sequence, sequence)))
    .limit(limit);
  const ids = errors.map(({ id }) => id);
  const open = { state: "pending" as const, error: null, failure: null, passed: null, sequence: null, endedAt: null };
  if (ids.length > 0) {
    await tx
      .update(results)
      .set({ ...open, deaths: 0 })
      .where(inArray(results.id, ids));
  }
  return errors.map(({ failure }) => failure);
};
