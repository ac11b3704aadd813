import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { Reads } from "./client";
import { like } from "./conditions";
import { joinedResults, type ResultRow } from "./joined-results";
import { results, samples } from "./schema";

export interface ResultFilter {
  state?: ResultRow["state"];
  passed?: boolean;
  failure?: string;
  tag?: string;
  group?: string;
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

/** A text as it is inside a JSON string. */
const asJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/** For results that are joined with their samples. */
const isInInput = (search: string): SQL => like(sql`samples.input`, asJson(search));

/** For results alone: finds the samples first. */
const isInAnyInput = (search: string): SQL =>
  sql`results.sample_id IN (SELECT samples.id FROM samples WHERE ${isInInput(search)})`;

/** Results of a run that match the filter. A search needs their samples, unless `inInput` doesn't. */
export const isMatch = (
  runId: string,
  { state, passed, failure, tag, group, search }: ResultFilter,
  inInput = isInInput,
): SQL | undefined =>
  and(
    eq(results.runId, runId),
    state && eq(results.state, state),
    passed === undefined ? undefined : eq(results.passed, passed),
    failure === undefined ? undefined : eq(results.failure, failure),
    tag === undefined
      ? undefined
      : sql`EXISTS (SELECT 1 FROM result_tags AS t WHERE t.run_id = results.run_id AND t.tag = ${tag}
          AND t.position = results.position AND t.repeat = results.repeat)`,
    group === undefined
      ? undefined
      : sql`results.sample_id IN (SELECT s.id FROM samples AS s WHERE s."group" = ${group})`,
    search === undefined
      ? undefined
      : or(
          inInput(search),
          // Searching the raw JSON first is twice as fast as extracting every text.
          and(like(results.output, asJson(search)), like(sql`json_extract(results.output, '$.text')`, search)),
          eq(results.sampleKey, search),
        ),
  );

/** Results after `cursor` in the dataset's order. */
export const isPast = ({ position, repeat }: BatchCursor): SQL =>
  sql`(${results.position}, ${results.repeat}) > (${position}, ${repeat})`;

/** Results after `cursor` in a list whose values are sorted, with missing values last. */
const isAfter = (sort: BatchSort, cursor: BatchCursor): SQL | undefined => {
  if (sort === "dataset") return isPast(cursor);
  const column = sort === "worst" ? results.overall : results.latencyMs;
  const { value } = cursor;
  if (value === null) return and(isNull(column), isPast(cursor));
  const further = sort === "worst" ? gt(column, value) : lt(column, value);
  return or(further, and(eq(column, value), isPast(cursor)), isNull(column));
};

/** Results before `cursor` in such a list. */
const isBefore = (sort: BatchSort, { value, position, repeat }: BatchCursor): SQL | undefined => {
  const isEarlier = sql`(${results.position}, ${results.repeat}) < (${position}, ${repeat})`;
  if (sort === "dataset") return isEarlier;
  const column = sort === "worst" ? results.overall : results.latencyMs;
  if (value === null) return or(isNotNull(column), and(isNull(column), isEarlier));
  const nearer = sort === "worst" ? lt(column, value) : gt(column, value);
  return or(nearer, and(eq(column, value), isEarlier));
};

const inOrder = [asc(results.position), asc(results.repeat)];
const ORDER: Readonly<Record<BatchSort, SQL[]>> = {
  dataset: inOrder,
  worst: [sql`${results.overall} ASC NULLS LAST`, ...inOrder],
  slowest: [desc(results.latencyMs), ...inOrder],
};

const backwards = [desc(results.position), desc(results.repeat)];
const REVERSED: Readonly<Record<BatchSort, SQL[]>> = {
  dataset: backwards,
  worst: [sql`${results.overall} DESC NULLS FIRST`, ...backwards],
  slowest: [asc(results.latencyMs), ...backwards],
};

/** Finds results without reading their rows: the indexes cover everything except a text search. */
const found = (
  db: Reads,
  runId: string,
  { sort, ...filter }: ResultFilter & { sort?: BatchSort },
  more?: SQL,
  inInput = isInInput,
) => {
  const rows = db
    .select({ rowid: sql<number>`results.rowid`.as("rowid") })
    .from(results)
    .$dynamic();
  const isJoined = filter.search !== undefined && inInput === isInInput;
  const fitting = (isJoined ? rows.innerJoin(samples, eq(samples.id, results.sampleId)) : rows).where(
    and(isMatch(runId, filter, inInput), more),
  );
  return sort === undefined ? fitting : fitting.orderBy(...ORDER[sort]);
};

/** In a run with fewer results, a search is fast either way. */
const MANY_RESULTS = 10_000;
/** Up to this many samples per result of the run, reading all samples is faster. */
const MAX_SAMPLES = 4;
/** A text that is in at least 100 of the first 2,000 results is frequent. */
const PROBED = 2000;
const FREQUENT = 100;

/** Whether the searched text is probably rare, and the run large enough for this to matter. */
const isRare = async (db: Reads, runId: string, filter: ResultFilter): Promise<boolean> => {
  if (filter.search === undefined) return false;
  const size = await db.get<{ total: number; all: number }>(
    sql`SELECT progress ->> 'total' AS total, (SELECT MAX(rowid) FROM samples) AS "all" FROM runs WHERE id = ${runId}`,
  );
  if (!size || size.total < MANY_RESULTS || size.all > MAX_SAMPLES * size.total) return false;
  const isFirst = sql`results.rowid IN (SELECT r.rowid FROM results AS r WHERE r.run_id = ${runId}
    ORDER BY r.position, r.repeat LIMIT ${PROBED})`;
  const first = await found(db, runId, filter, isFirst).limit(FREQUENT);
  return first.length < FREQUENT;
};

/**
 * A search for a frequent text soon has enough. For a rare one, going from every result to its sample, in another order than
 * they are stored in, takes two to three times as long as reading all samples first, and sorting what was found.
 */
const foundRare = (db: Reads, runId: string, filter: ResultFilter, sort: BatchSort) => {
  const all = found(db, runId, { ...filter, sort: "dataset" }, undefined, isInAnyInput).limit(-1);
  return db
    .select({ rowid: sql<number>`results.rowid` })
    .from(results)
    .where(sql`results.rowid IN ${all}`)
    .orderBy(...ORDER[sort])
    .$dynamic();
};

/** Places of the results that match the filter, in order, for `listResultsAt`. */
export const findPlaces = async (
  db: Reads,
  runId: string,
  { limit, offset, ...list }: ResultFilter & { limit: number; offset: number; sort: BatchSort },
): Promise<number[]> => {
  const { sort, ...filter } = list;
  const rows = await ((await isRare(db, runId, filter)) ? foundRare(db, runId, filter, sort) : found(db, runId, list))
    .limit(limit)
    .offset(offset);
  return rows.map(({ rowid }) => rowid);
};

/** Results at these places, in the same order. */
export const listResultsAt = async (db: Reads, places: readonly number[]): Promise<ResultRow[]> => {
  const rows = await joinedResults(db, { rowid: sql<number>`results.rowid` }).where(
    inArray(sql`results.rowid`, [...places]),
  );
  const byPlace = new Map(rows.map(({ rowid, result, sample }) => [rowid, { ...result, sample }]));
  return places.flatMap((place) => byPlace.get(place) ?? []);
};

export const countBatchResults = async (db: Reads, runId: string, filter: ResultFilter): Promise<number> =>
  db.$count(found(db, runId, filter).as("found"));

/** Ids of the results before and after `cursor` in a list. */
export const findNeighbours = async (
  db: Reads,
  runId: string,
  { cursor, sort, ...filter }: ResultFilter & { cursor: BatchCursor; sort: BatchSort },
): Promise<{ previous: string | undefined; next: string | undefined }> => {
  const idOf = async (place: SQL | undefined, order: SQL[]): Promise<string | undefined> => {
    const [row] = await db
      .select({ id: results.id })
      .from(results)
      .where(
        sql`results.rowid IN ${found(db, runId, filter, place)
          .orderBy(...order)
          .limit(1)}`,
      );
    return row?.id;
  };
  return {
    previous: await idOf(isBefore(sort, cursor), REVERSED[sort]),
    next: await idOf(isAfter(sort, cursor), ORDER[sort]),
  };
};

/** A result's number in a list, from 1, and the length of the list; null if the list doesn't contain it. */
export const findNumber = async (
  db: Reads,
  runId: string,
  { id, cursor, sort, ...filter }: ResultFilter & { id: string; cursor: BatchCursor; sort: BatchSort },
): Promise<{ number: number; total: number } | null> => {
  const counted = (more?: SQL) => db.$count(found(db, runId, filter, more).as("found"));
  if ((await counted(eq(results.id, id))) === 0) return null;
  return { number: (await counted(isBefore(sort, cursor))) + 1, total: await counted() };
};

/** All results of a sample in a run, by repeat. */
export const listRepeats = (
  db: Reads,
  runId: string,
  sampleKey: string,
): Promise<Pick<ResultRow, "id" | "repeat" | "state" | "passed">[]> =>
  db
    .select({ id: results.id, repeat: results.repeat, state: results.state, passed: results.passed })
    .from(results)
    .where(and(eq(results.runId, runId), eq(results.sampleKey, sampleKey)))
    .orderBy(asc(results.repeat));

/** Results of a batch run that match the filter, after `cursor`. */
export const listBatchResults = async (
  db: Reads,
  runId: string,
  { limit, cursor, sort, ...filter }: ResultFilter & { limit: number; cursor?: BatchCursor; sort: BatchSort },
): Promise<ResultRow[]> => {
  const rows = await joinedResults(db)
    .where(and(isMatch(runId, filter), cursor && isAfter(sort, cursor)))
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

/** The parts of each result that a recomputation needs, in the order in which the results ended. */
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
