import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CatalogueFile } from "./catalogue";

/** Called with the bytes done so far. */
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

/** Whether the file at `path` is the catalogue's. The result is remembered until the file changes. */
export const isRight = async (
  path: string,
  { sha256, sizeBytes }: CatalogueFile,
  folder: string,
  onBytes?: OnBytes,
): Promise<boolean> => (await sizeOf(path)) === sizeBytes && (await hashOnce(path, folder, onBytes)) === sha256;

/** Path of a file until its bytes are complete and checked. */
export const partOf = (target: string): string => `${target}.part`;

/** Renames a complete file to its name if its bytes are right; otherwise deletes it and throws Error. */
export const acceptPart = async ({ sha256, sizeBytes }: CatalogueFile, target: string): Promise<void> => {
  const part = partOf(target);
  if ((await sizeOf(part)) === sizeBytes && (await hashFile(part)) === sha256) {
    await rename(part, target);
    return;
  }
  await rm(part, { force: true });
  throw new Error("the bytes that came are not the model's (size or sha256 differ)");
};

interface Stamp {
  path: string;
  sizeBytes: number;
  modifiedMs: number;
  sha256: string;
}

/**
 * The sha256 of a file, from the stamp of an earlier call where size and time of change are still the same: hashing
 * 40 GB takes a minute, and a start should take seconds. `folder` keeps the stamps.
 */
export const hashOnce = async (path: string, folder: string, onBytes?: OnBytes): Promise<string> => {
  const { size: sizeBytes, mtimeMs: modifiedMs } = await stat(path);
  const known = await readStamp(path, folder);
  if (known && known.sizeBytes === sizeBytes && known.modifiedMs === modifiedMs) return known.sha256;
  const sha256 = await hashFile(path, onBytes);
  await writeStamp({ path: resolve(path), sizeBytes, modifiedMs, sha256 }, folder).catch(() => {
    // In a read-only folder, such as a shared volume, the file is hashed again on the next start.
  });
  return sha256;
};

const writeStamp = async (stamp: Stamp, folder: string): Promise<void> => {
  await mkdir(join(folder, ".verified"), { recursive: true });
  await writeFile(stampFile(stamp.path, folder), JSON.stringify(stamp));
};

const readStamp = async (path: string, folder: string): Promise<Stamp | undefined> => {
  try {
    const stamp: Stamp = JSON.parse(await readFile(stampFile(path, folder), "utf8"));
    return stamp.path === resolve(path) ? stamp : undefined;
  } catch {
    return undefined; // without a complete stamp, the file is hashed again
  }
};

const stampFile = (path: string, folder: string): string =>
  join(folder, ".verified", `${createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16)}.json`);
