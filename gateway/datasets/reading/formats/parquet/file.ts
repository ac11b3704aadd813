import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { AppError } from "../../../../../lib/errors";
import { formatBytes, formatCount, invalid, type ReadingLimits, tooLarge, tooManyRows } from "../../limits";

/** The error for a damaged Parquet file. */
export const damaged = (what: string, column?: string): AppError =>
  invalid(`the Parquet file is damaged: ${what}. Write it again.`, { column });

/** Runs code that may fail on a damaged file. Everything it throws becomes dataset_invalid. */
export const guarded = <T>(run: () => T, what: string, column?: string): T => {
  try {
    return run();
  } catch (error) {
    throw error instanceof AppError ? error : damaged(what, column);
  }
};

/** Block size of the backward search for trailing NUL bytes. */
const END_BYTES = 65_536;

/** Synchronous random access to a file; the reader runs in its own thread. */
export class RandomFile {
  /** Size without trailing NUL bytes, which are `padding`. */
  readonly size: number;
  readonly padding: number;
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
    const { size } = fstatSync(this.#fd);
    this.size = size;
    this.size = this.#withoutPadding();
    this.padding = size - this.size;
  }

  #withoutPadding(): number {
    for (let end = this.size; end > 0; ) {
      const start = Math.max(0, end - END_BYTES);
      const last = this.read(start, end - start).findLastIndex((byte) => byte !== 0);
      if (last >= 0) return start + last + 1;
      end = start;
    }
    return 0;
  }

  /** Reads exactly `length` bytes into a new buffer. Throws dataset_invalid beyond the end of the file. */
  read(start: number, length: number): Uint8Array<ArrayBuffer> {
    if (start < 0 || length < 0 || start + length > this.size) throw damaged("it refers to places beyond its end");
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#fd, bytes, done, length - done, start + done);
      if (count === 0) throw damaged("it ends too early");
      done += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** Checks that a declared size or count is a whole number from 0 to `max`. Throws dataset_invalid. */
export const checkDeclared = (value: number | undefined, max: number, column: string): number => {
  if (value === undefined || !Number.isInteger(value) || value < 0 || value > max) {
    throw damaged("it declares an impossible size", column);
  }
  return value;
};

/** The footer lists every column of every row group: 10 columns in 100 groups take 150 KiB, and as objects 20 MiB. */
const MAX_FOOTER_BYTES = 262_144;
/** Length of the footer, then PAR1. */
const TRAILER_BYTES = 8;
/** A nested column has several elements in the schema. */
const ELEMENTS_PER_COLUMN = 4;

export interface Footer {
  rowGroups: FileMetaData["row_groups"];
  /** Its children are the columns, with their nested elements. */
  root: SchemaTree;
  /** The leaf columns, in the order in which every row group stores them. */
  leaves: SchemaTree[];
}

/** Reads the metadata of a file and checks the limits. Throws dataset_invalid or payload_too_large. */
export const readFooter = (file: RandomFile, limits: ReadingLimits): Footer =>
  guarded(
    () => checkFooter(parquetMetadata(readTail(file), { geoparquet: false }), limits),
    "its footer can't be read",
  );

const checkFooter = ({ schema, row_groups: rowGroups }: FileMetaData, limits: ReadingLimits): Footer => {
  // Before the tree is built: a list of its elements can state any depth.
  const maxElements = limits.maxColumns * ELEMENTS_PER_COLUMN;
  if (schema.length > maxElements) {
    throw tooLarge(
      `the file has ${formatCount(schema.length)} columns and parts of columns, more than ${maxElements}. Leave some out.`,
    );
  }
  const root = parquetSchema({ schema });
  let rows = 0;
  for (const { num_rows } of rowGroups) {
    if (num_rows < 0) throw damaged("it states fewer rows than none");
    rows += Number(num_rows);
  }
  if (rows > limits.maxRows) throw tooManyRows(limits);
  return { rowGroups, root, leaves: leavesOf(root) };
};

const leavesOf = (tree: SchemaTree): SchemaTree[] =>
  tree.children.length === 0 ? [tree] : tree.children.flatMap(leavesOf);

const readTail = (file: RandomFile): Uint8Array<ArrayBuffer> => {
  if (file.size < TRAILER_BYTES) throw damaged("it is too short");
  const trailer = Buffer.from(file.read(file.size - TRAILER_BYTES, TRAILER_BYTES));
  const magic = trailer.toString("latin1", 4);
  if (magic === "PARE") throw invalid("the file is encrypted. Write it without encryption.");
  if (magic !== "PAR1") throw damaged("it does not end with PAR1");
  const length = trailer.readUInt32LE();
  if (length > MAX_FOOTER_BYTES) {
    throw tooLarge(`the footer of the file has more than ${formatBytes(MAX_FOOTER_BYTES)}. Write larger row groups.`);
  }
  return file.read(file.size - TRAILER_BYTES - length, length + TRAILER_BYTES);
};
