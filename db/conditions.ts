import { and, asc, desc, eq, lt, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/**
 * True where the column contains `text`, ignoring case; wildcards match literally. Both operators scan the column. LIKE
 * ignores case for ASCII letters only, so other text is matched with GLOB and both cases of each letter. GLOB takes several
 * times as long, so LIKE checks the ASCII characters first, and a pattern doesn't begin with a set of letters.
 */
export const like = (column: SQLWrapper, text: string): SQL => {
  const letters = [...text];
  const ascii = letters.map((letter) => (isAscii(letter) ? letter.replace(/[\\%_]/, "\\$&") : "_")).join("");
  const hasAscii = sql`${column} LIKE ${`%${ascii}%`} ESCAPE '\\'`;
  if (isAscii(text)) return hasAscii;
  const [first = "", ...rest] = letters.map(casesOf);
  const globs = [...first].map((letter) => sql`${column} GLOB ${`*${[letter, ...rest].map(anyOf).join("")}*`}`);
  const isFound = sql`(${sql.join(globs, sql` OR `)})`;
  return letters.some(isAscii) ? sql`(${hasAscii} AND ${isFound})` : isFound;
};

/** Both cases of a letter: `äÄ`. A letter whose other case has several characters, such as ß, matches only itself. */
const casesOf = (letter: string): string => {
  const cases = new Set([letter, letter.toLowerCase(), letter.toUpperCase()]);
  return [...cases].filter((one) => [...one].length === 1).join("");
};

/** Any of these letters. */
const anyOf = (letters: string): string =>
  [...letters].length > 1 || /[*?[]/.test(letters) ? `[${letters}]` : letters;

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
