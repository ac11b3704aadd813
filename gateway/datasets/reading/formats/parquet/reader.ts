import type { DecodedArray, FileMetaData, SchemaTree } from "hyparquet";
import { assembleNested } from "hyparquet/src/assemble.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { AppError } from "../../../../../lib/errors";
import { noteRead } from "../../garbage";
import {
  FORBIDDEN_NAMES,
  forbiddenName,
  formatBytes,
  formatCount,
  invalid,
  problemIn,
  type ReadingLimits,
  rowTooLong,
  tooLarge,
} from "../../limits";
import { type RawRow, Unreadable, type Warn } from "../../rows";
import { NUL_AT_END } from "../../text";
import { readHeader } from "../header";
import { ColumnRows, ColumnSlices } from "./column-chunk";
import { damaged, type Footer, guarded, RandomFile, readFooter } from "./file";
import { OpenPages } from "./pages";
import { countBytes, toJson } from "./values";

/** Rows assembled at a time. */
const STEP_ROWS = 64;
/** A value stored once can occur in every row, so all rows together may take this many times the upload limit. */
const MAX_EXPANSION = 4;

/**
 * The rows of a Parquet file, page by page, with nested values as JSON; `line` is the row number. `leftOut` columns are
 * listed but not read. A damaged or unsupported column has `Unreadable` values. Throws dataset_invalid if the footer
 * can't be read, and payload_too_large if the file declares or contains too much.
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
          : { line, columns: names, problem: { column: null, message: problemIn(rowTooLong(limits)) } };
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

interface GroupContext {
  file: RandomFile;
  footer: Footer;
  group: FileMetaData["row_groups"][number];
  openPages: OpenPages;
  limits: ReadingLimits;
}

interface Part {
  path: string;
  slices: ColumnSlices;
  rows: ColumnRows;
}

/**
 * A column in one row group. A nested column is stored as several leaf columns, which are read in step. A column that can't
 * be read, or can't be read after some row, has `Unreadable` values from there; other columns and row groups are not affected.
 */
class GroupColumn {
  #parts: Part[] = [];
  #failure: Unreadable | undefined;

  constructor(
    private readonly schema: SchemaTree,
    private readonly context: GroupContext,
  ) {
    this.#orFail(() => {
      checkTypes(schema);
      this.#parts = guarded(
        () => leafPaths(schema, [context.footer.root]).map((path) => openPart(path, context)),
        "a column can't be found",
      );
    });
  }

  /** Why the rest of the column can't be read. */
  get failure(): string | undefined {
    return this.#failure?.message;
  }

  /** Rows that can be taken now, at least one. */
  available(): number {
    const count = this.#orFail(() => {
      const rows = Math.min(...this.#parts.map(({ rows }) => rows.available()));
      if (rows === 0) throw damaged("it has fewer rows than its footer declares");
      return rows;
    });
    return count ?? Number.POSITIVE_INFINITY;
  }

  /** Rows with texts as bytes; `count` is at most `available()`. */
  take(count: number): DecodedArray {
    return this.#orFail(() => this.#take(count)) ?? new Array(count).fill(this.#failure);
  }

  #take(count: number): DecodedArray {
    const { name } = this.schema.element;
    const parts = new Map<string, DecodedArray>(this.#parts.map(({ path, rows }) => [path, rows.take(count)]));
    if (this.schema.children.length > 0) {
      guarded(() => assembleNested(parts, this.schema, DEFAULT_PARSERS), "its nested values don't fit");
    }
    const rows = parts.get(name);
    if (rows?.length !== count) throw damaged("values are missing");
    return rows;
  }

  /** Undefined if `run` or an earlier step failed; open pages are released. */
  #orFail<T>(run: () => T): T | undefined {
    if (this.#failure) return undefined;
    try {
      return run();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#failure = new Unreadable(problemIn(error));
      for (const { slices } of this.#parts) this.context.openPages.letGo(slices);
      this.#parts = [];
      return undefined;
    }
  }
}

const UNSUPPORTED = new Set(["VARIANT", "GEOMETRY", "GEOGRAPHY", "FILE", "BSON", "INTERVAL"]);

const checkTypes = ({ element, children }: SchemaTree): void => {
  const { name, logical_type: logical, converted_type: converted } = element;
  if (FORBIDDEN_NAMES.has(name)) throw invalid(`${forbiddenName(name)}.`);
  const type = [logical?.type, converted].find((each) => each !== undefined && UNSUPPORTED.has(each));
  if (type) throw invalid(`the type ${type} is not supported. Write the column as text, or map it to null.`);
  for (const child of children) checkTypes(child);
};

/** The paths from the root to every leaf of a column. */
const leafPaths = (tree: SchemaTree, above: readonly SchemaTree[]): SchemaTree[][] => {
  const path = [...above, tree];
  return tree.children.length === 0 ? [path] : tree.children.flatMap((child) => leafPaths(child, path));
};

const openPart = (schemaPath: SchemaTree[], { file, footer, group, openPages, limits }: GroupContext): Part => {
  const leaf = schemaPath.at(-1);
  const name = leaf?.path.join(".") ?? "";
  // By position: two columns may have the same name.
  const chunk = leaf && group.columns[footer.leaves.indexOf(leaf)];
  if (!chunk?.meta_data || chunk.file_path !== undefined || chunk.meta_data.path_in_schema.join(".") !== name) {
    throw damaged("a column is not in it", name);
  }
  const slices = new ColumnSlices(file, chunk.meta_data, schemaPath, openPages);
  return { path: name, slices, rows: new ColumnRows(slices, limits) };
};
