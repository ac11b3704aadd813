import type { SchemaTree } from "hyparquet";
import { noteRead } from "../../garbage";
import { formatBytes, formatCount, invalid, problemIn, type ReadingLimits, rowTooLong, tooLarge } from "../../limits";
import type { RawRow, Warn } from "../../rows";
import { NUL_AT_END } from "../../text";
import { readHeader } from "../header";
import { type Footer, RandomFile, readFooter } from "./file";
import { type GroupColumn, type RowGroup, readGroupColumn } from "./group-column";
import { GroupMemory, groupTooLarge } from "./pages";
import { countBytes, toJson } from "./values";

/** Uncompressed size of a row group, which is in memory as a whole. */
const MAX_GROUP_BYTES = 64 * 1_048_576;
/** A value stored once can occur in every row, so all rows together may take this many times the upload limit. */
const MAX_EXPANSION = 4;

/**
 * The rows of a Parquet file, one row group at a time, with nested values as JSON; `line` is the row number. `leftOut`
 * columns are listed but not read. A damaged or unsupported column has `Unreadable` values. Throws dataset_invalid if the
 * footer can't be read, and payload_too_large if the file declares or contains too much.
 */
export async function* readParquet(
  path: string,
  limits: ReadingLimits,
  leftOut: ReadonlySet<string>,
  warn: Warn,
): AsyncGenerator<RawRow> {
  using file = new RandomFile(path);
  const footer = readFooter(file, limits);
  if (file.padding > 0) warn(NUL_AT_END);
  const { children } = footer.root;
  const { names, places } = readHeader(
    children.map(({ element }) => element.name),
    limits,
    warn,
  );
  const opened = places.map((place, i) => (leftOut.has(names[i] ?? "") ? undefined : children[place]));
  for (const group of footer.rowGroups) checkSize(group, footer, opened);
  const sizes = new RowSizes(limits);
  let line = 0;
  for (const group of footer.rowGroups) {
    const context = { file, footer, memory: new GroupMemory() };
    const columns: (GroupColumn | undefined)[] = [];
    for (const tree of opened) columns.push(tree && (await readGroupColumn(tree, group, context)));
    for (const values of rowsOf(columns, Number(group.num_rows))) {
      line++;
      if (!Array.isArray(values)) {
        if (line === 1) throw invalid(values.message);
        yield { line, columns: names, problem: { column: null, message: values.message } };
        line += values.rows - 1;
        continue;
      }
      yield sizes.add(values, line)
        ? { line, columns: names, values: values.map((value, i) => toJson(value, opened[i])) }
        : { line, columns: names, problem: { column: null, message: problemIn(rowTooLong(limits)) } };
    }
  }
}

/** Throws payload_too_large if the footer declares too large a size for the columns to read. */
const checkSize = (
  { columns }: RowGroup,
  { root, leaves }: Footer,
  opened: readonly (SchemaTree | undefined)[],
): void => {
  const left = new Set(root.children.filter((tree) => !opened.includes(tree)).map(({ element }) => element.name));
  let size = 0;
  for (const [i, leaf] of leaves.entries()) {
    if (!left.has(leaf.path[0] ?? "")) size += Number(columns[i]?.meta_data?.total_uncompressed_size ?? 0);
  }
  if (size > MAX_GROUP_BYTES) throw groupTooLarge(MAX_GROUP_BYTES);
};

/**
 * The values of each row; null in columns that are left out. Once no column can be read, the remaining rows are one
 * problem, because their number is only what the file declares.
 */
function* rowsOf(
  columns: readonly (GroupColumn | undefined)[],
  count: number,
): Generator<unknown[] | { rows: number; message: string }> {
  const read = columns.filter((column) => column !== undefined);
  const [first] = read;
  const readable = first ? Math.min(count, Math.max(...read.map(({ values }) => values.length))) : count;
  for (let i = 0; i < readable; i++) {
    yield columns.map((column) => {
      if (!column) return null;
      return i < column.values.length ? column.values[i] : column.failure;
    });
  }
  const left = count - readable;
  if (left === 0 || !first) return;
  const rows = left === 1 ? "this row" : `this row and the ${formatCount(left - 1)} after it`;
  yield { rows: left, message: `${first.failure.message} Therefore ${rows} can't be read.` };
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
