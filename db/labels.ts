import { and, asc, desc, eq, getTableColumns, gt, inArray, isNull, lt, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { type AllowedIndexes, hasReadableIndex, markStale } from "./runs";
import { keys, labels, results, runs } from "./schema";

export type LabelRow = typeof labels.$inferSelect;
/** A label with the name of its author's key; null if that key is unknown, as for an imported label. */
export type NamedLabelRow = LabelRow & { labelledByName: string | null };

const named = (db: Reads) =>
  db
    .select({ ...getTableColumns(labels), labelledByName: keys.name })
    .from(labels)
    .leftJoin(keys, eq(keys.id, labels.labelledBy));

/** Stores a label. The author's earlier label for the same criterion is kept as history and marked as replaced. */
export const replaceLabel = async (tx: Tx, row: Omit<LabelRow, "replacedAt">): Promise<void> => {
  await tx
    .update(labels)
    .set({ replacedAt: row.createdAt })
    .where(
      and(
        eq(labels.resultId, row.resultId),
        eq(labels.metric, row.metric),
        eq(labels.labelledBy, row.labelledBy),
        isNull(labels.replacedAt),
      ),
    );
  await tx.insert(labels).values(row);
  await markStale(tx, [row.resultId]);
};

/** Current labels of these results, oldest first. */
export const listLabels = (db: Reads, resultIds: readonly string[]): Promise<NamedLabelRow[]> =>
  named(db)
    .where(and(inArray(labels.resultId, [...resultIds]), isNull(labels.replacedAt)))
    .orderBy(asc(labels.id));

/** Labels of a result after the id `after`, including replaced ones, oldest first. */
export const listLabelHistory = (
  db: Reads,
  resultId: string,
  { limit, after }: { limit: number; after?: string },
): Promise<NamedLabelRow[]> =>
  named(db)
    .where(and(eq(labels.resultId, resultId), after === undefined ? undefined : gt(labels.id, after)))
    .orderBy(asc(labels.id))
    .limit(limit);

export const listRunLabels = (db: Reads, runId: string): Promise<LabelRow[]> =>
  db
    .select({ label: labels })
    .from(labels)
    .innerJoin(results, eq(results.id, labels.resultId))
    .where(and(eq(results.runId, runId), isNull(labels.replacedAt)))
    .orderBy(asc(labels.id))
    .then((rows) => rows.map(({ label }) => label));

interface UnlabelledQuery {
  metric: string;
  labelledBy: string;
  runId?: string;
  before?: string;
  limit: number;
  allowed: AllowedIndexes;
}

const isLabelledBy = (metric: string, author: string) =>
  sql`EXISTS (SELECT 1 FROM labels AS l WHERE l.result_id = results.id
    AND l.metric = ${metric} AND l.labelled_by = ${author} AND l.replaced_at IS NULL)`;

/** Ids of results that this author has not labelled for this criterion, newest first, older than the id `before`. */
export const listUnlabelled = async (
  db: Reads,
  { metric, labelledBy, runId, before, limit, allowed }: UnlabelledQuery,
): Promise<string[]> => {
  const isScored = sql`EXISTS (SELECT 1 FROM scores AS s WHERE s.result_id = results.id AND s.metric = ${metric})`;
  const rows = await db
    .select({ id: results.id })
    .from(results)
    .innerJoin(runs, eq(runs.id, results.runId))
    .where(
      and(
        hasReadableIndex(allowed),
        eq(results.state, "done"),
        runId === undefined ? undefined : eq(results.runId, runId),
        before === undefined ? undefined : lt(results.id, before),
        isScored,
        sql`NOT ${isLabelledBy(metric, labelledBy)}`,
      ),
    )
    .orderBy(desc(results.id))
    .limit(limit);
  return rows.map(({ id }) => id);
};

/** Scores this close to the threshold, as a share of the scale, could as well have been on its other side. */
const NEAR = 0.1;

/**
 * The results of a run whose verdict on a criterion is least certain: evaluators disagree, then answers to the same
 * sample have different verdicts, then scores are near the threshold. At most `limit`, and whether the author has
 * labelled them.
 */
export const listDisagreements = (
  db: Reads,
  { metric, labelledBy, runId, limit, allowed }: Required<Omit<UnlabelledQuery, "before">>,
): Promise<{ id: string; isLabelled: boolean }[]> => {
  const threshold = sql`(c.definition ->> '$.threshold')`;
  const length = sql`NULLIF((c.definition ->> '$.scale.max') - (c.definition ->> '$.scale.min'), 0)`;
  return db
    .all<{ id: string; labelled: number }>(
      sql`SELECT results.id AS id, MAX(s.passed) <> MIN(s.passed) AS is_split,
        (SELECT MAX(r.passed) <> MIN(r.passed) FROM results AS r
          WHERE r.run_id = results.run_id AND r.sample_key = results.sample_key) AS is_varying,
        MIN(ABS(s.value - ${threshold}) / ${length}) AS distance,
        ${isLabelledBy(metric, labelledBy)} AS labelled
      FROM results JOIN runs ON runs.id = results.run_id
        JOIN scores AS s ON s.result_id = results.id AND s.metric = ${metric} AND s.state = 'scored'
        JOIN criteria AS c ON c.hash = s.criterion_hash
      WHERE ${and(sql`results.run_id = ${runId} AND results.state = 'done'`, hasReadableIndex(allowed))}
      GROUP BY results.id HAVING is_split OR is_varying OR distance <= ${NEAR}
      ORDER BY is_split DESC, is_varying DESC, distance, results.position, results.repeat LIMIT ${limit}`,
    )
    .then((rows) => rows.map(({ id, labelled }) => ({ id, isLabelled: labelled === 1 })));
};

/** Current labels for a criterion, on all results that this evaluator (`name@version`) has scored for it. */
export const listLabelsFor = (db: Reads, evaluator: string, metric: string): Promise<LabelRow[]> => {
  const isScored = sql`EXISTS (SELECT 1 FROM scores AS s WHERE s.result_id = ${labels.resultId}
    AND s.metric = ${metric} AND s.evaluator = ${evaluator})`;
  return db
    .select()
    .from(labels)
    .where(and(eq(labels.metric, metric), isNull(labels.replacedAt), isScored))
    .orderBy(asc(labels.id));
};

/** All labels of these results, including replaced ones, oldest first. */
export const listLabelHistories = (db: Reads, resultIds: readonly string[]): Promise<NamedLabelRow[]> =>
  named(db)
    .where(inArray(labels.resultId, [...resultIds]))
    .orderBy(asc(labels.id));

export const findLabelIds = async (db: Reads, ids: readonly string[]): Promise<string[]> => {
  const rows = await db
    .select({ id: labels.id })
    .from(labels)
    .where(inArray(labels.id, [...ids]));
  return rows.map(({ id }) => id);
};
