import { and, eq, lt, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

/** True where the column holds `text` as it stands: % and _ mean themselves. Letters of ASCII match in both cases. */
export const like = (column: SQLWrapper, text: string): SQL =>
  sql`${column} LIKE ${`%${text.replaceAll(/[\\%_]/g, "\\$&")}%`} ESCAPE '\\'`;

/** Place in a list that is ordered by a time, then by id, the latest first. */
export interface TimeCursor {
  at: Date;
  id: string;
}

/** True for the rows after a place in such a list; undefined, so no condition, without a place. */
export const isAfter = (time: SQLiteColumn, id: SQLiteColumn, place: TimeCursor | undefined): SQL | undefined =>
  place && or(lt(time, place.at), and(eq(time, place.at), lt(id, place.id)));
