import type { SchemaTree } from "hyparquet";
import { noteRead } from "../../garbage";
import { type ReadingLimits, rowTooLong } from "../../limits";
import { readHeader } from "../../names";
import { formatBytes, formatCount, invalid, problemIn, tooLarge } from "../../problems";
import type { RawRow, Warn } from "../../rows";
import { NUL_AT_END } from "../../text";
import { RandomFile } from "./file";
import { readFooter } from "./footer";
import { GroupColumn, type GroupContext } from "./group-column";
import { OpenPages } from "./open-pages";
import { countBytes, toJson } from "./values";

/** Rows that are put together at a time. */
const STEP_ROWS = 64;
/** A value stored once can occur in every row, so all rows together may take this many times the upload limit. */
const MAX_EXPANSION = 4;

/**
 * The rows of a Parquet file, page by page, with what is nested as JSON; `line` is the number of the row. Columns in
 * `leftOut` columns are listed but not opened. A damaged or unsupported column has `Unreadable` values. Throws
 * dataset_invalid if the footer can't be read, payload_too_large if the file declares or holds too much.
 */
export async function* readParquet(
  path: string,
  limits: ReadingLimits,
  leftOut: ReadonlySet<string>,
  warn: Warn,
): AsyncGenerator<RawRow> {
  const file = new RandomFile(path);
  try {
    const footer = readFooter(file, limits);
    if (file.filling > 0) warn(NUL_AT_END);
    const { children } = footer.root;
    const { names, places } = readHeader(
      children.map(({ element }) => element.name),
      limits,
      warn,
    );
    const opened = places.map((place, i) => (leftOut.has(names[i] ?? "") ? undefined : children[place]));
    const openPages = new OpenPages();
    const sizes = new RowSizes(limits);
    let line = 0;
    for (const group of footer.rowGroups) {
      for (const values of readGroup({ file, footer, group, openPages, limits }, opened)) {
        line++;
        if (!Array.isArray(values)) {
          if (line === 1) throw invalid(values.message);
          yield { line, columns: names, problem: { column: null, message: values.message } };
          line += values.rows - 1;
          continue;
        }
        yield sizes.add(values, line)
          ? { line, columns: names, values: values.map(toJson) }
          : { line, columns: names, problem: { column: null, message: problemIn(rowTooLong(limits, {})) } };
      }
    }
  } finally {
    file.close();
  }
}

/**
 * The values of each row, in the order of `opened`; null in columns that are left out. Once no column can be read, the
 * remaining rows are one problem, because their number is only what the file declares.
 */
function* readGroup(
  context: GroupContext,
  opened: readonly (SchemaTree | undefined)[],
): Generator<unknown[] | { rows: number; message: string }> {
  const columns = opened.map((schema) => schema && new GroupColumn(schema, context));
  const read = columns.filter((column) => column !== undefined);
  for (let left = Number(context.group.num_rows); left > 0; ) {
    const count = Math.min(left, STEP_ROWS, ...columns.map((column) => column?.available() ?? STEP_ROWS));
    const failure = read.every((column) => column.failure !== undefined) ? read[0]?.failure : undefined;
    if (failure !== undefined) {
      const rows = left === 1 ? "this row" : `this row and the ${formatCount(left - 1)} after it`;
      return yield { rows: left, message: `${failure} Therefore ${rows} can't be read.` };
    }
    const taken = columns.map((column) => column?.take(count));
    for (let i = 0; i < count; i++) yield taken.map((values) => values?.[i] ?? null);
    left -= count;
  }
}

/** Keeps each row and all rows together within the limits. */
class RowSizes {
  #sum = 0;

  constructor(private readonly limits: ReadingLimits) {}

  /** False for a row that is too long. Throws payload_too_large if all rows together are too large. */
  add(values: unknown[], line: number): boolean {
    const size = countBytes(values);
    noteRead(size);
    this.#sum += size;
    const maxSum = this.limits.maxUploadBytes * MAX_EXPANSION;
    if (this.#sum > maxSum)
      throw tooLarge(`unpacked, the rows take more than ${formatBytes(maxSum)}. Split the file.`, { line });
    return size <= this.limits.maxRowBytes;
  }
}
