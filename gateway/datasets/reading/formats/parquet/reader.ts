import { fstatSync } from "node:fs";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type AsyncBuffer,
  type Compressors,
  type DecodedArray,
  parquetScan,
  type SchemaTree,
  snappyUncompress,
} from "hyparquet";
import { decompressLz4, decompressLz4Raw } from "hyparquet-compressors";
import { AppError } from "../../../../../lib/errors";
import {
  FORBIDDEN_NAMES,
  forbiddenName,
  formatBytes,
  formatCount,
  invalid,
  MAX_DEPTH,
  noteRead,
  problemIn,
  type ReadingLimits,
  rowTooLong,
  tooLarge,
} from "../../limits";
import { type RawRow, Unreadable, type Warn } from "../../rows";
import { NUL_AT_END } from "../../text";
import { readHeader } from "../header";
import { chunksOf, damaged, type Footer, metadataOf, type RowGroup, readFooter, withoutPadding } from "./footer";
import { countBytes, toJson } from "./values";

/** Maximum uncompressed size of a row group, which is in memory as a whole. */
const MAX_GROUP_BYTES = 64 * 1_048_576;
/** Maximum memory for a row group's decoded values. */
const MAX_MEMORY_BYTES = 160 * 1_048_576;
/** Memory taken by a value, and by an object, in addition to its bytes in the file. */
const VALUE_BYTES = 16;
const OBJECT_BYTES = 88;
/** A value stored once can occur in every row. So the rows together may take this many times the upload limit. */
const MAX_EXPANSION = 4;

/** A column's values in a row group. Rows from `values.length` on can't be read because of `failure`. */
interface GroupColumn {
  /** As stored: text is bytes, dates are numbers. `toJson` converts them. */
  values: DecodedArray;
  failure: Unreadable;
}

/**
 * The rows of a Parquet file, one row group at a time, with nested values as JSON; `line` is the row number. `leftOut`
 * columns are listed but not read. A damaged or unsupported column has `Unreadable` values in that row group. Throws
 * dataset_invalid if the footer can't be read, and payload_too_large if the file declares or contains too much.
 * `ReadingThread` limits the memory of pages that contain more than the footer declares.
 */
export async function* readParquet(
  fd: number,
  limits: ReadingLimits,
  leftOut: ReadonlySet<string>,
  warn: Warn,
): AsyncGenerator<RawRow> {
  const { size } = fstatSync(fd);
  const file = withoutPadding(fd, size);
  const footer = readFooter(file, limits);
  if (file.byteLength < size) warn(NUL_AT_END);
  const { columns: trees } = footer;
  const names = trees.map(({ element }) => element.name);
  const header = readHeader(names, limits, warn);
  const opened = header.places.map((place, i) => (leftOut.has(header.names[i] ?? "") ? undefined : place));
  const rowGroups = footer.metadata.row_groups;
  for (const group of rowGroups) checkSize(group, footer, opened);
  const sizes = new RowSizes(limits);
  let line = 0;
  for (const group of rowGroups) {
    const columns: (GroupColumn | undefined)[] = [];
    for (const place of opened)
      columns.push(place === undefined ? undefined : await readGroup(file, footer, place, group));
    for (const values of rowsOf(columns, Number(group.num_rows))) {
      line++;
      if (!Array.isArray(values)) {
        if (line === 1) throw invalid(values.message);
        yield { line, columns: header.names, problem: { column: null, message: values.message } };
        line += values.rows - 1;
      } else if (sizes.add(values, line)) {
        yield { line, columns: header.names, values: values.map((value, i) => toJson(value, trees[opened[i] ?? -1])) };
      } else {
        yield { line, columns: header.names, problem: { column: null, message: problemIn(rowTooLong(limits)) } };
      }
    }
  }
}

const groupTooLarge = (bytes: number): AppError =>
  tooLarge(
    `a row group of the Parquet file takes more than ${formatBytes(bytes)} decompressed. Write smaller row groups, for ` +
      "example with row_group_size=10000 in pyarrow, or map columns that you don't need to null.",
  );

