import { and, asc, count, desc, eq, getTableColumns, inArray, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { type Slice, sortedBy } from "./conditions";
import { joinedResults, type ResultRow } from "./joined-results";
import { insertRows } from "./json-rows";
import { isAfterResult, isMade, outputField, type ResultCursor } from "./result-fields";
import { countFailure, markStale } from "./runs";
import { criteria, labels, results, runs, samples, scores } from "./schema";

export type { ResultRow } from "./joined-results";
export type { ResultCursor } from "./result-fields";
export type NewResultRow = typeof results.$inferInsert;
type Definition = (typeof criteria.$inferSelect)["definition"];
export type ScoreRow = typeof scores.$inferSelect & { criterion: Definition };
export type NewScoreRow = typeof scores.$inferInsert & { criterion: Definition };

export const insertResult = async (
  tx: Tx,
  row: NewResultRow,
  ownScores: readonly NewScoreRow[] = [],
): Promise<void> => {
  await tx.insert(results).values(row);
  await insertScoreRows(tx, ownScores);
  await markStale(tx, [row.id]);
};

type Verdict = Pick<ResultRow, "passed" | "failure">;
type Outcome = Verdict & Partial<Pick<ResultRow, "overall">>;

/** Stores a result's verdict, failure kind and overall score after scores were added, and counts them in its run. */
export const setOutcome = async (tx: Tx, id: string, outcome: Outcome): Promise<void> => {
  const { runId, passed, failure } = results;
  const before = await tx.select({ runId, passed, failure }).from(results).where(eq(results.id, id)).get();
  await tx.update(results).set(outcome).where(eq(results.id, id));
  if (before) await recountVerdict(tx, before.runId, before, outcome);
  await markStale(tx, [id]);
};

/** Changes the counts of a batch run, in the transaction that changes a result's verdict. */
const recountVerdict = async (tx: Tx, id: string, before: Verdict, after: Verdict): Promise<void> => {
  if (before.passed === after.passed && before.failure === after.failure) return;
  const { progress } = (await tx.select({ progress: runs.progress }).from(runs).where(eq(runs.id, id)).get()) ?? {};
  if (!progress) return;
  progress.judged += Number(after.passed !== null) - Number(before.passed !== null);
  progress.passed += Number(after.passed) - Number(before.passed);
  countFailure(progress.failures, before.failure, -1);
  countFailure(progress.failures, after.failure, 1);
  await tx.update(runs).set({ progress }).where(eq(runs.id, id));
};

/**
 * Adds scores and returns how many were added. An existing score of the same result, criterion and evaluator does not
 * change.
 */
export const insertScores = async (tx: Tx, rows: readonly NewScoreRow[]): Promise<number> => {
  if (rows.length === 0) return 0;
  const added = await insertScoreRows(tx, rows);
  await markStale(tx, [...new Set(rows.map(({ resultId }) => resultId))]);
  return added;
};

const { id: _, ...SCORE_COLUMNS } = getTableColumns(scores);
const SCORE_FIELDS = Object.keys(SCORE_COLUMNS) as (keyof typeof SCORE_COLUMNS)[];

/** Adds scores of results whose run the caller marks as changed. Returns how many were added. */
export const insertScoreRows = async (tx: Tx, rows: readonly NewScoreRow[]): Promise<number> => {
  if (rows.length === 0) return 0;
  const asked = new Map(rows.map(({ criterionHash, criterion }) => [criterionHash, criterion]));
  const definitions = [...asked].map(([hash, definition]) => ({ hash, definition }));
  await tx.insert(criteria).values(definitions).onConflictDoNothing();
  return insertRows(tx, scores, SCORE_FIELDS, rows);
};

export const findResult = async (db: Reads, id: string): Promise<ResultRow | undefined> => {
  const [row] = await joinedResults(db).where(eq(results.id, id));
  return row && { ...row.result, sample: row.sample };
};

/** Results of a run in the order of their samples' keys, after `cursor`. */
export const listResults = async (
  db: Reads,
  runId: string,
  { limit, cursor }: { limit: number; cursor?: ResultCursor },
): Promise<ResultRow[]> => {
  const rows = await joinedResults(db)
    .where(and(eq(results.runId, runId), isAfterResult(cursor)))
    .orderBy(asc(results.sampleKey), asc(results.repeat))
    .limit(limit);
  return rows.map(({ result, sample }) => ({ ...result, sample }));
};

export type ResultSort = "sample" | "verdict";

const SORTED_BY: Readonly<Record<ResultSort, SQL>> = {
  sample: sql`results.sample_key COLLATE NOCASE`,
  verdict: sql`results.passed`,
};

/** A sorted slice of a run's results; results without a verdict come last. */
export const listSortedResults = async (
  db: Reads,
  runId: string,
  { limit, offset, sort }: Slice<ResultSort>,
): Promise<ResultRow[]> => {
  const rows = await joinedResults(db)
    .where(eq(results.runId, runId))
    .orderBy(sql`${SORTED_BY[sort.by]} IS NULL`, sortedBy(SORTED_BY, sort), asc(results.sampleKey), asc(results.repeat))
    .limit(limit)
    .offset(offset);
  return rows.map(({ result, sample }) => ({ ...result, sample }));
};

/** Scores of these results, oldest first. */
export const listScores = async (db: Reads, resultIds: readonly string[]): Promise<ScoreRow[]> => {
  const rows = await db
    .select({ score: scores, criterion: criteria.definition })
    .from(scores)
    .innerJoin(criteria, eq(criteria.hash, scores.criterionHash))
    .where(inArray(scores.resultId, [...resultIds]))
    .orderBy(asc(scores.id));
  return rows.map(({ score, criterion }) => ({ ...score, criterion }));
};

export const findCriteria = async (db: Reads, hashes: readonly string[]): Promise<Map<string, Definition>> => {
  const rows = await db
    .select()
    .from(criteria)
    .where(inArray(criteria.hash, [...hashes]));
  return new Map(rows.map(({ hash, definition }) => [hash, definition]));
};

/** The fields of a score that statistics need, without texts. */
export interface ScoreFigure {
  resultId: string;
  sampleKey: string;
  group: string | null;
  metric: string;
  evaluator: string;
  criterionHash: string;
  shadow: boolean;
  value: number | null;
  passed: boolean | null;
  failure: string | null;
}

/** The same with the fields that only comparisons need. */
export interface ScaledFigure extends ScoreFigure {
  evaluatorHash: string;
  /** Model and revision of the judge; null for an evaluator without one, and for a judge that failed. */
  judge: string | null;
}

const figure = {
  resultId: scores.resultId,
  sampleKey: results.sampleKey,
  group: samples.group,
  metric: scores.metric,
  evaluator: scores.evaluator,
  evaluatorHash: scores.evaluatorHash,
  judge: sql<
    string | null
  >`json_extract(${scores.judge}, '$.model') || ' ' || COALESCE(json_extract(${scores.judge}, '$.model_revision'), '')`,
  criterionHash: scores.criterionHash,
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

/** All scores of these results without their texts, grouped by result. */
export const listFigures = (db: Reads, resultIds: readonly string[]): Promise<ScaledFigure[]> =>
  figures(db)
    .where(inArray(scores.resultId, [...resultIds]))
    .orderBy(asc(scores.resultId), asc(scores.id));

export interface RunTotals {
  total: number;
  done: number;
  errors: number;
  running: number;
  /** Number of results with a verdict, and number of results that passed. */
  judged: number;
  passed: number;
  promptTokens: number;
  completionTokens: number;
  /** Milliseconds that nodes spent on the outputs; cached outputs count as 0. */
  workedMs: number;
}

export const findRunTotals = async (db: Reads, runId: string): Promise<RunTotals> => {
  const sum = (value: SQL) => sql<number>`COALESCE(SUM(${value}), 0)`;
  const [row] = await db
    .select({
      total: count(),
      done: sum(sql`${results.state} IN ('done', 'error')`),
      errors: sum(sql`${results.state} = 'error'`),
      running: sum(sql`${results.state} = 'running'`),
      judged: count(results.passed),
      passed: sum(sql`${results.passed}`),
      promptTokens: sum(outputField("usage.prompt_tokens")),
      completionTokens: sum(outputField("usage.completion_tokens")),
      workedMs: sum(
        sql`CASE WHEN ${isMade} THEN ${outputField("latency.total")} - ${outputField("latency.queue")} END`,
      ),
    })
    .from(results)
    .where(eq(results.runId, runId));
  if (!row) throw new Error("Unreachable: a count has a row.");
  return row;
};

export const listFailureCounts = (db: Reads, runId: string): Promise<{ failure: string; count: number }[]> =>
  db
    .select({ failure: sql<string>`${results.failure}`, count: count() })
    .from(results)
    .where(and(eq(results.runId, runId), isNotNull(results.failure)))
    .groupBy(results.failure);

/** Sorted names of the criteria that this evaluator (`name@version`), or any evaluator, has scored. */
export const listMetrics = async (db: Reads, evaluator?: string): Promise<string[]> => {
  const rows = await db
    .selectDistinct({ metric: scores.metric })
    .from(scores)
    .where(evaluator === undefined ? undefined : eq(scores.evaluator, evaluator))
    .orderBy(asc(scores.metric));
  return rows.map(({ metric }) => metric);
};

/** Evaluators (`name@version`, sorted) that scored a result for a criterion for which people have labelled it. */
export const listEvaluatorsWithLabels = async (db: Reads, metric?: string): Promise<string[]> => {
  const rows = await db
    .selectDistinct({ evaluator: scores.evaluator })
    .from(labels)
    .innerJoin(scores, and(eq(scores.resultId, labels.resultId), eq(scores.metric, labels.metric)))
    .where(and(isNull(labels.replacedAt), metric === undefined ? undefined : eq(labels.metric, metric)))
    .orderBy(asc(scores.evaluator));
  return rows.map(({ evaluator }) => evaluator);
};

/**
 * An evaluator's scores for a criterion, without their texts: for every result that people have labelled for this
 * criterion, and for the newest `maxUnlabelled` other results. Oldest first within a result.
 */
export const listFiguresBy = async (
  db: Reads,
  { evaluator, metric, maxUnlabelled }: { evaluator: string; metric: string; maxUnlabelled: number },
): Promise<ScoreFigure[]> => {
  const isLabelled = sql`EXISTS (SELECT 1 FROM labels AS l WHERE l.result_id = ${scores.resultId}
    AND l.metric = ${scores.metric} AND l.replaced_at IS NULL)`;
  const newestFirst = (condition: SQL) =>
    figures(db)
      .where(and(eq(scores.evaluator, evaluator), eq(scores.metric, metric), condition))
      .orderBy(desc(scores.id));
  const labelled = await newestFirst(isLabelled);
  const others = await newestFirst(sql`NOT ${isLabelled}`).limit(maxUnlabelled);
  return [...labelled, ...others].reverse();
};
