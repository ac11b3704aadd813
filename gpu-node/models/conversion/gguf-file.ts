import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { OnBytes } from "../verify";
import { Q8_0_BYTES, Q8_0_WEIGHTS } from "./q8-0";

/** Values by name, encoded by `metadata`. */
export type GgufMetadata = Readonly<Record<string, Buffer>>;

export interface GgufTensor {
  name: string;
  type: "F32" | "Q8_0";
  /** Fastest dimension first, as ggml counts them. */
  shape: readonly number[];
  /** Its bytes in pieces; together as many as type and shape say. */
  read(): AsyncIterable<Uint8Array>;
}

/** Number of each type in ggml's `enum ggml_type`. */
const TENSOR_TYPES = { F32: 0, Q8_0: 8 } as const;
/** "GGUF" */
const MAGIC = 0x46554747;
const VERSION = 3;
/** GGUF's own default for `general.alignment`. */
const ALIGNMENT = 32;

/** GGUF is little-endian, as every machine that Bun runs on. */
const bytesOf = ({ buffer }: ArrayBufferView<ArrayBuffer>): Buffer => Buffer.from(buffer);
const u32 = (...values: number[]): Buffer => bytesOf(Uint32Array.from(values));
const u64 = (...values: number[]): Buffer => bytesOf(BigUint64Array.from(values, BigInt));
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
};

/** Number of each type in GGUF's `gguf_metadata_value_type`. */
const VALUE_TYPES = { uint: 4, int: 5, float: 6, bool: 7, string: 8, array: 9 } as const;
const array = (type: "int" | "string", length: number, ...items: Buffer[]): Buffer =>
  Buffer.concat([u32(VALUE_TYPES.array, VALUE_TYPES[type]), u64(length), ...items]);

/** Encodes metadata values. Integers are 32 bits wide. */
export const metadata = {
  uint: (value: number): Buffer => u32(VALUE_TYPES.uint, value),
  float: (value: number): Buffer => Buffer.concat([u32(VALUE_TYPES.float), bytesOf(Float32Array.of(value))]),
  bool: (value: boolean): Buffer => Buffer.concat([u32(VALUE_TYPES.bool), Buffer.of(value ? 1 : 0)]),
  string: (value: string): Buffer => Buffer.concat([u32(VALUE_TYPES.string), text(value)]),
  strings: (values: readonly string[]): Buffer => array("string", values.length, ...values.map(text)),
  ints: (values: readonly number[]): Buffer => array("int", values.length, bytesOf(Int32Array.from(values))),
};

const tensorBytes = ({ type, shape }: GgufTensor): number => {
  const weights = shape.reduce((product, length) => product * length, 1);
  return type === "F32" ? weights * 4 : (weights / Q8_0_WEIGHTS) * Q8_0_BYTES;
};

const alignedBytes = (sizeBytes: number): number => Math.ceil(sizeBytes / ALIGNMENT) * ALIGNMENT;
const paddingAfter = (sizeBytes: number): Buffer => Buffer.alloc(alignedBytes(sizeBytes) - sizeBytes);

const head = (values: GgufMetadata, tensors: readonly GgufTensor[]): Buffer => {
  const entries = Object.entries(values);
  const parts = [u32(MAGIC, VERSION), u64(tensors.length, entries.length)];
  for (const [key, value] of entries) parts.push(text(key), value);
  let offset = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    parts.push(text(name), u32(shape.length), u64(...shape), u32(TENSOR_TYPES[type]), u64(offset));
    offset += alignedBytes(tensorBytes(tensor));
  }
  return Buffer.concat(parts);
};

async function* pieces(values: GgufMetadata, tensors: readonly GgufTensor[]): AsyncGenerator<Uint8Array> {
  const start = head(values, tensors);
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
  values: GgufMetadata,
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
  return pipeline(pieces(values, tensors), count, createWriteStream(path));
};
