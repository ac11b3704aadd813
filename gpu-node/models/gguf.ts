import { open } from "node:fs/promises";
import type { OnBytes } from "./verify";

/* Writes GGUF files. */

/** The bytes "GGUF". */
const MAGIC = 0x46554747;
const VERSION = 3;
/** GGUF's own default for `general.alignment`. */
const ALIGNMENT = 32;

/** Tensor types of `enum ggml_type`. */
export const TENSOR_TYPES = { F32: 0, Q8_0: 8 } as const;

export interface GgufTensor {
  name: string;
  /** Dimensions, slowest-varying first. */
  shape: readonly number[];
  /** One of `TENSOR_TYPES`. */
  type: number;
  sizeBytes: number;
  read(): Uint8Array | Promise<Uint8Array>;
}

/** Writes a model to `target`. `onBytes` receives the number of bytes written so far. */
export const writeGguf = async (
  target: string,
  metadata: Readonly<Record<string, Buffer>>,
  tensors: readonly GgufTensor[],
  onBytes: OnBytes,
): Promise<void> => {
  const entries = Object.entries(metadata);
  const head = [u32(MAGIC, VERSION), u64(tensors.length, entries.length)];
  for (const [key, value] of entries) head.push(text(key), value);
  let offset = 0;
  for (const { name, shape, type, sizeBytes } of tensors) {
    head.push(text(name), u32(shape.length), u64(...shape.toReversed()), u32(type), u64(offset));
    offset += Math.ceil(sizeBytes / ALIGNMENT) * ALIGNMENT;
  }

  const file = await open(target, "w");
  let written = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    const padding = Buffer.alloc(-bytes.length & (ALIGNMENT - 1));
    await file.writeFile(bytes);
    await file.writeFile(padding);
    written += bytes.length + padding.length;
    onBytes(written);
  };
  try {
    await write(Buffer.concat(head));
    for (const tensor of tensors) await write(await tensor.read());
  } finally {
    await file.close();
  }
};

const bytesOf = ({ buffer }: ArrayBufferView<ArrayBuffer>): Buffer => Buffer.from(buffer);
const u32 = (...values: number[]): Buffer => bytesOf(Uint32Array.from(values));
const u64 = (...values: number[]): Buffer => bytesOf(BigUint64Array.from(values, BigInt));
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const list = (type: number, items: Buffer[]): Buffer => Buffer.concat([u32(9, type), u64(items.length), ...items]);

/* Metadata values. Each starts with the number of its type: 4 uint, 5 int, 6 float, 7 bool, 8 string, 9 array. */
export const uint = (value: number): Buffer => u32(4, value);
export const float = (value: number): Buffer => Buffer.concat([u32(6), bytesOf(Float32Array.of(value))]);
export const bool = (value: boolean): Buffer => Buffer.concat([u32(7), Buffer.of(value ? 1 : 0)]);
export const string = (value: string): Buffer => Buffer.concat([u32(8), text(value)]);
export const ints = (values: number[]): Buffer =>
  list(
    5,
    values.map((value) => u32(value)),
  );
export const strings = (values: string[]): Buffer => list(8, values.map(text));
