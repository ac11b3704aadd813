import { and, between, desc, eq, gte, inArray, isNotNull, isNull, lt, lte, max, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Reads, Tx } from "./client";
import { insertRows } from "./json-rows";
import { requestLog } from "./schema";

export type { RequestDetail } from "./schema";

type Row = typeof requestLog.$inferSelect;
export type NewRequestRow = Omit<Row, "seq">;
/** A row of a list: without bodies. */
export type RequestRow = Omit<Row, "prompt" | "answer" | "isCut"> & { hasBodies: boolean };

const { seq, id, receivedAt, route, status, faultDomain, keyId, model, totalMs, detail, prompt } = requestLog;
const FACTS = { id, receivedAt, route, status, faultDomain, keyId, model, totalMs, detail };
const FIELDS = Object.keys(FACTS) as (keyof typeof FACTS)[];
const LISTED = { seq, ...FACTS, hasBodies: sql<boolean>`${prompt} IS NOT NULL`.mapWith(Boolean) };

/** Rows without bodies are much faster to write, and most have none. */
export const insertRequests = async (tx: Tx, rows: readonly NewRequestRow[]): Promise<void> => {
  const hasBodies = (row: NewRequestRow): boolean => row.prompt !== null;
  if (!rows.some(hasBodies)) await insertRows(tx, requestLog, FIELDS, rows);
  else await insertRows(tx, requestLog, [...FIELDS, "isCut", "prompt", "answer"], rows);
};

/** undefined: any. */
export interface RequestFilter {
  id?: string;
  keyId?: string;
  /** Only requests of this key, in addition to `keyId`. */
  visibleTo?: string;
  route?: string;
  model?: string;
  /** From the first status to the last. */
  statuses?: readonly [first: number, last: number];
  hasFailed?: boolean;
  faultDomain?: NonNullable<Row["faultDomain"]>;
  errorCode?: string;
  since?: Date;
  until?: Date;
  minTotalMs?: number;
}

/** A position in the list. */
export interface RequestPlace {
  at: Date;
  seq: number;
}

/** Rows that one statement looks at. Together they take a few milliseconds, in which nothing else runs. */
const WINDOW_ROWS = 20_000;

/**
 * Newest first. Filters without an index may have to look at every row, so that the list is read in windows of time,
 * and other requests get their turn in between.
 */
export const listRequests = async (
  db: Reads,
  filter: RequestFilter,
  limit: number,
  after?: RequestPlace,
): Promise<RequestRow[]> => {
  const conditions = conditionsOf(filter);
  const found: RequestRow[] = [];
  let place = after;
  for (;;) {
    const end = await findWindowEnd(db, filter, place);
    const rows = await db
      .select(LISTED)
      .from(requestLog)
      .where(and(...conditions, place && isOlder(place), end && gte(receivedAt, end)))
      .orderBy(desc(receivedAt), desc(seq))
      .limit(limit - found.length);
    found.push(...rows);
    if (end === undefined || found.length === limit) return found;
    // Rows of this very time have all been read.
    place = { at: end, seq: 0 };
  }
};

/** The time that ends the next window; undefined if the rest of the list fits into it, or an index finds the rows. */
const findWindowEnd = async (db: Reads, filter: RequestFilter, place?: RequestPlace): Promise<Date | undefined> => {
  const { id: wantedId, keyId: wantedKey = filter.visibleTo, since, until } = filter;
  if (wantedId !== undefined || wantedKey !== undefined || isAboutFailures(filter)) return undefined;
  const [end] = await db
    .select({ receivedAt })
    .from(requestLog)
    .where(and(place && lte(receivedAt, place.at), since && gte(receivedAt, since), until && lte(receivedAt, until)))
    .orderBy(desc(receivedAt))
    .limit(1)
    .offset(WINDOW_ROWS);
  return end?.receivedAt;
};

const isAboutFailures = ({ hasFailed, faultDomain: domain, errorCode }: RequestFilter): boolean =>
  hasFailed === true || domain !== undefined || errorCode !== undefined;

/** The newest request with this id. */
export const findRequest = (db: Reads, wanted: string): Promise<Row | undefined> =>
  db.select().from(requestLog).where(eq(id, wanted)).orderBy(desc(seq)).limit(1).get();

/**
 * Deletes up to `limit` of the oldest requests: those that arrived before `before`, and all but the newest `keptRows`.
 * Returns how many were deleted.
 */
export const deleteOldRequests = async (tx: Tx, before: Date, keptRows: number, limit: number): Promise<number> => {
  const [newest] = await tx.select({ seq: max(seq) }).from(requestLog);
  let deleted = 0;
  // Two statements, because each of them can use an index.
  for (const isOld of [lt(receivedAt, before), lte(seq, (newest?.seq ?? 0) - keptRows)]) {
    const some = tx
      .select({ seq })
      .from(requestLog)
      .where(isOld)
      .limit(limit - deleted);
    const { rowsAffected } = await tx.delete(requestLog).where(inArray(seq, some));
    deleted += rowsAffected;
  }
  return deleted;
};

/** Times of arrival are computed from durations, so that two of the same request may differ by a few milliseconds. */
const SAME_ARRIVAL_MS = 10;

/** Deletes an earlier row of the same request. */
export const deleteReplacedRequest = async (tx: Tx, row: NewRequestRow): Promise<void> => {
  const at = row.receivedAt.getTime();
  const isSame = between(receivedAt, new Date(at - SAME_ARRIVAL_MS), new Date(at + SAME_ARRIVAL_MS));
  await tx.delete(requestLog).where(and(eq(id, row.id), eq(route, row.route), isSame));
};

const isOlder = ({ at, seq: place }: RequestPlace): SQL => sql`(${receivedAt}, ${seq}) < (${at.getTime()}, ${place})`;

const conditionsOf = (filter: RequestFilter): (SQL | undefined)[] => {
  const { statuses, faultDomain: domain, errorCode, since, until, minTotalMs } = filter;
  const is = (column: SQLiteColumn, value: string | undefined) => (value === undefined ? undefined : eq(column, value));
  return [
    is(id, filter.id),
    is(keyId, filter.keyId),
    is(keyId, filter.visibleTo),
    is(route, filter.route),
    is(model, filter.model),
    is(faultDomain, domain),
    statuses && between(status, ...statuses),
    // SQLite then uses the index of failed requests.
    isAboutFailures(filter) ? isNotNull(faultDomain) : undefined,
    filter.hasFailed === false ? isNull(faultDomain) : undefined,
    errorCode === undefined ? undefined : sql`${detail} ->> 'code' = ${errorCode}`,
    since && gte(receivedAt, since),
    until && lte(receivedAt, until),
    minTotalMs === undefined ? undefined : gte(totalMs, minTotalMs),
  ];
};
