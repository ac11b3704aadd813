import { randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";

/** A file of our own that is deleted when it is disposed of. */
export interface SpooledFile extends AsyncDisposable {
  path: string;
}

/** Writes blocks into a new file in `dir`. A failure on the way leaves nothing behind. */
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
