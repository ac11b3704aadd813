import { type DecodedArray, type FileMetaData, parquetScan, type SchemaElement, type SchemaTree } from "hyparquet";
import { AppError } from "../../../../../lib/errors";
import { FORBIDDEN_NAMES, forbiddenName, invalid, MAX_DEPTH, problemIn } from "../../limits";
import { Unreadable } from "../../rows";
import { checkDeclared, damaged, type Footer, type RandomFile } from "./file";
import { type CheckedPages, checkPages, type GroupMemory } from "./pages";

export type RowGroup = FileMetaData["row_groups"][number];
type Chunk = RowGroup["columns"][number];
type ColumnMeta = NonNullable<Chunk["meta_data"]>;

/** The values of a column in a row group; those from `values.length` on can't be read because of `failure`. */
export interface GroupColumn {
  /** As they are stored: texts are bytes, dates are numbers. `toJson` converts them. */
  values: DecodedArray;
  failure: Unreadable;
}

/** Distance between column chunks in the file that hyparquet sees. It reads chunks that are close together as one. */
const CHUNK_DISTANCE = 2 ** 40;

/** Reads a column, which may be nested, of a row group. Throws payload_too_large if it doesn't fit into memory. */
export const readGroupColumn = async (
  tree: SchemaTree,
  group: RowGroup,
  { file, footer, memory }: { file: RandomFile; footer: Footer; memory: GroupMemory },
): Promise<GroupColumn> => {
  let failure = damaged("it has fewer rows than its footer declares");
  let values: DecodedArray = [];
  try {
    checkTypes(tree);
    const chunks = leafPaths(tree, [footer.root]).map((path) => {
      const meta = chunkOf(path, group, footer);
      return { meta, pages: readPages(path, meta, file, memory) };
    });
    const broken = chunks.find(({ pages }) => pages.failure !== undefined)?.pages.failure;
    failure = broken ?? failure;
    values = await decode(tree, group, footer.root, chunks);
    // The last row of a list may have gone on in the broken page.
    if (broken && tree.children.length > 0) values = values.slice(0, -1);
  } catch (error) {
    failure = error instanceof AppError ? error : damaged("a page can't be decoded");
    if (failure.kind === "payload_too_large") throw failure;
  }
  return { values, failure: new Unreadable(problemIn(failure)) };
};

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
  if (path.length > MAX_DEPTH) throw invalid(`the column is more than ${MAX_DEPTH} levels deep. Flatten it.`);
  return tree.children.length === 0 ? [path] : tree.children.flatMap((child) => leafPaths(child, path));
};

const chunkOf = (path: readonly SchemaTree[], group: RowGroup, { leaves }: Footer): ColumnMeta => {
  const leaf = path.at(-1);
  // By position: two columns may have the same name.
  const chunk = leaf && group.columns[leaves.indexOf(leaf)];
  if (
    !chunk?.meta_data ||
    chunk.file_path !== undefined ||
    String(chunk.meta_data.path_in_schema) !== String(leaf?.path)
  ) {
    throw damaged("a column is not in it");
  }
  return chunk.meta_data;
};

const readPages = (
  path: readonly SchemaTree[],
  { codec, num_values, total_compressed_size, dictionary_page_offset, data_page_offset }: ColumnMeta,
  file: RandomFile,
  memory: GroupMemory,
): CheckedPages => {
  const { element, path: names } = path.at(-1) ?? {};
  const column = names?.join(".") ?? "";
  if (!element?.type) throw damaged("a column has no type", column);
  const repeated = [0];
  let definition = 0;
  for (const { element } of path.slice(1)) {
    if (element.repetition_type !== "REQUIRED") definition++;
    if (element.repetition_type === "REPEATED") repeated.push(definition);
  }
  const start = checkDeclared(Number(dictionary_page_offset || data_page_offset), file.size, column);
  const length = checkDeclared(Number(total_compressed_size), file.size - start, column);
  const leaf = { column, type: element.type, codec, definition, repeated };
  return checkPages(file.read(start, length), Number(num_values), leaf, memory);
};

/** Lets hyparquet decode checked pages, as a file that has only this column and this row group. */
const decode = async (
  tree: SchemaTree,
  { num_rows, total_byte_size }: RowGroup,
  { element: root }: SchemaTree,
  chunks: readonly { meta: ColumnMeta; pages: CheckedPages }[],
): Promise<DecodedArray> => {
  const columns = chunks.map(({ meta, pages }, i) => ({
    file_offset: 0n,
    meta_data: {
      ...meta,
      // A codec that hyparquet can't read itself, so that it asks for each page.
      codec: "LZO" as const,
      data_page_offset: BigInt(i * CHUNK_DISTANCE),
      dictionary_page_offset: undefined,
      total_compressed_size: BigInt(pages.buffer.byteLength),
    },
  }));
  const scan = await parquetScan({
    file: {
      byteLength: chunks.length * CHUNK_DISTANCE,
      slice: (start) => chunks[start / CHUNK_DISTANCE]?.pages.buffer ?? new ArrayBuffer(),
    },
    metadata: {
      version: 1,
      schema: [{ ...root, num_children: 1 }, ...elementsOf(tree)],
      num_rows,
      row_groups: [{ columns, total_byte_size, num_rows }],
      metadata_length: 0,
    },
    compressors: {
      LZO: (packed) => {
        const pages = chunks.find(({ pages }) => pages.buffer === packed.buffer)?.pages;
        const page = pages?.unpacked.get(packed.byteOffset);
        if (!page) throw damaged("a page can't be decoded");
        return page;
      },
    },
    utf8: false,
    parsers: { timestampFromNanoseconds: (nanos: bigint) => nanos as unknown as Date },
    useOffsetIndex: false,
  });
  return scan.readColumn({ column: tree.element.name, rowStart: 0, rowEnd: Number(num_rows) });
};

/** A column and its parts as in a footer, without the types that hyparquet would convert, not always exactly. */
const elementsOf = ({ element, children }: SchemaTree): SchemaElement[] => {
  const isList = element.converted_type === "LIST" || element.logical_type?.type === "LIST";
  const plain = { ...element, converted_type: isList ? ("LIST" as const) : undefined, logical_type: undefined };
  return [plain, ...children.flatMap(elementsOf)];
};
