import { and, eq, lt, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

/**
 * True where the column contains `text`, in capitals or not; wildcards mean themselves. LIKE folds the letters of ASCII
 * only, so a text with other letters is matched by GLOB, with both cases of each letter. Both scan the column.
 */
export const like = (column: SQLWrapper, text: string): SQL =>
  /^[\0-\x7f]*$/.test(text)
    ? sql`${column} LIKE ${`%${text.replaceAll(/[\\%_]/g, "\\$&")}%`} ESCAPE '\\'`
    : sql`${column} GLOB ${`*${[...text].map(eitherCase).join("")}*`}`;

/** `[äÄ]` for either. A letter whose other case has several characters, such as ß, matches only itself. */
const eitherCase = (letter: string): string => {
  const cases = new Set([letter, letter.toLowerCase(), letter.toUpperCase()]);
  const single = [...cases].filter((one) => [...one].length === 1);
  return single.length > 1 || /[*?[]/.test(letter) ? `[${single.join("")}]` : letter;
};

/** Place in a list that is ordered by a time, then by id, the latest first. */
export interface TimeCursor {
  at: Date;
  id: string;
}

/** True for the rows after a place in such a list; undefined, so no condition, without a place. */
export const isAfter = (time: SQLiteColumn, id: SQLiteColumn, place: TimeCursor | undefined): SQL | undefined =>
  place && or(lt(time, place.at), and(eq(time, place.at), lt(id, place.id)));
