import { and, asc, count, eq, gt, inArray, isNotNull, or, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import type { SampleRow } from "./samples";
import { results, samples, scores } from "./schema";

export type ResultRow = typeof results.$inferSelect & { sample: SampleRow };
export type NewResultRow = typeof results.$inferInsert;
export type ScoreRow = typeof scores.$inferSelect;
export type NewScoreRow = typeof scores.$inferInsert;

/** Place in the results of a run. */
export interface ResultCursor {
  sampleKey: string;
  repeat: number;
}

export const insertResult = async (tx: Tx, row: NewResultRow): Promise<void> => {
  await tx.insert(results).values(row);
};

/**
 * Adds scores. One that is there already, of the same result, criterion, evaluator and rubric, stays as it is. Answers
 * those that were added.
 */
export const insertScores = async (tx: Tx, rows: readonly NewScoreRow[]): Promise<ScoreRow[]> =>
  rows.length === 0
    ? []
    : tx
        .insert(scores)
        .values([...rows])
        .onConflictDoNothing()
        .returning();

const joined = (db: Reads) =>
  db.select({ result: results, sample: samples }).from(results).innerJoin(samples, eq(samples.id, results.sampleId));

export const findResult = async (db: Reads, id: string): Promise<ResultRow | undefined> => {
  const [row] = await joined(db).where(eq(results.id, id));
  return row && { ...row.result, sample: row.sample };
};

/** Results of a run in the order of their samples' keys, after `cursor`. */
export const listResults = async (
  db: Reads,
  runId: string,
  { limit, cursor }: { limit: number; cursor?: ResultCursor },
): Promise<ResultRow[]> => {
  const rows = await joined(db)
    .where(
      and(
        eq(results.runId, runId),
        cursor &&
          or(
            gt(results.sampleKey, cursor.sampleKey),
            and(eq(results.sampleKey, cursor.sampleKey), gt(results.repeat, cursor.repeat)),
          ),
      ),
    )
    .orderBy(asc(results.sampleKey), asc(results.repeat))
    .limit(limit);
  return rows.map(({ result, sample }) => ({ ...result, sample }));
};

/** Scores of these results, oldest first. */
export const listScores = (db: Reads, resultIds: readonly string[]): Promise<ScoreRow[]> =>
  db
    .select()
    .from(scores)
    .where(inArray(scores.resultId, [...resultIds]))
    .orderBy(asc(scores.id));

/** What statistics need of each score of a run: no text. */
export interface ScoreFigure {
  resultId: string;
  sampleKey: string;
  group: string | null;
  metric: string;
  evaluator: string;
  shadow: boolean;
  value: number | null;
  passed: boolean | null;
  /** Of the result. */
  failure: string | null;
}

const figure = {
  resultId: scores.resultId,
  sampleKey: results.sampleKey,
  group: samples.group,
  metric: scores.metric,
  evaluator: scores.evaluator,
  shadow: scores.shadow,
  value: scores.value,
  passed: scores.passed,
  failure: results.failure,
};

const figures = (db: Reads) =>
  db
    .select(figure)
    .from(scores)
    .innerJoin(results, eq(results.id, scores.resultId))
    .innerJoin(samples, eq(samples.id, results.sampleId));

/** Every score of a run as figures, by result. */
export const listFigures = (db: Reads, runId: string): Promise<ScoreFigure[]> =>
  figures(db).where(eq(results.runId, runId)).orderBy(asc(scores.resultId), asc(scores.id));

/** Counts and sums over the results of a run. */
export interface RunTotals {
  total: number;
  done: number;
  errors: number;
  running: number;
  /** Results with a verdict, and those of them that passed. */
  judged: number;
  passed: number;
  promptTokens: number;
  completionTokens: number;
  /** Milliseconds that a node worked on the outputs; what came from the cache took none. */
  workedMs: number;
}

export const findRunTotals = async (db: Reads, runId: string): Promise<RunTotals> => {
  const of = (path: string) => sql`json_extract(${results.output}, ${`$.${path}`})`;
  const sum = (value: SQL) => sql<number>`COALESCE(SUM(${value}), 0)`;
  const isMade = sql`${of("cache.status")} = 'miss' OR ${of("cache.status")} = 'bypass'`;
  const [row] = await db
    .select({
      total: count(),
      done: sum(sql`${results.state} IN ('done', 'error')`),
      errors: sum(sql`${results.state} = 'error'`),
      running: sum(sql`${results.state} = 'running'`),
      judged: count(results.passed),
      passed: sum(sql`${results.passed}`),
      promptTokens: sum(of("usage.prompt_tokens")),
      completionTokens: sum(of("usage.completion_tokens")),
      workedMs: sum(sql`CASE WHEN ${isMade} THEN ${of("latency.total")} - ${of("latency.queue")} END`),
    })
    .from(results)
    .where(eq(results.runId, runId));
  if (!row) throw new Error("A count has a row.");
  return row;
};

/** How many results of a run failed in which way. */
export const listFailureCounts = (db: Reads, runId: string): Promise<{ failure: string; count: number }[]> =>
  db
    .select({ failure: sql<string>`${results.failure}`, count: count() })
    .from(results)
    .where(and(eq(results.runId, runId), isNotNull(results.failure)))
    .groupBy(results.failure);

/** Every score of these evaluators (`name@version`) as figures, up to `limit`, newest first. */
export const listFiguresBy = (db: Reads, evaluators: readonly string[], limit: number): Promise<ScoreFigure[]> =>
  figures(db)
    .where(inArray(scores.evaluator, [...evaluators]))
    .orderBy(sql`${scores.id} DESC`)
    .limit(limit);
