import { and, desc, eq, gte, inArray, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { isAfter, like, type Slice, sortedBy, type TimeCursor } from "./conditions";
import { results, runs } from "./schema";

export type RunRow = typeof runs.$inferSelect;
export type NewRunRow = typeof runs.$inferInsert;

export interface RunFilter {
  kind?: RunRow["kind"];
  state?: RunRow["state"];
  datasetId?: string;
  tag?: string;
  search?: string;
  /** `name@version`: runs in which this evaluator has scored something. */
  evaluator?: string;
  /** true: every result with a verdict passed; false: at least one did not. */
  passed?: boolean;
  allowed?: AllowedIndexes;
  /** Only runs that ended then or later. */
  endedFrom?: Date;
}

/** Ids or names of the indexes that the reader may use; undefined: all. Results of a run contain passages of its index. */
export type AllowedIndexes = readonly string[] | undefined;

/** True for runs without an index, and for those whose index the reader may use. */
export const hasReadableIndex = (allowed: AllowedIndexes): SQL | undefined => {
  if (allowed === undefined) return undefined;
  const index = sql`json_extract(runs.pins, '$.target.index')`;
  const names = sql`(SELECT value FROM json_each(${JSON.stringify(allowed)}))`;
  return sql`(${index} IS NULL OR ${index} IN ${names}
    OR EXISTS (SELECT 1 FROM indexes WHERE indexes.id = ${index} AND indexes.name IN ${names}))`;
};

const hasResult = (condition: SQL): SQL =>
  sql`EXISTS (SELECT 1 FROM results WHERE results.run_id = runs.id AND ${condition})`;
const isFailed = hasResult(sql`results.passed = 0`);
const isPassed = sql`(${hasResult(sql`results.passed = 1`)} AND NOT ${isFailed})`;

const fits = ({
  kind,
  state,
  datasetId,
  tag,
  search,
  evaluator,
  passed,
  endedFrom,
  allowed,
}: RunFilter): SQL | undefined =>
  and(
    hasReadableIndex(allowed),
    kind && eq(runs.kind, kind),
    state && eq(runs.state, state),
    endedFrom && gte(runs.endedAt, endedFrom),
    datasetId === undefined ? undefined : eq(runs.datasetId, datasetId),
    tag === undefined ? undefined : sql`EXISTS (SELECT 1 FROM json_each(runs.tags) WHERE value = ${tag})`,
    search === undefined ? undefined : like(runs.name, search),
    passed === undefined ? undefined : passed ? isPassed : isFailed,
    evaluator === undefined
      ? undefined
      : sql`EXISTS (SELECT 1 FROM scores JOIN results ON results.id = scores.result_id
          WHERE results.run_id = runs.id AND scores.evaluator = ${evaluator})`,
  );

/** Sortable columns of runs; `verdict` is the fraction of results that passed. */
export type RunSort = "when" | "name" | "verdict";

const SORTED_BY: Readonly<Record<RunSort, SQL>> = {
  when: sql`runs.created_at`,
  name: sql`runs.name COLLATE NOCASE`,
  verdict: sql`CASE WHEN runs.progress IS NULL
    THEN (SELECT AVG(results.passed) FROM results WHERE results.run_id = runs.id)
    ELSE runs.progress ->> 'passed' * 1.0 / NULLIF(runs.progress ->> 'judged', 0) END`,
};

/** A sorted slice of the matching runs; runs without a value come last, and ties are ordered newest first. */
export const listSortedRuns = (
  db: Reads,
  { limit, offset, sort, ...filter }: RunFilter & Slice<RunSort>,
): Promise<RunRow[]> =>
  db
    .select()
    .from(runs)
    .where(fits(filter))
    .orderBy(sql`${SORTED_BY[sort.by]} IS NULL`, sortedBy(SORTED_BY, sort), desc(runs.createdAt), desc(runs.id))
    .limit(limit)
    .offset(offset);

export const countRuns = (db: Reads, filter: RunFilter): Promise<number> => db.$count(runs, fits(filter));

/** Newest first, after `cursor`. */
export const listRuns = (
  db: Reads,
  { limit, cursor, ...filter }: RunFilter & { limit: number; cursor?: TimeCursor },
): Promise<RunRow[]> =>
  db
    .select()
    .from(runs)
    .where(and(fits(filter), isAfter(runs.createdAt, runs.id, cursor)))
    .orderBy(desc(runs.createdAt), desc(runs.id))
    .limit(limit);

/** Also returns undefined if the reader may not use the run's index. */
export const findRun = (db: Reads, id: string, allowed?: AllowedIndexes): Promise<RunRow | undefined> =>
  db
    .select()
    .from(runs)
    .where(and(eq(runs.id, id), hasReadableIndex(allowed)))
    .get();

/** Marks the figures of these results' runs as stale, in the transaction that changes results, scores or labels. */
export const markStale = (tx: Tx, resultIds: readonly string[]) =>
  tx.run(sql`UPDATE runs SET changes = changes + 1
    WHERE id IN (SELECT run_id FROM results WHERE ${inArray(results.id, [...resultIds])})`);

/** Counts a failure kind once more or once less. */
export const countFailure = (failures: Record<string, number>, failure: string | null, by: 1 | -1): void => {
  if (failure === null) return;
  const count = (failures[failure] ?? 0) + by;
  if (count > 0) failures[failure] = count;
  else delete failures[failure];
};

/** Stores a run's figures, unless the stored ones are newer. */
export const storeFigures = async (tx: Tx, id: string, figures: NonNullable<RunRow["figures"]>): Promise<void> => {
  const stored = (path: string) => sql`COALESCE(json_extract(${runs.figures}, ${`$.${path}`}), -1)`;
  await tx
    .update(runs)
    .set({ figures })
    .where(
      and(
        eq(runs.id, id),
        sql`(${stored("version")}, ${stored("changes")}) <= (${figures.version}, ${figures.changes})`,
      ),
    );
};

export const insertRun = (tx: Tx, row: NewRunRow) => tx.insert(runs).values(row);

/** The newest completed runs that used this model and index (null: no index), among the last 1,000 runs. */
export const listRunsOfModel = (
  db: Reads,
  { model, index }: { model: string; index: string | null },
  limit: number,
): Promise<RunRow[]> => {
  const recent = db.select({ id: runs.id }).from(runs).orderBy(desc(runs.createdAt), desc(runs.id)).limit(1000);
  return db
    .select()
    .from(runs)
    .where(
      and(
        inArray(runs.id, recent),
        eq(runs.state, "completed"),
        sql`json_extract(${runs.pins}, '$.target.model') = ${model}`,
        sql`json_extract(${runs.pins}, '$.target.index') IS ${index}`,
      ),
    )
    .orderBy(desc(runs.createdAt), desc(runs.id))
    .limit(limit);
};
