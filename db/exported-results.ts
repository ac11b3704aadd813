import { and, asc, count, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { SQLiteSelect } from "drizzle-orm/sqlite-core";
import { type BatchCursor, isMatch, isPast, type ResultFilter } from "./batch-results";
import type { Reads } from "./client";
import { joinedResults, type ResultRow } from "./joined-results";
import { results, samples, scores } from "./schema";

const inOrder = [asc(results.position), asc(results.repeat)];

/** Size of a result's texts. Scores with claims repeat parts of the output. SQLite reads the sizes without the texts. */
const sizeBytes = sql<number>`COALESCE(4 * octet_length(${results.output}), 0) + octet_length(${samples.input})
  + octet_length(${samples.references}) + octet_length(${samples.contexts}) + COALESCE(octet_length(${samples.output}), 0)
  + COALESCE(octet_length(${samples.expectedToolCalls}), 0) + COALESCE(octet_length(${samples.tools}), 0)`;

/**
 * Results that match the filter, after `cursor` in the dataset's order: as many as take about `maxBytes`, but at least
 * one and at most `limit`. Empty after the last.
 */
export const listResultsOfSize = async (
  db: Reads,
  runId: string,
  filter: ResultFilter,
  { limit, maxBytes, cursor }: { limit: number; maxBytes: number; cursor?: BatchCursor },
): Promise<ResultRow[]> => {
  const sizes = await db
    .select({ id: results.id, sizeBytes })
    .from(results)
    .innerJoin(samples, eq(samples.id, results.sampleId))
    .where(and(isMatch(runId, filter), cursor && isPast(cursor)))
    .orderBy(...inOrder)
    .limit(limit);
  let total = 0;
  const ids = sizes.flatMap(({ id, sizeBytes: size }, n) => {
    total += size;
    return n === 0 || total <= maxBytes ? [id] : [];
  });
  return findResults(db, ids);
};

/** Joins the samples only if the filter needs them, because that takes most of the time. */
const withSamples = <Q extends SQLiteSelect>(query: Q, { search }: ResultFilter) =>
  search === undefined ? query : query.innerJoin(samples, eq(samples.id, results.sampleId));

/** Counts of results by their outcome in a test report. */
export interface ResultCounts {
  total: number;
  failed: number;
  /** Results that are errors, and results without a verdict because an evaluator failed. */
  errors: number;
  /** Results without a verdict for another reason: not ended, or no evaluator decides. */
  undecided: number;
  /** Sum of the outputs' latencies. */
  totalMs: number;
}

export const countResults = async (db: Reads, runId: string, filter: ResultFilter): Promise<ResultCounts> => {
  const countOf = (condition: SQL) => sql<number>`COALESCE(SUM(${condition}), 0)`;
  const counts = db
    .select({
      total: count(),
      failed: countOf(sql`${results.passed} IS FALSE`),
      errors: countOf(sql`${results.passed} IS NULL AND ${results.failure} IS NOT NULL`),
      undecided: countOf(sql`${results.passed} IS NULL AND ${results.failure} IS NULL`),
      totalMs: sql<number>`COALESCE(SUM(${results.latencyMs}), 0)`,
    })
    .from(results)
    .$dynamic();
  const [row] = await withSamples(counts, filter).where(isMatch(runId, filter));
  if (!row) throw new Error("Unreachable: a count has a row.");
  return row;
};

/** Ids of results that match the filter, by the lowest overall score; results without one come last. */
export const listWorstIds = async (
  db: Reads,
  runId: string,
  filter: ResultFilter,
  limit: number,
): Promise<string[]> => {
  const ids = db.select({ id: results.id }).from(results).$dynamic();
  const rows = await withSamples(ids, filter)
    .where(isMatch(runId, filter))
    .orderBy(sql`${results.overall} ASC NULLS LAST`, ...inOrder)
    .limit(limit);
  return rows.map(({ id }) => id);
};

/** Results with these ids, in this order. */
export const findResults = async (db: Reads, ids: readonly string[]): Promise<ResultRow[]> => {
  const rows = await joinedResults(db).where(inArray(results.id, [...ids]));
  const byId = new Map(rows.map(({ result, sample }) => [result.id, { ...result, sample }]));
  return ids.flatMap((id) => byId.get(id) ?? []);
};

/** The criteria that were scored in a run, each with the evaluator versions that scored it, sorted. */
export const listScoreKinds = (db: Reads, runId: string): Promise<{ metric: string; evaluator: string }[]> =>
  db
    .selectDistinct({ metric: scores.metric, evaluator: scores.evaluator })
    .from(scores)
    .innerJoin(results, eq(results.id, scores.resultId))
    .where(eq(results.runId, runId))
    .orderBy(asc(scores.metric), asc(scores.evaluator));
