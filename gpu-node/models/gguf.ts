import { open } from "node:fs/promises";
import { AppError } from "../../lib/errors";

/** Counts beyond these are no model's; native code would try to allocate for them. */
const MAX_TENSORS = 1_000_000n;
const MAX_METADATA = 1_000_000n;
const HEADER_BYTES = 24;

/** Reads the header of a GGUF file and throws invalid_request when it can't be a model, before native code sees it. */
export const checkGguf = async (path: string): Promise<void> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const problem = bytesRead < HEADER_BYTES ? "it is too short" : headerProblem(buffer);
    if (problem) {
      throw new AppError("invalid_request", `${path} is no GGUF model: ${problem}. Name the .gguf file of a model.`);
    }
  } finally {
    await file.close();
  }
};

const headerProblem = (header: Buffer): string | undefined => {
  if (header.toString("latin1", 0, 4) !== "GGUF") return "it doesn't begin with GGUF";
  const version = header.readUInt32LE(4);
  if (version < 2 || version > 3) return `its version is ${version}, and 2 and 3 are known`;
  const tensors = header.readBigUInt64LE(8);
  const metadata = header.readBigUInt64LE(16);
  if (tensors === 0n || tensors > MAX_TENSORS) return `it claims ${tensors} tensors`;
  if (metadata === 0n || metadata > MAX_METADATA) return `it claims ${metadata} metadata entries`;
  return undefined;
};
