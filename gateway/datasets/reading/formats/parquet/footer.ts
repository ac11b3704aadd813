import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { type ReadingLimits, tooManyRows } from "../../limits";
import { formatBytes, formatCount, invalid, tooLarge } from "../../problems";
import { damaged, guarded, type RandomFile } from "./file";

/** The footer lists every column of every row group: 10 columns in 100 groups take 150 KiB, and as objects 20 MiB. */
const MAX_FOOTER_BYTES = 262_144;
/** Length of the footer, then PAR1. */
const TRAILER_BYTES = 8;
/** What is nested needs several elements of the schema for one column. */
const ELEMENTS_PER_COLUMN = 4;

export interface Footer {
  rowGroups: FileMetaData["row_groups"];
  /** Its children are the columns, each with what is nested in it. */
  root: SchemaTree;
  /** The leaf columns, in the order in which every row group stores them. */
  leaves: SchemaTree[];
}

/** What the file says about itself, where that is within the limits. Throws dataset_invalid or payload_too_large. */
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
