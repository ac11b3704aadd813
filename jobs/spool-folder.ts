import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isGone, ownIdentity, type ProcessIdentity } from "./process-identity";

/** On a machine that nobody here can look into, what nobody has touched for so long is in use no more. */
const UNTOUCHED_MS = 24 * 3_600_000;

/** "a1b2c3d4e5f60718-4711-123456": the machine, the process and its start. */
const nameOf = ({ host, process }: ProcessIdentity): string =>
  `${createHash("sha256").update(host).digest("hex").slice(0, 16)}-${process.replace(" ", "-")}`;

/** A folder that no other process writes into, so that what a killed one has left there is known to be nobody's. */
export const ownSpoolFolder = (dataDir: string): string => join(dataDir, "spool", nameOf(ownIdentity()));

/** Deletes what processes that are gone have left in the folder of all spools. */
export const clearSpools = async (dataDir: string, now: Date): Promise<void> => {
  const folder = join(dataDir, "spool");
  for (const name of await readdir(folder).catch(() => [])) {
    if (await isAbandoned(folder, name, now)) await rm(join(folder, name), { recursive: true, force: true });
  }
};

const isAbandoned = async (folder: string, name: string, now: Date): Promise<boolean> => {
  const { host } = ownIdentity();
  const [, ...numbers] = name.split("-");
  const process = numbers.join(" ");
  if (nameOf({ host, process }) === name) return isGone({ host, process });
  const touchedAt = (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs;
  return touchedAt !== undefined && now.getTime() - touchedAt > UNTOUCHED_MS;
};
