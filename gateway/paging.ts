import { AppError } from "../lib/errors";
import type { Page } from "./contract";

/** Builds a page for a response. `rows` has one more than `limit` if there is a next page. */
export const pageOf = <Row, Wire>(
  rows: readonly Row[],
  limit: number,
  toWire: (row: Row) => Wire,
  cursorOf: (last: Row) => string,
): Page<Wire> => {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { data: shown.map(toWire), has_more: last !== undefined, next_cursor: last ? cursorOf(last) : null };
};

/** Builds a list in OpenAI's format. If there is a next page, `rows` has one row more than `limit`. */
export const idListOf = <Row extends { id: string }, Wire>(
  rows: readonly Row[],
  limit: number,
  toWire: (row: Row) => Wire,
) => {
  const shown = rows.slice(0, limit);
  return {
    object: "list" as const,
    data: shown.map(toWire),
    first_id: shown.at(0)?.id ?? null,
    last_id: shown.at(-1)?.id ?? null,
    has_more: rows.length > limit,
  };
};

/** The query for a numbered page of a list. Pages count from 1. */
export interface NumberedQuery<By extends string> {
  page: number;
  pageLength: number;
  sort: { by: By; isDescending: boolean };
}

/** A numbered page, for web pages that show "51 to 100 of 312". API clients follow cursors instead. */
export interface NumberedPage<T> {
  data: T[];
  page: number;
  pageLength: number;
  /** Number of rows on all pages. */
  total: number;
  /** There are more rows: counting all of them would take too long. */
  hasMore?: boolean;
}

/** Reads a numbered page. A number past the end returns the last page. */
export const numberedPage = async <T>(
  { page: asked, pageLength }: Pick<NumberedPage<T>, "page" | "pageLength">,
  total: number,
  read: (slice: { limit: number; offset: number }) => Promise<T[]>,
): Promise<NumberedPage<T>> => {
  const page = Math.max(1, Math.min(asked, Math.ceil(total / pageLength)));
  return { data: await read({ limit: pageLength, offset: (page - 1) * pageLength }), page, pageLength, total };
};

/** A position in a list that is sorted by time, then by id. */
export const timeCursor = (at: Date, id: string): string => `${at.getTime()}.${id}`;

/** Parses a cursor from `timeCursor`. Throws invalid_request for anything else. */
export const readTimeCursor = (after: string | undefined): { at: Date; id: string } | undefined => {
  if (after === undefined) return undefined;
  const [, ms, id] = /^(\d{1,15})\.(.+)$/.exec(after) ?? [];
  if (ms === undefined || id === undefined) throw strangeCursor();
  return { at: new Date(Number(ms)), id };
};

/** Parses a cursor that is an integer. Throws invalid_request for anything else. */
export const readNumberCursor = (after: string | undefined): number | undefined => {
  if (after === undefined) return undefined;
  if (!/^\d{1,15}$/.test(after)) throw strangeCursor();
  return Number(after);
};

/** The error for an invalid cursor. */
export const strangeCursor = (): AppError =>
  new AppError("invalid_request", "`after` must be a `next_cursor` of this list. Leave it out to start again.", {
    param: "after",
  });
