import type { Child } from "hono/jsx";

interface Column<T> {
  name: string;
  cell: (row: T) => Child;
  /** Numbers stand at the right in digits of one width. */
  isNumeric?: boolean;
  /** Long texts wrap and are cut after three lines; other cells stay on one. */
  isLong?: boolean;
  /** Smaller, below the cell; undefined: nothing. */
  note?: (row: T) => string | undefined;
}

/** Rows and columns with a caption for screen readers. A table that is too wide scrolls inside itself. */
export const Table = <T,>({
  caption,
  columns,
  rows,
}: {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
}) => (
  <section class="scroll" tabindex={0} aria-label={caption}>
    <table>
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ name, isNumeric }) => (
            <th scope="col" class={isNumeric ? "numeric" : undefined}>
              {name}
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
