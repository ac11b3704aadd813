import type { Child } from "hono/jsx";
import type { NumberedPage } from "../../gateway/paging";
import { EmptyState } from "./states";
import { type Column, Table } from "./table";
import { count, number } from "./time";

/** An address with query values; empty values are left out. */
export const withQuery = (path: string, query: Record<string, string | number | undefined>): string => {
  const given = new URLSearchParams(withoutEmpty(query) as Record<string, string>);
  return given.size === 0 ? path : `${path}?${given}`;
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

interface ListProps<T> {
  /** One page of rows. */
  page: NumberedPage<T>;
  /** "evaluation": what a row is. */
  noun: string;
  caption: string;
  columns: readonly Column<T>[];
  sort?: { by: string; isDescending: boolean };
  path: string;
  query: object;
  /** Shown if there are no rows. */
  children?: Child;
}

/** A numbered list: "51 to 100 of 312 evaluations", the table, and links to the pages before and after. */
export const List = <T,>({ page: shown, noun, caption, columns, sort, path, query, children }: ListProps<T>) => {
  const { data, page, pageLength, total } = shown;
  const to = (changes: Record<string, string | undefined>) =>
    withQuery(path, { ...query, page: undefined, ...changes });
  const toPage = (number: number) => to({ page: number === 1 ? undefined : String(number) });
  const last = Math.ceil(total / pageLength);
  const first = (page - 1) * pageLength + 1;
  const range = `${number(first)} to ${number(Math.min(page * pageLength, total))} of `;
  return (
    <>
      {data.length === 0 ? (
        children
      ) : (
        <>
          <p class="row-range" role="status">
            {total > pageLength && range}
            {count(total, noun)}
          </p>
          <Table
            caption={caption}
            rows={data}
            columns={columns}
            sorting={sort && { ...sort, href: (by) => to({ sort: by }) }}
          />
        </>
      )}
      {last > 1 && (
        <nav class="pager" aria-label="Pages">
          {page > 1 && (
            <a class="button secondary" rel="prev" href={toPage(page - 1)}>
              Previous page
            </a>
          )}
          <span class="fine">{`Page ${page} of ${last}`}</span>
          {page < last && (
            <a class="button secondary" rel="next" href={toPage(page + 1)}>
              Next page
            </a>
          )}
        </nav>
      )}
    </>
  );
};

/** A list that a filter has left empty, with a link back to the whole one. */
export const NoMatch = ({ title, href, link }: { title: string; href: string; link: string }) => (
  <EmptyState title={title}>
    <p>
      <a href={href}>{link}</a>
    </p>
  </EmptyState>
);

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
