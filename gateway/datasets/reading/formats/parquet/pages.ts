import type { CompressionCodec, DataReader, PageHeader, ParquetType } from "hyparquet";
// hyparquet exports neither of these, and checking a page before it is decoded needs both (docs/decisions/0012).
import { parquetHeader } from "hyparquet/src/column.js";
import { deltaBinaryUnpack } from "hyparquet/src/delta.js";
import { AppError } from "../../../../../lib/errors";
import { noteRead } from "../../garbage";
import { formatBytes, invalid, tooLarge } from "../../limits";
import { decompress } from "./codecs";
import { checkDeclared, damaged, guarded } from "./file";
import { bitWidth, readHybrid } from "./hybrid";

/** A header may hold the smallest and the largest of the page's values. */
const MAX_HEADER_BYTES = 1_048_576;
/** Memory for the decoded values of a row group; they stay until its last row has been read. */
const MAX_MEMORY_BYTES = 160 * 1_048_576;
/** Memory of a value in addition to its bytes in the page: its levels, its place in a list, and an object. */
const VALUE_BYTES = 16;
const OBJECT_BYTES = 88;
const LIST_BYTES = 64;

/** How the values of a column without children are stored. */
export interface Leaf {
  /** Names of the schema's parts, joined by dots. */
  column: string;
  type: ParquetType;
  codec: CompressionCodec;
  /** Maximum definition level. */
  definition: number;
  /** By repetition level, up to the maximum: the definition level at which it repeats. */
  repeated: readonly number[];
}

/** The pages of a column in a row group, up to the first that can't be read. */
export interface CheckedPages {
  /** Headers and packed pages as they are in the file. */
  buffer: ArrayBuffer;
  /** The unpacked page, or its unpacked values in version 2, by the offset of what is packed in `buffer`. */
  unpacked: ReadonlyMap<number, Uint8Array>;
  failure: AppError | undefined;
}

/** Keeps the decoded values of a row group within the memory limit. */
export class GroupMemory {
  #bytes = 0;

  /** Throws payload_too_large. */
  take(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_MEMORY_BYTES) throw groupTooLarge(MAX_MEMORY_BYTES);
    noteRead(bytes);
  }
}

export const groupTooLarge = (bytes: number): AppError =>
  tooLarge(
    `a row group of the Parquet file takes more than ${formatBytes(bytes)} unpacked. Write smaller row groups, for ` +
      "example with row_group_size=10000 in pyarrow, or map columns that you don't need to null.",
  );

/**
 * Unpacks and checks pages until they hold `count` values. hyparquet trusts what a page declares: six bytes can make it
 * fill all memory. Throws payload_too_large if the values don't fit into memory.
 */
export const checkPages = (
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  leaf: Leaf,
  memory: GroupMemory,
): CheckedPages => {
  const unpacked = new Map<number, Uint8Array>();
  const checker = new PageChecker(leaf, memory);
  let at = 0;
  let failure: AppError | undefined;
  try {
    // hyparquet stops before a last single byte, too.
    while (checker.values < count && at < bytes.length - 1) {
      const page = guarded(
        () => checker.check(pageAt(bytes, at, leaf, memory)),
        "a page can't be decoded",
        leaf.column,
      );
      unpacked.set(page.packedAt, page.content.subarray(page.levelBytes));
      at = page.end;
    }
  } catch (error) {
    if (!(error instanceof AppError) || error.kind !== "dataset_invalid") throw error;
    failure = error;
  }
  return { buffer: at < bytes.length ? bytes.buffer.slice(0, at) : bytes.buffer, unpacked, failure };
};

interface Page {
  header: PageHeader;
  /** Number of values with those that are null. */
  count: number;
  /** Unpacked, in a buffer of its own: hyparquet reads to the end of the buffer. */
  content: Uint8Array;
  /** Length of the levels at the beginning that are never packed, as in version 2. */
  levelBytes: number;
  packedAt: number;
  /** Where the next header begins. */
  end: number;
}

const pageAt = (bytes: Uint8Array<ArrayBuffer>, start: number, leaf: Leaf, memory: GroupMemory): Page => {
  const { column, codec } = leaf;
  const reader = {
    view: new DataView(bytes.buffer, 0, Math.min(bytes.length, start + MAX_HEADER_BYTES)),
    offset: start,
  };
  const header = parquetHeader(reader);
  const end = reader.offset + checkDeclared(header.compressed_page_size, bytes.length - reader.offset, column);
  const size = checkDeclared(header.uncompressed_page_size, MAX_MEMORY_BYTES, column);
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
  const types = [v1 && "DATA_PAGE", v2 && "DATA_PAGE_V2", dictionary && "DICTIONARY_PAGE"].filter((type) => type);
  // hyparquet uses the type; the checks use the actual bytes.
  if (types.length !== 1 || types[0] !== header.type) throw damaged("a page has the header of another type", column);
  const count = checkDeclared((v1 ?? v2 ?? dictionary)?.num_values, MAX_MEMORY_BYTES, column);
  memory.take(size + count * valueBytes(header, leaf));
  const repetitions = checkDeclared(v2?.repetition_levels_byte_length ?? 0, size, column);
  const levelBytes = repetitions + checkDeclared(v2?.definition_levels_byte_length ?? 0, size - repetitions, column);
  const packedAt = checkDeclared(reader.offset + levelBytes, end, column);
  const packed = bytes.subarray(packedAt, end);
  const values = v2?.is_compressed === false ? packed : decompress(packed, codec, size - levelBytes, column);
  const content = new Uint8Array(levelBytes + values.length);
  content.set(bytes.subarray(reader.offset, packedAt));
  content.set(values, levelBytes);
  return { header, count, content, levelBytes, packedAt, end };
};

