import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { type CompressionCodec, snappyUncompress } from "hyparquet";
import { invalid } from "../../limits";
import { damaged } from "./file";

/** Unpacks an LZ4 block (`LZ4_RAW` in Parquet). Throws dataset_invalid if it has more than `size` bytes. */
export const lz4Block = (bytes: Uint8Array, size: number): Uint8Array => {
  const output = new Uint8Array(size);
  let at = 0;
  let end = 0;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; length += more) more = bytes[at++] ?? 0;
    return length;
  };
  while (at < bytes.length) {
    const token = bytes[at++] ?? 0;
    const literals = lengthFrom(token >> 4);
    if (literals > bytes.length - at || literals > size - end) throw broken();
    output.set(bytes.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    // The last sequence has no match.
    if (at === bytes.length) break;
    const distance = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    at += 2;
    const matched = lengthFrom(token & 15) + 4;
    if (distance === 0 || distance > end || matched > size - end) throw broken();
    if (distance >= matched) output.copyWithin(end, end - distance, end - distance + matched);
    else for (let i = end; i < end + matched; i++) output[i] = output[i - distance] ?? 0;
    end += matched;
  }
  return output.subarray(0, end);
};

/**
 * Parquet's deprecated `LZ4`: the framing of Hadoop, blocks with their unpacked and packed sizes as two 32-bit big-endian
 * numbers in front. Some writers left the framing out.
 */
export const lz4Framed = (bytes: Uint8Array, size: number): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const output = new Uint8Array(size);
  let at = 0;
  let end = 0;
  while (at < bytes.length) {
    const [unpacked, packed] = at + 8 <= bytes.length ? [view.getUint32(at), view.getUint32(at + 4)] : [size, size];
    if (unpacked > size - end || packed > bytes.length - at - 8) return lz4Block(bytes, size);
    output.set(lz4Block(bytes.subarray(at + 8, at + 8 + packed), unpacked), end);
    at += 8 + packed;
    end += unpacked;
  }
  return output.subarray(0, end);
};

const broken = () => damaged("its LZ4 can't be unpacked");

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

/** Decompresses a page to exactly `size` bytes. Throws dataset_invalid for any other size. */
export const decompress = (bytes: Uint8Array, codec: CompressionCodec, size: number, column: string): Uint8Array => {
  // Zero bytes are not a valid stream for most codecs.
  if (size === 0) return new Uint8Array();
  const run = CODECS[codec];
  if (!run) throw invalid(`the column is compressed with ${codec}. Write the file with zstd or snappy.`, { column });
  const page = run(bytes, size);
  if (page.length !== size) throw damaged("a page does not have its declared size", column);
  return page;
};
