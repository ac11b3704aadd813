import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isGone, ownIdentity, type ProcessIdentity } from "./process-identity";

/** A folder of another machine counts as abandoned after this time without a change. */
const UNTOUCHED_MS = 24 * 3_600_000;

/** "a1b2c3d4e5f60718-4711-123456": the machine, the process and its start. */
const nameOf = ({ host, process }: ProcessIdentity): string =>
  `${createHash("sha256").update(host).digest("hex").slice(0, 16)}-${process.replace(" ", "-")}`;

/** A folder for this process only, so that the leftovers of a killed process can be recognised. */
export const ownSpoolFolder = (dataDir: string): string => join(dataDir, "spool", nameOf(ownIdentity()));

/** Deletes the spool folders of processes that have ended. */
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
