import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CatalogueFile } from "./catalogue";

/** Called with the number of bytes processed so far. */
export type OnBytes = (bytes: number) => void;

/** The sha256 of a file in hex, read in pieces. */
export const hashFile = async (path: string, onBytes: OnBytes = () => {}): Promise<string> => {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 1_048_576 })) {
    hash.update(piece);
    bytes += piece.length;
    onBytes(bytes);
  }
  return hash.digest("hex");
};

/** Size of a file; undefined if it does not exist. */
export const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/** Whether the file at `path` exists and matches the catalogue. The result is stored until the file changes. */
export const matchesCatalogue = async (
  path: string,
  { sha256, sizeBytes }: CatalogueFile,
  folder: string,
  onBytes?: OnBytes,
): Promise<boolean> => {
  const size = await sizeOf(path);
  if (size === undefined || (sizeBytes !== undefined && size !== sizeBytes)) return false;
  return sha256 === undefined || (await hashOnce(path, folder, onBytes)) === sha256;
};

/** Path of a file that is not yet complete and verified. */
export const partOf = (target: string): string => `${target}.part`;

/** Renames a complete file to its final name if it matches the catalogue; otherwise deletes it and throws Error. */
export const acceptPart = async ({ sha256, sizeBytes }: CatalogueFile, target: string): Promise<void> => {
  const part = partOf(target);
  const isExpected =
    (sizeBytes === undefined || (await sizeOf(part)) === sizeBytes) &&
    (sha256 === undefined || (await hashFile(part)) === sha256);
  if (isExpected) {
    await rename(part, target);
    return;
  }
  await rm(part, { force: true });
  throw new Error("the downloaded file is not the expected one (size or sha256 differs)");
};

/**
 * The sha256 of a file. Results are stored in `folder` by path, size and modification time, because hashing 40 GB takes
 * a minute and a start should take seconds.
 */
export const hashOnce = async (path: string, folder: string, onBytes?: OnBytes): Promise<string> => {
  const { size, mtimeMs } = await stat(path);
  const key = createHash("sha256")
    .update(`${resolve(path)} ${size} ${mtimeMs}`)
    .digest("hex")
    .slice(0, 32);
  const stamp = join(folder, ".verified", key);
  const known = await readFile(stamp, "utf8").catch(() => "");
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const sha256 = await hashFile(path, onBytes);
  // If the folder is read-only, such as a shared volume, the file is hashed again on the next start.
  await Bun.write(stamp, sha256).catch(() => {});
  return sha256;
};
