import { readSync } from "node:fs";
import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaElement, type SchemaTree } from "hyparquet";
import { AppError } from "../../../../../lib/errors";
import { formatBytes, formatCount, invalid, type ReadingLimits, tooLarge, tooManyRows } from "../../limits";

/** The error for a damaged Parquet file. */
export const damaged = (what: string): AppError => invalid(`the Parquet file is damaged: ${what}. Write it again.`);

/** Number of bytes read at a time when searching backwards for the end of trailing NUL bytes. */
const BLOCK_BYTES = 65_536;

/** An open file in the form that hyparquet expects. */
interface OpenFile {
  byteLength: number;
  slice(start: number, end?: number): ArrayBuffer;
}

const openFile = (fd: number, byteLength: number): OpenFile => ({
  byteLength,
  slice(start, end = byteLength) {
    const bytes = new Uint8Array(Math.max(0, Math.min(end, byteLength) - start));
    for (let done = 0, count = 1; count > 0 && done < bytes.length; done += count) {
      count = readSync(fd, bytes, done, bytes.length - done, start + done);
    }
    return bytes.buffer;
  },
});

/** The file without its trailing NUL bytes. */
export const withoutPadding = (fd: number, size: number): OpenFile => {
  const whole = openFile(fd, size);
  for (let end = size; end > 0; end = Math.max(0, end - BLOCK_BYTES)) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const last = new Uint8Array(whole.slice(start, end)).findLastIndex((byte) => byte !== 0);
    if (last >= 0) return openFile(fd, start + last + 1);
  }
  return openFile(fd, 0);
};

/**
 * The footer lists every column of every row group. With 10 columns in 100 groups it takes 150 KiB, and 20 MiB as
 * objects.
 */
const MAX_FOOTER_BYTES = 262_144;
/** The length of the footer, then `PAR1`. */
const TRAILER_BYTES = 8;
/** Schema elements allowed per column: a nested column has several. */
const MAX_ELEMENTS_PER_COLUMN = 4;

export type RowGroup = FileMetaData["row_groups"][number];

export interface Footer {
  metadata: FileMetaData;
  /** The columns with their nested elements. */
  columns: SchemaTree[];
}

/** Reads the metadata of a file and checks the limits. Throws dataset_invalid or payload_too_large. */
export const readFooter = (file: OpenFile, limits: ReadingLimits): Footer => {
  const tail = readTail(file);
  try {
    return checkFooter(parquetMetadata(tail, { geoparquet: false }), limits);
  } catch (error) {
    throw error instanceof AppError ? error : damaged("its footer can't be read");
  }
};

const readTail = ({ byteLength, slice }: OpenFile): ArrayBuffer => {
  if (byteLength < TRAILER_BYTES) throw damaged("it is too short");
  const trailer = Buffer.from(slice(byteLength - TRAILER_BYTES));
  const magic = trailer.toString("latin1", 4);
  if (magic === "PARE") throw invalid("the file is encrypted. Write it without encryption.");
  if (magic !== "PAR1") throw damaged("it does not end with PAR1");
  const length = trailer.readUInt32LE();
  if (length > byteLength - TRAILER_BYTES) throw damaged("its footer is longer than the file");
  if (length > MAX_FOOTER_BYTES) {
    throw tooLarge(`the footer of the file is larger than ${formatBytes(MAX_FOOTER_BYTES)}. Write larger row groups.`);
  }
  return slice(byteLength - TRAILER_BYTES - length);
};

/** Whether the footer has all required fields. hyparquet omits the ones that are damaged. */
const isComplete = ({ schema, row_groups: groups }: Partial<FileMetaData>): boolean =>
  Array.isArray(schema) &&
  schema.every((element) => typeof element?.name === "string") &&
  Array.isArray(groups) &&
  groups.every((group) => typeof group?.num_rows === "bigint" && Array.isArray(group.columns));

const checkFooter = (metadata: FileMetaData, limits: ReadingLimits): Footer => {
  if (!isComplete(metadata)) throw damaged("its footer is incomplete");
  const { schema, row_groups: rowGroups } = metadata;
  // Checked before the tree is built, because the schema elements can declare any depth.
  const maxElements = limits.maxColumns * MAX_ELEMENTS_PER_COLUMN;
  if (schema.length > maxElements) {
    throw tooLarge(
      `the file has ${formatCount(schema.length)} columns and nested columns, but the limit is ${maxElements}. Leave some out.`,
    );
  }
  if (rowGroups.some(({ num_rows }) => num_rows < 0)) throw damaged("it declares a negative number of rows");
  const rows = rowGroups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  if (rows > limits.maxRows) throw tooManyRows(limits);
  return { metadata, columns: parquetSchema({ schema }).children };
};

/** A column's chunks in a row group; empty if the group doesn't match the schema. */
export const chunksOf = ({ columns }: Footer, place: number, group: RowGroup): RowGroup["columns"] => {
  const leaves = columns.map(leavesOf);
  const first = leaves.slice(0, place).flat().length;
  return (leaves[place] ?? []).flatMap(({ path }, i) => {
    // By position: two columns may have the same name.
    const chunk = group.columns[first + i];
    return chunk && String(chunk.meta_data?.path_in_schema) === String(path) ? [chunk] : [];
  });
};

const leavesOf = (tree: SchemaTree): SchemaTree[] =>
  tree.children.length === 0 ? [tree] : tree.children.flatMap(leavesOf);

/** hyparquet metadata for one column of one row group, without the types that hyparquet would convert inexactly. */
export const metadataOf = (footer: Footer, place: number, group: RowGroup): FileMetaData => {
  const tree = footer.columns[place];
  const [root] = footer.metadata.schema;
  if (!tree || !root) throw damaged("a column is missing from it");
  const schema = [{ ...root, num_children: 1 }, ...plainElements(tree)];
  return { ...footer.metadata, schema, row_groups: [{ ...group, columns: chunksOf(footer, place, group) }] };
};

const plainElements = ({ element, children }: SchemaTree): SchemaElement[] => {
  const isList = element.converted_type === "LIST" || element.logical_type?.type === "LIST";
  const plain = { ...element, converted_type: isList ? ("LIST" as const) : undefined, logical_type: undefined };
  return [plain, ...children.flatMap(plainElements)];
};
