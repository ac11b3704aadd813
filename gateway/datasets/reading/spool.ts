import { randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes, type ReadingLimits, tooLarge } from "./limits";
import { type Patience, waitFor } from "./thread";

/** A temporary file that is deleted when it is disposed. */
interface SpooledFile extends AsyncDisposable {
  path: string;
}

/**
 * Writes an upload into a new file in `dir`. Throws payload_too_large beyond the limit, deadline_exceeded when no bytes come,
 * client_closed when aborted. If it throws, no file is left behind.
 */
export const spool = async (
  bytes: AsyncIterable<Uint8Array>,
  dir: string,
  { maxUploadBytes }: ReadingLimits,
  patience: Patience,
): Promise<SpooledFile> => {
  await mkdir(dir, { recursive: true });
  const path = join(dir, `upload-${randomUUID()}`);
  const remove = () => rm(path, { force: true });
  const pieces = bytes[Symbol.asyncIterator]();
  try {
    await using file = await open(path, "wx", 0o600);
    let total = 0;
    for (;;) {
      const { done, value: piece } = await waitFor(pieces.next(), patience, STALLED);
      if (done) return { path, [Symbol.asyncDispose]: remove };
      total += piece.length;
      if (total > maxUploadBytes)
        throw tooLarge(
          `the upload has more than ${formatBytes(maxUploadBytes)}. Split it, or raise GROUNDWIRE_MAX_UPLOAD_BYTES.`,
        );
      await file.writeFile(piece);
    }
  } catch (error) {
    await remove();
    throw error;
  } finally {
    // A source that hangs does not answer to this either.
    void pieces.return?.().catch(() => undefined);
  }
};

const STALLED = "No more bytes of the upload came in time. Send it again.";
