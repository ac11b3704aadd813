import type { Segment } from "./spans";

/** A line of a paragraph, or a row of a table in `cells`. */
export interface Line {
  text: string;
  page: number;
  /** Left edge. */
  x0: number;
  cells?: string[];
}

interface Column {
  x0: number;
  x1: number;
}

interface Table {
  lines: Line[];
  /** Left edges of the columns. */
  columns: number[];
}

/** Maximum gap between rows of one table, in font sizes. */
const MAX_ROW_GAP = 4;
/** Rows are further apart than lines of a cell by this factor. */
const ROW_GAP = 1.2;

/** The table that begins at row `at`, if any: rows with aligned cells, up to `end`. */
export const tableAt = (rows: readonly Segment[][], at: number): { table?: Table; end: number } => {
  const columns: Column[] = [];
  let end = at;
  let full = 0;
  for (; end < rows.length; end++) {
    const row = rows[end] ?? [];
    if (end > at && distance(rows, end) > (row[0]?.size ?? 0) * MAX_ROW_GAP) break;
    if (row.length > 1) full++;
    else if (end === at || !isCell(row[0], columns)) break;
    for (const segment of row) addTo(columns, segment);
  }
  if (full < 2 || columns.length < 2 || (full < 3 && columns.length < 3)) return { end: Math.max(end, at + 1) };
  const lines = linesOf(rows.slice(at, end), columns);
  return { table: { lines, columns: columns.map(({ x0 }) => x0) }, end };
};

const distance = (rows: readonly Segment[][], at: number): number =>
  (rows[at - 1]?.[0]?.y ?? 0) - (rows[at]?.[0]?.y ?? 0);

/** Whether the only segment of a row is in a column other than the first. */
const isCell = (segment: Segment | undefined, columns: readonly Column[]): boolean => {
  if (!segment) return false;
  const place = columns.findIndex(({ x0, x1 }) => segment.x0 >= x0 - 3 && segment.x0 < x1);
  const next = columns[place + 1];
  return place > 0 && (!next || segment.x1 <= next.x0);
};

/** Adds a cell to the columns. Gaps that no row's cells cover separate columns. */
const addTo = (columns: Column[], { x0, x1 }: Column): void => {
  const first = columns.findIndex((column) => column.x1 + 1 > x0);
  const from = first < 0 ? columns.length : first;
  let to = from;
  const merged = { x0, x1 };
  for (; to < columns.length; to++) {
    const column = columns[to];
    if (!column || column.x0 - 1 >= x1) break;
    merged.x0 = Math.min(merged.x0, column.x0);
    merged.x1 = Math.max(merged.x1, column.x1);
  }
  columns.splice(from, to - from, merged);
};

/** Joins the lines of each row. If cells have several lines, a row ends at a larger gap. */
const linesOf = (rows: readonly Segment[][], columns: readonly Column[]): Line[] => {
  const distances = rows.slice(1).map((_, i) => distance(rows, i + 1));
  const sorted = [...distances].sort((a, b) => a - b);
  const least = sorted[0] ?? 0;
  const hasLongCells = rows.some((row) => row.length < columns.length) && (sorted.at(-1) ?? 0) > least * ROW_GAP;
  const lines: Line[] = [];
  rows.forEach((row, i) => {
    const cells = columns.map(() => "");
    for (const segment of row) {
      const place = Math.max(
        0,
        columns.findLastIndex(({ x0 }) => segment.x0 >= x0 - 1),
      );
      cells[place] = cells[place] ? `${cells[place]} ${segment.text}` : segment.text;
    }
    const last = lines.at(-1);
    const isSameRow = hasLongCells && (distances[i - 1] ?? 0) <= least * ROW_GAP && row.length < columns.length;
    if (i > 0 && last?.cells && (isSameRow || (hasLongCells && isSmall(rows, i, columns.length)))) {
      last.cells = last.cells.map((cell, c) => [cell, cells[c]].filter((text) => text !== "").join(" "));
    } else lines.push({ text: "", page: row[0]?.page ?? 0, x0: row[0]?.x0 ?? 0, cells });
  });
  return lines;
};

/** Cells can be bottom-aligned, so a full row directly below a line with empty cells belongs to that line's row. */
const isSmall = (rows: readonly Segment[][], at: number, width: number): boolean => {
  const [above, row] = [rows[at - 1] ?? [], rows[at] ?? []];
  return above.length < width && distance(rows, at) <= (row[0]?.size ?? 0) * 1.4;
};
