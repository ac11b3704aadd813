import { open } from "node:fs/promises";
import { AppError } from "../../../lib/errors";

/** Where a tensor lies in its file. */
export interface StoredTensor {
  dtype: string;
  /** Slowest dimension first. */
  shape: readonly number[];
  /** Of its first byte, from the start of the file. */
  offset: number;
  sizeBytes: number;
}

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

/** The tensors of a safetensors file by name, each within the file. Throws invalid_request when it can't be one. */
export const readSafetensors = async (path: string): Promise<Map<string, StoredTensor>> => {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer: start, bytesRead } = await file.read(Buffer.alloc(LENGTH_BYTES), 0, LENGTH_BYTES, 0);
    const headerBytes = bytesRead < LENGTH_BYTES ? 0 : Number(start.readBigUInt64LE());
    const dataOffset = LENGTH_BYTES + headerBytes;
    if (headerBytes === 0 || headerBytes > MAX_HEADER_BYTES || dataOffset > size) throw unreadable(path, "its header");
    const { buffer } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, LENGTH_BYTES);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, entry] of Object.entries(parseHeader(buffer, path))) {
      if (name === "__metadata__") continue;
      const { dtype, shape, data_offsets: [from = -1, to = -1] = [] } = entry;
      const isInside = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to;
      if (!isInside || dataOffset + to > size || !Array.isArray(shape)) throw unreadable(path, `the tensor ${name}`);
      tensors.set(name, { dtype: String(dtype), shape, offset: dataOffset + from, sizeBytes: to - from });
    }
    return tensors;
  } finally {
    await file.close();
  }
};

interface HeaderEntry {
  dtype?: string;
  shape?: number[];
  data_offsets?: number[];
}

const parseHeader = (buffer: Buffer, path: string): Record<string, HeaderEntry> => {
  try {
    return JSON.parse(buffer.toString("utf8"));
  } catch (cause) {
    throw unreadable(path, "its header", cause);
  }
};

const unreadable = (path: string, what: string, cause?: unknown): AppError =>
  new AppError("invalid_request", `${path} is no safetensors file: ${what} can't be read. Fetch it again.`, { cause });
