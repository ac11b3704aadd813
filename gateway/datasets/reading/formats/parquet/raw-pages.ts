import type { ColumnMetaData, PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompress } from "./codecs";
import { damaged, type RandomFile } from "./file";
import { checkStated } from "./stated";

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
