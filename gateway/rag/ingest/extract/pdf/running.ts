import { rowsOf, type Segment } from "./spans";

/** Number of lines at the top and bottom of a page that may be headers or footers. */
const EDGE_ROWS = 3;
const MIN_PAGES = 2;
/** Minimum fraction of pages that repeat a header. Left and right pages may have different ones. */
const MIN_SHARE = 0.3;

/** Removes headers and footers: edge lines that repeat at the same height, apart from their page number. */
export const withoutRunning = (pages: readonly (readonly Segment[])[]): Segment[][] => {
  const rowsByPage = pages.map((segments) => {
    const rows = rowsOf(segments);
    const isEdge = (i: number) => i < EDGE_ROWS || i >= rows.length - EDGE_ROWS;
    return rows.map((row, i) => ({ row, key: isEdge(i) ? keyOf(row) : "" }));
  });
  const counts = new Map<string, number>();
  for (const rows of rowsByPage) {
    for (const key of new Set(rows.map((row) => row.key))) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const needed = Math.max(MIN_PAGES, rowsByPage.filter((rows) => rows.length > 0).length * MIN_SHARE);
  return rowsByPage.map((rows) => {
    // A page number that increases is enough evidence on two pages.
    const isRepeated = (key: string) =>
      key !== "" && (counts.get(key) ?? 0) >= (key.includes("#") ? MIN_PAGES : needed);
    const isRunning = ({ row, key }: (typeof rows)[number], i: number) =>
      isRepeated(key) || ((i === 0 || i === rows.length - 1) && isPageNumber(row));
    // Stops at the first line from the edge that is not repeated.
    const first = rows.findIndex((row, i) => !isRunning(row, i));
    const last = rows.findLastIndex((row, i) => !isRunning(row, i));
    return first < 0 ? [] : rows.slice(first, last + 1).flatMap(({ row }) => row);
  });
};

const ROMAN = /^\W{0,3}[ivxl]{1,7}\W{0,3}$/;
const PAGE_NUMBER =
  /^\W{0,3}(?:(?:page|seite|página|pagina|p\.|s\.)\s*)?(\d{1,4})(?:\s*(?:of|von|de|di|sur|\/)\s*\d{1,4})?\W{0,3}$/i;

/** Whether a line contains only the page number. */
const isPageNumber = (row: readonly Segment[]): boolean => {
  const text = textOf(row);
  return ROMAN.test(text) || Number(PAGE_NUMBER.exec(text)?.[1]) === (row[0]?.page ?? 0) + 1;
};

const textOf = (row: readonly Segment[]): string =>
  [...row]
    .sort((a, b) => a.x0 - b.x0)
    .map((segment) => segment.text)
    .join(" ");

/** A key of the text and height. Numbers at either end are relative to the page number. */
const keyOf = (row: readonly Segment[]): string => {
  const page = row[0]?.page ?? 0;
  const counted = textOf(row)
    .slice(0, 500)
    .replace(/^\W{0,3}(\d{1,4})(?=\W|$)/, (_, number: string) => `#${Number(number) - page}`)
    .replace(
      /(?<![\d.,#-])(\d{1,4})(?=(?:\s*(?:of|von|de|di|sur|\/)\s*\d{1,4})?\W{0,3}$)/i,
      (_, number: string) => `#${Number(number) - page}`,
    );
  return `${Math.round((row[0]?.y ?? 0) / 2)} ${counted}`;
};
