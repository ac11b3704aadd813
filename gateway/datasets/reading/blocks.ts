import { randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes, type ReadingLimits, tooLarge } from "./limits";
import { type Patience, waitFor } from "./thread";

const BLOCK_BYTES = 65_536;

/**
 * The bytes of an upload in blocks of 64 KiB with a buffer each, the last one shorter, pulled as they are wanted. Throws
 * payload_too_large beyond the limit, deadline_exceeded when nothing comes, client_closed when aborted.
 */
export async function* toBlocks(
  bytes: AsyncIterable<Uint8Array>,
  { maxUploadBytes }: ReadingLimits,
  patience: Patience,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const pieces = bytes[Symbol.asyncIterator]();
  let block = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  let total = 0;
  try {
    for (;;) {
      const { done, value: piece } = await waitFor(pieces.next(), patience, STALLED);
      if (done) break;
      total += piece.length;
      if (total > maxUploadBytes)
        throw tooLarge(
          `the upload has more than ${formatBytes(maxUploadBytes)}. Split it, or raise GROUNDWIRE_MAX_UPLOAD_BYTES.`,
        );
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + BLOCK_BYTES - filled);
        block.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < BLOCK_BYTES) continue;
        yield block;
        block = new Uint8Array(BLOCK_BYTES);
        filled = 0;
      }
    }
    if (filled > 0) yield block.subarray(0, filled);
  } finally {
    // A source that hangs does not answer to this either.
    void pieces.return?.().catch(() => undefined);
  }
}

const STALLED = "No more bytes of the upload came in time. Send it again.";

/** A temporary file that is deleted when it is disposed. */
interface SpooledFile extends AsyncDisposable {
  path: string;
}

/** Writes blocks into a new file in `dir`. If this fails, no file is left behind. */
export const spool = async (blocks: AsyncIterable<Uint8Array>, dir: string): Promise<SpooledFile> => {
  await mkdir(dir, { recursive: true });
  const path = join(dir, `upload-${randomUUID()}`);
  const remove = () => rm(path, { force: true });
  try {
    await using file = await open(path, "wx", 0o600);
    for await (const block of blocks) await file.writeFile(block);
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
};
