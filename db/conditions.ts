import { and, asc, desc, eq, lt, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

/**
 * True where the column contains `text`, ignoring case; wildcards match literally. LIKE ignores case for ASCII letters
 * only, so other text is matched with GLOB and both cases of each letter. Both scan the column.
 */
export const like = (column: SQLWrapper, text: string): SQL =>
  /^[\0-\x7f]*$/.test(text)
    ? sql`${column} LIKE ${`%${text.replaceAll(/[\\%_]/g, "\\$&")}%`} ESCAPE '\\'`
    : sql`${column} GLOB ${`*${[...text].map(eitherCase).join("")}*`}`;

/** Both cases of a letter: `[äÄ]`. A letter whose other case has several characters, such as ß, matches only itself. */
const eitherCase = (letter: string): string => {
  const cases = new Set([letter, letter.toLowerCase(), letter.toUpperCase()]);
  const single = [...cases].filter((one) => [...one].length === 1);
  return single.length > 1 || /[*?[]/.test(letter) ? `[${single.join("")}]` : letter;
};

/** Position in a list that is ordered by time, then by id, newest first. */
export interface TimeCursor {
  at: Date;
  id: string;
}

/** Part of a sorted list. */
export interface Slice<By extends string> {
  limit: number;
  offset: number;
  sort: { by: By; isDescending: boolean };
}

/** Orders by one of `columns`. */
export const sortedBy = <By extends string>(
  columns: Readonly<Record<By, SQL>>,
  { by, isDescending }: Slice<By>["sort"],
): SQL => (isDescending ? desc : asc)(columns[by]);

/** Rows of one INSERT. SQLite accepts 32,766 values per statement. */
export const INSERT_ROWS = 500;

/**
 * True for the rows after `place` in a list ordered by `time`, then `id`, newest first; undefined (no condition)
 * without `place`.
 */
export const isAfter = (time: SQLiteColumn, id: SQLiteColumn, place: TimeCursor | undefined): SQL | undefined =>
  place && or(lt(time, place.at), and(eq(time, place.at), lt(id, place.id)));
