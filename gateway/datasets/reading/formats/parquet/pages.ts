import type { ColumnMetaData, PageHeader, ParquetType } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { noteRead } from "../../garbage";
import { formatBytes, invalid } from "../../limits";
import { decompress } from "./codecs";
import { checkStated, damaged, type RandomFile } from "./file";

/** A header may hold the smallest and the largest of the page's values: most of these are short. */
const HEADER_BYTES = [4096, 1_048_576];

/** Steps through the pages of one column in one row group: a header, then its page, and so on. */
export class RawPages {
  readonly #end: number;
  #at: number;

  constructor(
    private readonly file: RandomFile,
    private readonly metadata: ColumnMetaData,
    private readonly column: string,
  ) {
    this.#at = checkStated(Number(metadata.dictionary_page_offset || metadata.data_page_offset), file.size, column);
    this.#end = checkStated(this.#at + Number(metadata.total_compressed_size), file.size, column);
  }

  /** The next header, undefined at the end. Its page has to be taken or passed before the next one. */
  header(): PageHeader | undefined {
    if (this.#at >= this.#end) return undefined;
    for (const length of HEADER_BYTES) {
      const bytes = this.file.read(this.#at, Math.min(length, this.#end - this.#at));
      const reader = { view: new DataView(bytes.buffer), offset: 0 };
      try {
        const header = parquetHeader(reader);
        this.#at += reader.offset;
        checkStated(header.compressed_page_size, this.#end - this.#at, this.column);
        return header;
      } catch {
        // Perhaps it is longer than what was read.
      }
    }
    throw damaged("a page's header can't be read", this.column);
  }

  pass({ compressed_page_size }: PageHeader): void {
    this.#at += compressed_page_size;
  }

  /** The page in the state before compression. */
  take(header: PageHeader): Uint8Array {
    const bytes = this.file.read(this.#at, header.compressed_page_size);
    this.pass(header);
    const { data_page_header_v2: v2, uncompressed_page_size: size } = header;
    if (!v2) return decompress(bytes, this.metadata.codec, size, this.column);
    if (v2.is_compressed === false) return bytes;
    // The levels in front of the values are never compressed.
    const stated = v2.repetition_levels_byte_length + v2.definition_levels_byte_length;
    const levels = checkStated(stated, Math.min(size, bytes.length), this.column);
    const values = decompress(bytes.subarray(levels), this.metadata.codec, size - levels, this.column);
    return Buffer.concat([bytes.subarray(0, levels), values]);
  }
}

/** Memory limit for all open pages and dictionaries together. */
const MAX_COST_BYTES = 16 * 1_048_576;

/** Enforces the memory limit for the open pages of all columns together. */
export class OpenPages {
  readonly #costs = new Map<object, number>();

  /** Sets the memory that `holder` will need. Throws dataset_invalid if the sum of all holders exceeds the limit. */
  hold(holder: object, costBytes: number, column: string): void {
    this.#costs.set(holder, costBytes);
    const sum = this.#costs.values().reduce((all, each) => all + each, 0);
    if (sum > MAX_COST_BYTES) {
      throw invalid(
        `the pages of the Parquet file take more than ${formatBytes(MAX_COST_BYTES)} at a time. Map columns that you ` +
          "don't need to null, write the file with smaller pages, or upload JSONL.",
        { column },
      );
    }
    noteRead(costBytes);
  }

  letGo(holder: object): void {
    this.#costs.delete(holder);
  }
}

/** Per value of a page: two levels and a dictionary index. */
const VALUE_COST = 6;

/** The number of values that a page or dictionary declares. */
export const statedCount = ({
  data_page_header: v1,
  data_page_header_v2: v2,
  dictionary_page_header: dictionary,
}: PageHeader): number | undefined => (v1 ?? v2 ?? dictionary)?.num_values;

/** Bytes per value in memory, in addition to the page itself, while the page is open. */
export const valueCost = (header: PageHeader, type: ParquetType): number => {
  if (header.type === "DICTIONARY_PAGE") return type === "BYTE_ARRAY" ? 4 : 64;
  const encoding = (header.data_page_header ?? header.data_page_header_v2)?.encoding;
  const isSplit = encoding === "BYTE_STREAM_SPLIT" && type === "FIXED_LEN_BYTE_ARRAY";
  if (encoding?.endsWith("BYTE_ARRAY") || isSplit) return VALUE_COST + 128;
  const isReadBySlices = encoding?.startsWith("PLAIN") || encoding === "RLE_DICTIONARY";
  return VALUE_COST + (isReadBySlices && type !== "BOOLEAN" ? 0 : 8);
};
