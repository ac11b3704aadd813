import { noteRead } from "../garbage";
import { type ReadingLimits, rowTooLong } from "../limits";
import { formatBytes, tooLarge } from "../problems";
import type { RawRow } from "../rows";
import { damaged, RandomFile } from "./file";
import { readFooter } from "./footer";
import { GroupColumn, type GroupContext } from "./group-column";
import { OpenPages } from "./open-pages";
import { countBytes, toJson, UNREADABLE } from "./values";

/** Rows that are put together at a time. */
const STEP_ROWS = 64;
/** A value that is stored once can stand in every row: all rows may take so many times the limit of an upload. */
const MAX_EXPANSION = 4;

/**
 * The rows of a Parquet file, page by page, with what is nested as JSON; `line` is the number of the row. Columns in
 * `leftOut` are named but not read. Throws dataset_invalid where the file is damaged or needs what is not supported,
 * payload_too_large where it states or holds too much.
 */
export async function* readParquet(
  path: string,
  limits: ReadingLimits,
  leftOut: ReadonlySet<string>,
): AsyncGenerator<RawRow> {
  const file = new RandomFile(path);
  try {
    const footer = readFooter(file, limits);
    const columns = footer.root.children.map(({ element }) => element.name);
    const openPages = new OpenPages();
    const sizes = new RowSizes(limits);
    let line = 0;
    for (const group of footer.rowGroups) {
      for (const values of readGroup({ file, footer, group, openPages, limits }, leftOut)) {
        line++;
        sizes.add(values, line);
        yield toRow(line, columns, values);
      }
    }
  } finally {
    file.close();
  }
}

/** The values of each row, in the order of the schema; null in columns that are left out. */
function* readGroup(context: GroupContext, leftOut: ReadonlySet<string>): Generator<unknown[]> {
  const { children } = context.footer.root;
  const columns = children.map((schema) =>
    leftOut.has(schema.element.name) ? undefined : new GroupColumn(schema, context),
  );
  for (let left = Number(context.group.num_rows); left > 0; ) {
    const count = Math.min(left, STEP_ROWS, ...columns.map((column) => column?.available() ?? STEP_ROWS));
    if (count === 0) throw damaged("it has fewer rows than it states");
    const taken = columns.map((column) => column?.take(count));
    for (let i = 0; i < count; i++) yield taken.map((values) => values?.[i] ?? null);
    left -= count;
  }
}

/** Keeps each row and all rows together within the limits. */
class RowSizes {
  #sum = 0;

  constructor(private readonly limits: ReadingLimits) {}

  add(values: unknown[], line: number): void {
    const size = countBytes(values);
    if (size > this.limits.maxRowBytes) throw rowTooLong(this.limits, { line });
    noteRead(size);
    this.#sum += size;
    const maxSum = this.limits.maxUploadBytes * MAX_EXPANSION;
    if (this.#sum > maxSum)
      throw tooLarge(`unpacked, the rows take more than ${formatBytes(maxSum)}. Split the file.`, { line });
  }
}

const toRow = (line: number, columns: readonly string[], bare: readonly unknown[]): RawRow => {
  const values = bare.map(toJson);
  const unreadable = values.indexOf(UNREADABLE);
  if (unreadable < 0) return { line, columns, values };
  const message = "a value here is no text in UTF-8 and no time. Map the column to null to leave it out.";
  return { line, columns, problem: { column: columns[unreadable] ?? null, message } };
};
