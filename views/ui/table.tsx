import type { Child } from "hono/jsx";

export interface Column<T> {
  name: string;
  /** The column's name in the query string, if the table can be sorted by it. */
  sortKey?: string;
  cell: (row: T) => Child;
  /** Numbers are aligned to the right, in digits of equal width. */
  isNumeric?: boolean;
  /** Long texts wrap and are cut after three lines; other cells have one line. */
  isLong?: boolean;
  /** Small text below the cell's content. */
  note?: (row: T) => string | undefined;
}

/** How a table is sorted, and the addresses that sort it differently. */
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

/** Rows and columns with a caption for screen readers. A table that is too large scrolls in its own box, below its header. */
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
