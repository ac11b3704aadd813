import type { DataReader, DecodedArray, PageHeader, ParquetType } from "hyparquet";
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { byteStreamSplit } from "hyparquet/src/encoding.js";
import { readPlain } from "hyparquet/src/plain.js";
import { invalid } from "../../limits";
import { damaged } from "./file";

/** How the values of a column are stored, and what they become. */
export interface Decoder {
  column: string;
  type: ParquetType;
  /** Bytes of a value of FIXED_LEN_BYTE_ARRAY. */
  typeLength: number | undefined;
  /** undefined if stored values need no conversion. */
  toValue: ((stored: unknown) => unknown) | undefined;
}

/** Converts stored values to their logical values. */
const convert = (stored: DecodedArray, { toValue }: Decoder): DecodedArray =>
  toValue ? Array.from<unknown, unknown>(stored, toValue) : stored;

/** Hands out the values of a page that are not null, as many at a time as are wanted. Texts are bytes. */
export type TakeValues = (count: number) => DecodedArray;

/** Where the values of a page are and how many. */
interface ValueBytes {
  page: Uint8Array;
  at: number;
  count: number;
}

const readerAt = (page: Uint8Array, offset: number): DataReader => ({
  view: new DataView(page.buffer, page.byteOffset, page.byteLength),
  offset,
});

export const readDictionary = (page: Uint8Array, count: number, decoder: Decoder): Dictionary => {
  if (decoder.type === "BYTE_ARRAY") return textDictionary(page, count);
  const values = readPlain(readerAt(page, 0), decoder.type, count, decoder.typeLength);
  return valueDictionary(convert(values, decoder));
};

/** Says how many bytes beyond its cost a page takes once decoded. Throws dataset_invalid where they are too many. */
type HoldMore = (bytes: number) => void;

/** Throws dataset_invalid for encodings that are not read, and where the page does not hold what it states. */
export const openValues = (
  { data_page_header: v1, data_page_header_v2: v2 }: PageHeader,
  bytes: ValueBytes,
  { decoder, dictionary, holdMore }: { decoder: Decoder; dictionary: Dictionary | undefined; holdMore: HoldMore },
): TakeValues => {
  if (bytes.count === 0) return () => [];
  const encoding = (v1 ?? v2)?.encoding;
  if (encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY") return takeNumbered(bytes, decoder, dictionary);
  if (encoding !== "PLAIN" || decoder.type === "BOOLEAN") {
    const stored = decodeAll(encoding, bytes, decoder, holdMore);
    let at = 0;
    return (count) => {
      at += count;
      return convert(stored.slice(at - count, at), decoder);
    };
  }
  const reader = readerAt(bytes.page, bytes.at);
  return (count) => convert(readPlain(reader, decoder.type, count, decoder.typeLength), decoder);
};

/** Numbers of values in the dictionary, behind the width that they are packed with. */
const takeNumbered = (
  { page, at: widthAt, count: all }: ValueBytes,
  decoder: Decoder,
  dictionary: Dictionary | undefined,
): TakeValues => {
  if (!dictionary) throw damaged("a page comes before its dictionary");
  const width = page[widthAt] ?? 0;
  if (width > 32) throw damaged("the numbers of a page are too wide");
  const numbers = new Uint32Array(all);
  if (width > 0) readHybrid(page, { start: widthAt + 1, end: page.length, width }, numbers);
  let at = 0;
  return (count) => {
    const values = dictionary.pick(numbers.subarray(at, at + count));
    at += count;
    // This dictionary holds stored bytes; other dictionaries are already converted.
    return decoder.type === "BYTE_ARRAY" ? convert(values, decoder) : values;
  };
};

/** Encodings whose values can't be had one by one. */
const decodeAll = (
  encoding: string | undefined,
  { page, at, count }: ValueBytes,
  decoder: Decoder,
  holdMore: HoldMore,
): DecodedArray => {
  const reader = readerAt(page, at);
  const { type } = decoder;
  if (type === "BOOLEAN" && encoding === "PLAIN") return readPlain(reader, type, count, undefined);
  if (type === "BOOLEAN" && encoding === "RLE") {
    const bits = new Uint8Array(count);
    readHybrid(page, { start: at + 4, end: page.length, width: 1 }, bits);
    return Array.from(bits, (bit) => bit === 1);
  }
  if (encoding === "DELTA_BINARY_PACKED") {
    const numbers = type === "INT32" ? new Int32Array(count) : new BigInt64Array(count);
    deltaBinaryUnpack(reader, count, numbers);
    return numbers;
  }
  if (encoding === "DELTA_LENGTH_BYTE_ARRAY") {
    const texts: Uint8Array[] = new Array(count);
    deltaLengthByteArray(reader, count, texts);
    return texts;
  }
  if (encoding === "DELTA_BYTE_ARRAY") {
    holdMore(deltaByteArraySize(readerAt(page, at), count));
    const texts: Uint8Array[] = new Array(count);
    deltaByteArray(reader, count, texts);
    return texts;
  }
  if (encoding === "BYTE_STREAM_SPLIT") return byteStreamSplit(reader, count, type, decoder.typeLength);
  const message = `the encoding ${encoding ?? "of a page"} is not supported. Write the file with the default encodings.`;
  throw invalid(message, { column: decoder.column });
};

/** Bytes of all values together. Each repeats the beginning of the one before, so a few bytes may stand for many. */
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

/** The dictionary of a column: its pages refer to these values by index. */
export interface Dictionary {
  /** Throws dataset_invalid for an index outside the dictionary. */
  pick(numbers: Uint32Array): DecodedArray;
}

/** A dictionary of decoded values. */
const valueDictionary = (values: DecodedArray): Dictionary => ({
  pick: (numbers) => Array.from(numbers, (number) => known(values[number])),
});

/**
 * A dictionary of texts, kept as the page's bytes with a four-byte length before each text. An object per text would
 * take more memory than most texts.
 */
const textDictionary = (page: Uint8Array, count: number): Dictionary => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const starts = new Uint32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    starts[i] = at + 4;
    at += 4 + view.getUint32(at, true);
    if (at > page.length) throw damaged("a dictionary ends too early");
  }
  const textAt = (start: number): Uint8Array => page.subarray(start, start + view.getUint32(start - 4, true));
  return { pick: (numbers) => Array.from(numbers, (number) => textAt(known(starts[number]))) };
};