/** Values that are bytes are objects, unless they are in a dictionary. */
const valueBytes = ({ data_page_header: v1, data_page_header_v2: v2 }: PageHeader, { type }: Leaf): number => {
  const isObject = type.endsWith("BYTE_ARRAY") && !(v1 ?? v2)?.encoding.endsWith("_DICTIONARY");
  return VALUE_BYTES + (isObject ? OBJECT_BYTES : 0);
};

/** Encodings that take no more memory than `valueBytes` says, whatever is in the page. */
const BOUNDED_ENCODINGS: ReadonlySet<string> = new Set([
  "PLAIN",
  "BYTE_STREAM_SPLIT",
  "DELTA_BINARY_PACKED",
  "DELTA_LENGTH_BYTE_ARRAY",
]);

/** Checks the pages of a column in their order. Its methods throw dataset_invalid. */
class PageChecker {
  /** Values in the data pages so far, with those that are null. */
  values = 0;
  #dictionarySize: number | undefined;

  constructor(
    private readonly leaf: Leaf,
    private readonly memory: GroupMemory,
  ) {}

  check(page: Page): Page {
    const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = page.header;
    if (dictionary) this.#dictionarySize = page.count;
    else {
      const { present, at } = this.#checkLevels(page);
      if (v2 && present !== page.count - v2.num_nulls) throw damaged("a page has too few values", this.leaf.column);
      if (present > 0) this.#checkValues((v1 ?? v2)?.encoding, page, at, present);
      this.values += page.count;
    }
    return page;
  }

  /** Returns the number of values that are not null, and where they begin. */
  #checkLevels({ header: { data_page_header_v2: v2 }, content, count }: Page): { present: number; at: number } {
    const { definition, repeated, column } = this.leaf;
    let at = 0;
    const read = (max: number, declared: number | undefined): Uint8Array | undefined => {
      if (max === 0 && declared === undefined) return undefined;
      // Version 1 pages have the length before the levels, version 2 pages have it in the header.
      const start = declared === undefined ? at + 4 : at;
      const end = checkDeclared(start + (declared ?? viewOf(content).getUint32(at, true)), content.length, column);
      at = end;
      if (max === 0) return undefined;
      const levels = new Uint8Array(count);
      readHybrid(content, { start, end, width: bitWidth(max) }, levels);
      return levels;
    };
    const repetitions = read(repeated.length - 1, v2?.repetition_levels_byte_length);
    const definitions = read(definition, v2?.definition_levels_byte_length);
    for (const level of repetitions ?? []) {
      const begun = repeated[level];
      if (begun === undefined) throw damaged("it holds an impossible level", column);
      this.memory.take((definition - begun) * LIST_BYTES);
    }
    const present = definitions ? definitions.reduce((sum, level) => sum + (level === definition ? 1 : 0), 0) : count;
    return { present, at };
  }

  #checkValues(encoding: string | undefined, { header, content }: Page, at: number, count: number): void {
    const { column, type } = this.leaf;
    if (encoding?.endsWith("_DICTIONARY") && type !== "BOOLEAN") {
      const size = this.#dictionarySize;
      if (size === undefined) throw damaged("a page comes before its dictionary", column);
      const width = content[at] ?? 0;
      if (width > MAX_INDEX_BITS) throw damaged("the indexes of a page are too wide", column);
      const indexes = new Uint32Array(count);
      // Version 1 pages hold nothing else if there is only one value.
      const isEmpty = width === 0 && header.data_page_header !== undefined;
      if (!isEmpty) readHybrid(content, { start: at + 1, end: content.length, width }, indexes);
      if (indexes.some((index) => index >= size)) throw damaged("a value is not in its dictionary", column);
    } else if (encoding === "RLE" && type === "BOOLEAN") {
      readHybrid(content, { start: at + 4, end: content.length, width: 1 }, new Uint8Array(count));
    } else if (encoding === "DELTA_BYTE_ARRAY") {
      this.memory.take(deltaByteArraySize({ view: viewOf(content), offset: at }, count));
    } else if (encoding === undefined || !BOUNDED_ENCODINGS.has(encoding)) {
      const name = encoding ?? "of a page";
      throw invalid(`the encoding ${name} is not supported. Write the file with the default encodings.`, { column });
    }
  }
}

/** Wider indexes overflow in hyparquet, and a dictionary with so many values does not fit into memory. */
const MAX_INDEX_BITS = 24;

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** Bytes of all values together. Each value repeats the beginning of the one before, so a few bytes can expand to many. */
const deltaByteArraySize = (reader: DataReader, count: number): number => {
  const lengths = new Int32Array(count);
  let size = 0;
  for (const _part of ["prefixes", "suffixes"]) {
    deltaBinaryUnpack(reader, count, lengths);
    for (const length of lengths) {
      if (length < 0) throw damaged("a text has a length below zero");
      size += length;
    }
  }
  return size;
};
