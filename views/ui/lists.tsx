import type { Child } from "hono/jsx";
import { count } from "./time";

/** The current address with other query values; empty values are left out. */
export const withQuery = (path: string, query: Record<string, string | undefined>): string => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
};

/** The non-empty values of a query string. */
export const withoutEmpty = <T extends object>(query: T): T =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value)) as T;

/** Filter fields above a list. Their values are in the address, so that links show the same list. */
export const Filters = ({ action, children }: { action: string; children: Child }) => (
  <search>
    <form class="filters" method="get" action={action}>
      {children}
      <button type="submit" class="secondary">
        Filter
      </button>
    </form>
  </search>
);

/** Position of a numbered page in its list. */
interface PlaceInList {
  page: number;
  pageLength: number;
  /** Rows on all pages. */
  total: number;
}

/** "312 evaluations", or "51 to 100 of 312 evaluations". */
export const RowRange = ({ page, pageLength, total, noun }: PlaceInList & { noun: string }) => (
  <p class="row-range" role="status">
    {total > pageLength &&
      `${((page - 1) * pageLength + 1).toLocaleString("en")} to ${Math.min(page * pageLength, total).toLocaleString("en")} of `}
    {count(total, noun)}
  </p>
);

/** Links to the previous and the next page; nothing if all rows fit on one page. */
export const NumberedPager = ({
  page,
  pageLength,
  total,
  path,
  query,
}: PlaceInList & { path: string; query: Record<string, string | undefined> }) => {
  const to = (number: number) => withQuery(path, { ...query, page: number === 1 ? undefined : String(number) });
  const last = Math.ceil(total / pageLength);
  if (last < 2) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {page > 1 && (
        <a class="button secondary" rel="prev" href={to(page - 1)}>
          Previous page
        </a>
      )}
      <span class="fine">{`Page ${page} of ${last}`}</span>
      {page < last && (
        <a class="button secondary" rel="next" href={to(page + 1)}>
          Next page
        </a>
      )}
    </nav>
  );
};

/** Reads `page` of a query string; 1 for anything that is not a page number. */
export const readPage = (text: string | undefined): number => (/^[1-9]\d{0,8}$/.test(text ?? "") ? Number(text) : 1);

/** Reads `sort` of a query string: "-when" is `when`, descending. Returns `fallback` for an unknown column. */
export const readSort = <By extends string>(
  text: string | undefined,
  columns: readonly By[],
  fallback: { by: By; isDescending: boolean },
): { by: By; isDescending: boolean } => {
  const by = columns.find((column) => column === text?.replace(/^-/, ""));
  return by === undefined ? fallback : { by, isDescending: text?.startsWith("-") ?? false };
};