const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw damaged("a value is not in its dictionary");
  return value;
};

/** Number of bits of a whole number up to `max`. */
export const bitWidth = (max: number): number => 32 - Math.clz32(max);

/**
 * Unpacks Parquet's "RLE/bit-packing hybrid" from `start` to `end` of `bytes` and fills `output`. `width` is 0 to 32
 * bits. Throws dataset_invalid if there are too few values. hyparquet's own reader trusts the declared length of a run,
 * so six bytes could fill all memory.
 */
export const readHybrid = (
  bytes: Uint8Array,
  { start, end, width }: { start: number; end: number; width: number },
  output: Uint8Array | Uint32Array,
): void => {
  let at = start;
  let filled = 0;
  while (filled < output.length) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw damaged("a page ends too early");
      const byte = bytes[at++] ?? 0;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const length = header >>> 1;
    if (header & 1) {
      const count = Math.min(length * 8, output.length - filled);
      if (at + Math.ceil((count * width) / 8) > end) throw damaged("a page ends too early");
      for (let i = 0; i < count; i++) output[filled++] = readBits(bytes, at * 8 + i * width, width);
      at += length * width;
    } else {
      const value = readBits(bytes, at * 8, width);
      at += Math.ceil(width / 8);
      output.fill(value, filled, filled + length);
      filled += length;
    }
  }
};

/** Reads a number of `width` bits at a bit offset, least significant bit first. */
const readBits = (bytes: Uint8Array, bit: number, width: number): number => {
  let value = 0;
  for (let done = 0; done < width; ) {
    const at = bit + done;
    const count = Math.min(8 - (at & 7), width - done);
    const part = ((bytes[at >>> 3] ?? 0) >>> (at & 7)) & ((1 << count) - 1);
    value |= part << done;
    done += count;
  }
  return value >>> 0;
};
