import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { OnBytes } from "../verify";
import { Q8_0_BYTES, Q8_0_WEIGHTS } from "./q8-0";

/** A value of GGUF's metadata; integers are 32 bits wide. */
type GgufValue =
  | { type: "uint"; value: number }
  | { type: "float"; value: number }
  | { type: "bool"; value: boolean }
  | { type: "string"; value: string }
  | { type: "strings"; value: readonly string[] }
  | { type: "ints"; value: readonly number[] };

export type GgufMetadata = Readonly<Record<string, GgufValue>>;

export interface GgufTensor {
  name: string;
  type: "F32" | "Q8_0";
  /** Fastest dimension first, as ggml counts them. */
  shape: readonly number[];
  /** Its bytes in pieces; together as many as type and shape say. */
  read(): AsyncIterable<Uint8Array>;
}

/** Numbers of ggml's `enum ggml_type` and of GGUF's `gguf_metadata_value_type`. */
const TENSOR_TYPES = { F32: 0, Q8_0: 8 } as const;
const VALUE_TYPES = { uint: 4, int: 5, float: 6, bool: 7, string: 8, array: 9 } as const;
/** "GGUF" */
const MAGIC = 0x46554747;
const VERSION = 3;
/** GGUF's own default for `general.alignment`. */
const ALIGNMENT = 32;

/** Collects little-endian values. */
class Bytes {
  readonly #parts: Buffer[] = [];

  u32(value: number): this {
    return this.#add(4, (buffer) => buffer.writeUInt32LE(value));
  }

  i32(value: number): this {
    return this.#add(4, (buffer) => buffer.writeInt32LE(value));
  }

  u64(value: number): this {
    return this.#add(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
  }

  f32(value: number): this {
    return this.#add(4, (buffer) => buffer.writeFloatLE(value));
  }

  byte(value: number): this {
    return this.#add(1, (buffer) => buffer.writeUInt8(value));
  }

  text(value: string): this {
    const bytes = Buffer.from(value);
    this.u64(bytes.length).#parts.push(bytes);
    return this;
  }

  concat(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #add(length: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(length);
    write(buffer);
    this.#parts.push(buffer);
    return this;
  }
}

const addValue = (bytes: Bytes, entry: GgufValue): void => {
  switch (entry.type) {
    case "uint":
      bytes.u32(VALUE_TYPES.uint).u32(entry.value);
      return;
    case "float":
      bytes.u32(VALUE_TYPES.float).f32(entry.value);
      return;
    case "bool":
      bytes.u32(VALUE_TYPES.bool).byte(entry.value ? 1 : 0);
      return;
    case "string":
      bytes.u32(VALUE_TYPES.string).text(entry.value);
      return;
    case "strings":
      bytes.u32(VALUE_TYPES.array).u32(VALUE_TYPES.string).u64(entry.value.length);
      for (const text of entry.value) bytes.text(text);
      return;
    case "ints":
      bytes.u32(VALUE_TYPES.array).u32(VALUE_TYPES.int).u64(entry.value.length);
      for (const value of entry.value) bytes.i32(value);
  }
};

const tensorBytes = ({ type, shape }: GgufTensor): number => {
  const weights = shape.reduce((product, length) => product * length, 1);
  return type === "F32" ? weights * 4 : (weights / Q8_0_WEIGHTS) * Q8_0_BYTES;
};

const alignedBytes = (sizeBytes: number): number => Math.ceil(sizeBytes / ALIGNMENT) * ALIGNMENT;
const paddingAfter = (sizeBytes: number): Buffer => Buffer.alloc(alignedBytes(sizeBytes) - sizeBytes);

const head = (metadata: GgufMetadata, tensors: readonly GgufTensor[]): Buffer => {
  const entries = Object.entries(metadata);
  const bytes = new Bytes().u32(MAGIC).u32(VERSION).u64(tensors.length).u64(entries.length);
  for (const [key, value] of entries) addValue(bytes.text(key), value);
  let offset = 0;
  for (const tensor of tensors) {
    bytes.text(tensor.name).u32(tensor.shape.length);
    for (const length of tensor.shape) bytes.u64(length);
    bytes.u32(TENSOR_TYPES[tensor.type]).u64(offset);
    offset += alignedBytes(tensorBytes(tensor));
  }
  return bytes.concat();
};

async function* pieces(metadata: GgufMetadata, tensors: readonly GgufTensor[]): AsyncGenerator<Uint8Array> {
  const start = head(metadata, tensors);
  yield start;
  yield paddingAfter(start.length);
  for (const tensor of tensors) {
    yield* tensor.read();
    yield paddingAfter(tensorBytes(tensor));
  }
}

/** Writes a GGUF file of version 3; no more than a few pieces of a tensor are in memory at once. */
export const writeGguf = (
  path: string,
  metadata: GgufMetadata,
  tensors: readonly GgufTensor[],
  onBytes: OnBytes,
): Promise<void> => {
  let bytes = 0;
  const count = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      yield piece;
      bytes += piece.length;
      onBytes(bytes);
    }
  };
  return pipeline(pieces(metadata, tensors), count, createWriteStream(path));
};
