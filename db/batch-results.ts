import { and, asc, desc, eq, gt, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { Reads } from "./client";
import { like } from "./conditions";
import { joinedResults, type ResultRow } from "./joined-results";
import { results } from "./schema";
import type { BatchProgress } from "./schema/evals";

export interface ResultFilter {
  state?: ResultRow["state"];
  passed?: boolean;
  failure?: string;
  tag?: string;
  search?: string;
}

/** dataset: in the dataset's order. worst: by the lowest overall score. slowest: by latency. */
export type BatchSort = "dataset" | "worst" | "slowest";

/** The last result of a page. `value` is its overall score or latency, if the list is sorted by one. */
export interface BatchCursor {
  value: number | null;
  position: number;
  repeat: number;
}

/** Results of a run that fit the filter. */
export const fits = (runId: string, { state, passed, failure, tag, search }: ResultFilter): SQL | undefined =>
  and(
    eq(results.runId, runId),
    state && eq(results.state, state),
    passed === undefined ? undefined : eq(results.passed, passed),
    failure === undefined ? undefined : eq(results.failure, failure),
    tag === undefined ? undefined : sql`EXISTS (SELECT 1 FROM json_each(samples.tags) WHERE value = ${tag})`,
    search === undefined
      ? undefined
      : or(
          like(sql`samples.input`, JSON.stringify(search).slice(1, -1)),
          like(sql`json_extract(results.output, '$.text')`, search),
          eq(results.sampleKey, search),
        ),
  );

/** Results after `cursor` in the dataset's order. */
export const isPast = ({ position, repeat }: BatchCursor): SQL =>
  sql`(${results.position}, ${results.repeat}) > (${position}, ${repeat})`;

/** Results after `cursor` in a list whose values are sorted, with missing values last. */
const isBehind = (sort: BatchSort, cursor: BatchCursor): SQL | undefined => {
  if (sort === "dataset") return isPast(cursor);
  const column = sort === "worst" ? results.overall : results.latencyMs;
  const { value } = cursor;
  if (value === null) return and(isNull(column), isPast(cursor));
  const further = sort === "worst" ? gt(column, value) : lt(column, value);
  return or(further, and(eq(column, value), isPast(cursor)), isNull(column));
};

const inOrder = [asc(results.position), asc(results.repeat)];
const ORDER: Readonly<Record<BatchSort, SQL[]>> = {
  dataset: inOrder,
  worst: [sql`${results.overall} ASC NULLS LAST`, ...inOrder],
  slowest: [desc(results.latencyMs), ...inOrder],
};

/** Results of a batch run that fit the filter, after `cursor`. */
export const listBatchResults = async (
  db: Reads,
  runId: string,
  { limit, cursor, sort, ...filter }: ResultFilter & { limit: number; cursor?: BatchCursor; sort: BatchSort },
): Promise<ResultRow[]> => {
  const rows = await joinedResults(db)
    .where(and(fits(runId, filter), cursor && isBehind(sort, cursor)))
    .orderBy(...ORDER[sort])
    .limit(limit);
  return rows.map(({ result, sample }) => ({ ...result, sample }));
};

export type EndedRow = Pick<ResultRow, "id" | "sampleKey" | "repeat" | "state" | "passed" | "failure"> & {
  sequence: number;
};

/** Results in the order in which they ended, after the one with `sequence`. */
export const listEndedResults = (db: Reads, runId: string, sequence: number, limit: number): Promise<EndedRow[]> =>
  db
    .select({
      id: results.id,
      sampleKey: results.sampleKey,
      repeat: results.repeat,
      state: results.state,
      passed: results.passed,
      failure: results.failure,
      sequence: sql<number>`${results.sequence}`,
    })
    .from(results)
    .where(and(eq(results.runId, runId), gt(results.sequence, sequence)))
    .orderBy(asc(results.sequence))
    .limit(limit);

/** The parts of a result that a recomputation needs, in the order in which they ended. */
export const listOutputs = async (
  db: Reads,
  runId: string,
  sequence: number,
  limit: number,
): Promise<(ResultRow & { sequence: number })[]> => {
  const rows = await joinedResults(db)
    .where(and(eq(results.runId, runId), eq(results.state, "done"), gt(results.sequence, sequence)))
    .orderBy(asc(results.sequence))
    .limit(limit);
  return rows.map(({ result, sample }) => ({ ...result, sample, sequence: result.sequence ?? 0 }));
};

/** The verdicts of a run's results, counted from the rows. */
export const countVerdicts = async (
  db: Reads,
  runId: string,
): Promise<Pick<BatchProgress, "judged" | "passed" | "failures">> => {
  const rows = await db
    .select({
      failure: results.failure,
      judged: sql<number>`COUNT(${results.passed})`,
      passed: sql<number>`COALESCE(SUM(${results.passed}), 0)`,
      all: sql<number>`COUNT(*)`,
    })
    .from(results)
    .where(eq(results.runId, runId))
    .groupBy(results.failure);
  return {
    judged: rows.reduce((sum, row) => sum + row.judged, 0),
    passed: rows.reduce((sum, row) => sum + row.passed, 0),
    failures: Object.fromEntries(rows.flatMap(({ failure, all }) => (failure === null ? [] : [[failure, all]]))),
  };
};
