import type { Child } from "hono/jsx";
import type { NumberedPage } from "../../gateway/paging";
import type { Choice } from "./fields";
import { count, EmptyState, number } from "./parts";

/** Adds query values to a path, which may have some already; empty values are left out. */
export const withQuery = (path: string, query: Record<string, string | number | undefined>): string => {
  const given = new URLSearchParams(withoutEmpty(query) as Record<string, string>);
  return given.size === 0 ? path : `${path}${path.includes("?") ? "&" : "?"}${given}`;
};

/** Leaves out empty values: undefined, "" and 0. */
export const withoutEmpty = <T extends object>(query: T): T =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value)) as T;

/** Filter fields above a list. Their values are in the address, so a link shows the same list. */
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

/** Adds a value that came with a link to a filter's choices, so that submitting the form keeps it. */
export const withOther = (choices: readonly Choice[], value: string | undefined): readonly Choice[] => {
  const isKnown = choices.some((choice) => (typeof choice === "string" ? choice : choice.value) === value);
  return value === undefined || isKnown ? choices : [...choices, value];
};

interface CursorPagerProps {
  path: string;
  /** The filters. */
  query: object;
  /** Cursor of this page; undefined on the newest one. */
  after: string | undefined;
  /** Cursor of the next page; null on the last one. */
  next: string | null;
  /** Plural noun for the rows. */
  noun: string;
}

/** Links to the older and the newest rows of a list that is too long to be counted. */
export const CursorPager = ({ path, query, after, next, noun }: CursorPagerProps) =>
  after || next ? (
    <nav class="pager" aria-label="Pages">
      {after && (
        <a class="button secondary" href={withQuery(path, { ...query })}>
          Newest {noun}
        </a>
      )}
      {next && (
        <a class="button secondary" rel="next" href={withQuery(path, { ...query, after: next })}>
          Older {noun}
        </a>
      )}
    </nav>
  ) : null;

interface ListProps<T> {
  page: NumberedPage<T>;
  /** Singular noun for a row, such as "evaluation". */
  noun: string;
  /** Defaults to the noun with an s. */
  plural?: string;
  caption: string;
  columns: readonly Column<T>[];
  sort?: { by: string; isDescending: boolean };
  path: string;
  query: object;
  /** Shown if there are no rows. */
  children?: Child;
}

/** One page of a list: "51 to 100 of 312 evaluations", the table, and links to the pages before and after. */
export const List = <T,>({
  page: shown,
  noun,
  plural,
  caption,
  columns,
  sort,
  path,
  query,
  children,
}: ListProps<T>) => {
  const { data, page, pageLength, total, hasMore } = shown;
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
            {hasMore && "more than "}
            {count(total, noun, plural)}
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
          <span class="fine">{hasMore ? `Page ${page}` : `Page ${page} of ${last}`}</span>
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

/** Shown if no row matches the filters, with a link to the whole list. */
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

interface Column<T> {
  name: string;
  /** The column's name in the query string, if the table can be sorted by it. */
  sortKey?: string;
  cell: (row: T) => Child;
  /** Numbers are right-aligned, with digits of equal width. */
  isNumeric?: boolean;
  /** The cell's text wraps and is cut off after three lines. Cells without this don't wrap, except for times. */
  isLong?: boolean;
  /** Small text below the cell's content. */
  note?: (row: T) => string | undefined;
}

interface Sorting {
  by: string;
  isDescending: boolean;
  /** Address for a value of `sort`: `name` ascending, `-name` descending. */
  href: (sort: string) => string;
}

interface TableProps<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  sorting?: Sorting;
}

/** A table with a caption for screen readers. If it is too large, it scrolls in its own box, and its header stays. */
export const Table = <T,>({ caption, columns, rows, sorting }: TableProps<T>) => (
  <section class="scroll" tabindex={0} aria-label={caption}>
    <table>
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ name, isNumeric, sortKey }) => (
            <th scope="col" class={isNumeric ? "numeric" : undefined} aria-sort={sortOf(sortKey, sorting)}>
              {sortKey && sorting ? <a href={sorting.href(nextSort(sortKey, sorting))}>{name}</a> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            {columns.map(({ cell, isNumeric, isLong, note }) => (
              <td class={isNumeric ? "numeric" : isLong ? "long" : undefined}>
                {isLong ? <div>{cell(row)}</div> : cell(row)}
                {note?.(row) && <p class="fine">{note(row)}</p>}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const sortOf = (key: string | undefined, sorting: Sorting | undefined) =>
  sorting && key === sorting.by ? (sorting.isDescending ? "descending" : "ascending") : undefined;

/** Reverses the current sort column; any other column starts ascending. */
const nextSort = (key: string, { by, isDescending }: Sorting): string =>
  key === by && !isDescending ? `-${key}` : key;
