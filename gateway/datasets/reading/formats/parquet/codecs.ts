import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { snappyUncompress } from "hyparquet";
import type { CompressionCodec } from "hyparquet/src/types.js";
import { invalid } from "../../problems";
import { damaged } from "./file";
import { lz4Block, lz4Framed } from "./lz4";

type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

const CODECS: Partial<Record<CompressionCodec, Decompress>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY: (bytes, size) => {
    const output = new Uint8Array(size);
    snappyUncompress(bytes, output);
    return output;
  },
  GZIP: (bytes, size) => gunzipSync(bytes, { maxOutputLength: size }),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: size }),
  LZ4: lz4Framed,
  LZ4_RAW: lz4Block,
  ZSTD: (bytes, size) => zstdDecompressSync(bytes, { maxOutputLength: size }),
};

/** Exactly `size` bytes, however far the input would expand. Throws dataset_invalid. */
export const decompress = (bytes: Uint8Array, codec: CompressionCodec, size: number, column: string): Uint8Array => {
  // Nothing compressed is not a valid stream for most codecs.
  if (size === 0) return new Uint8Array();
  const run = CODECS[codec];
  if (!run) throw invalid(`the column is compressed with ${codec}. Write the file with zstd or snappy.`, { column });
  const page = run(bytes, size);
  if (page.length !== size) throw damaged("a page has not the size that it states", column);
  return page;
};