/** Throws payload_too_large if the columns to read are too large according to the footer. */
const checkSize = (group: RowGroup, footer: Footer, opened: readonly (number | undefined)[]): void => {
  let [size, memory] = [0, 0];
  for (const { meta_data } of opened.flatMap((place) => (place === undefined ? [] : chunksOf(footer, place, group)))) {
    const { type = "BYTE_ARRAY", encodings = [], num_values = 0, total_uncompressed_size = 0 } = meta_data ?? {};
    const isObject = type.endsWith("BYTE_ARRAY") && !encodings.some((encoding) => encoding.endsWith("_DICTIONARY"));
    size += Number(total_uncompressed_size);
    memory += Number(num_values) * (VALUE_BYTES + (isObject ? OBJECT_BYTES : 0));
  }
  if (size > MAX_GROUP_BYTES) throw groupTooLarge(MAX_GROUP_BYTES);
  if (size + memory > MAX_MEMORY_BYTES) throw groupTooLarge(MAX_MEMORY_BYTES);
};

/** Decompresses a page to at most `size` bytes; hyparquet rejects a shorter one. */
const bounded =
  (run: (bytes: Uint8Array, size: number) => Uint8Array) =>
  (bytes: Uint8Array, size: number): Uint8Array => {
    if (size > MAX_GROUP_BYTES) throw damaged("it declares an impossible size");
    // Most codecs can't decode an empty input.
    return size === 0 ? new Uint8Array() : run(bytes, size);
  };

const compressors: Compressors = {
  SNAPPY: bounded((bytes, size) => {
    const page = new Uint8Array(size);
    snappyUncompress(bytes, page);
    return page;
  }),
  GZIP: bounded((bytes, size) => gunzipSync(bytes, { maxOutputLength: size })),
  BROTLI: bounded((bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: size })),
  ZSTD: bounded((bytes, size) => zstdDecompressSync(bytes, { maxOutputLength: size })),
  LZ4: bounded(decompressLz4),
  LZ4_RAW: bounded(decompressLz4Raw),
  LZO: () => {
    throw invalid("the column is compressed with LZO. Write the file with zstd or snappy.");
  },
};

/** Reads a column of a row group. The column may be nested. */
const readGroup = async (file: AsyncBuffer, footer: Footer, place: number, group: RowGroup): Promise<GroupColumn> => {
  let failure = damaged("it has fewer rows than its footer declares");
  let values: DecodedArray = [];
  try {
    const tree = footer.columns[place];
    if (tree) checkTypes(tree, 1);
    const metadata = metadataOf(footer, place, group);
    for (const { meta_data } of metadata.row_groups.flatMap(({ columns }) => columns)) {
      noteRead(Number(meta_data?.total_uncompressed_size ?? 0));
    }
    const scan = await parquetScan({
      file,
      metadata,
      compressors,
      utf8: false,
      parsers: { timestampFromNanoseconds: (nanos: bigint) => nanos as unknown as Date },
      useOffsetIndex: false,
    });
    values = await scan.readColumn({ column: tree?.element.name ?? "", rowStart: 0, rowEnd: Number(group.num_rows) });
  } catch (error) {
    failure = error instanceof AppError ? error : damaged("a page can't be decoded");
  }
  return { values, failure: new Unreadable(problemIn(failure)) };
};

const UNSUPPORTED = new Set(["VARIANT", "GEOMETRY", "GEOGRAPHY", "FILE", "BSON", "INTERVAL"]);

const checkTypes = ({ element, children }: SchemaTree, depth: number): void => {
  const { name, logical_type: logical, converted_type: converted } = element;
  if (depth >= MAX_DEPTH) throw invalid(`the column is more than ${MAX_DEPTH} levels deep. Flatten it.`);
  if (FORBIDDEN_NAMES.has(name)) throw invalid(`${forbiddenName(name)}.`);
  const type = [logical?.type, converted].find((each) => each !== undefined && UNSUPPORTED.has(each));
  if (type) throw invalid(`the type ${type} is not supported. Write the column as text, or map it to null.`);
  for (const child of children) checkTypes(child, depth + 1);
};

/**
 * The values of each row; null in skipped columns. Once no column can be read, the remaining rows are one problem,
 * because only the file says how many there are.
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

/** Enforces the size limits for each row and for all rows together. */
class RowSizes {
  #sum = 0;

  constructor(private readonly limits: ReadingLimits) {}

  /** False for a row that is too large. Throws payload_too_large if all rows together are too large. */
  add(values: unknown[], line: number): boolean {
    const size = countBytes(values);
    noteRead(size);
    this.#sum += size;
    const maxSum = this.limits.maxUploadBytes * MAX_EXPANSION;
    if (this.#sum > maxSum)
      throw tooLarge(`decompressed, the rows take more than ${formatBytes(maxSum)}. Split the file.`, { line });
    return size <= this.limits.maxRowBytes;
  }
}
