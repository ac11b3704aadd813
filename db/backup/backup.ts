import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type Client, createClient } from "@libsql/client";
import { AppError } from "../../lib/errors";
import type { DbOptions } from "../target";
import { type BackupFacts, checkBackup, syncFile } from "./check";
import { copyAll } from "./tables";

/** Number of progress steps: write the copy, then verify it. */
export const BACKUP_STEPS = 2;

/**
 * Copies a live database into one SQLite file, as a consistent snapshot and without blocking writers. The file gets
 * its final name only after it has been read back and verified. `onStep` is called after each of `BACKUP_STEPS`
 * steps. Throws conflict if the file exists, unavailable for a database that can't be read.
 */
export const backUp = async (
  { url, authToken }: Pick<DbOptions, "url" | "authToken">,
  file: string,
  onStep: () => void = () => {},
): Promise<BackupFacts> => {
  if (existsSync(file)) throw new AppError("conflict", `${file} already exists. Choose another name.`);
  const folder = dirname(file);
  if (!existsSync(folder))
    throw new AppError("not_found", `The folder ${folder} doesn't exist. Create it, or choose another path.`);
  const source = url.startsWith("file:") ? url.slice("file:".length) : undefined;
  if (source !== undefined && !existsSync(source)) {
    throw new AppError(
      "not_found",
      `Database not found: ${source}. Start Groundwire once, or set GROUNDWIRE_DATA_DIR.`,
    );
  }
  const partial = `${file}.partial`;
  rmSync(partial, { force: true });
  // Set explicitly, because the umask may allow others to read it. SQLite accepts an empty file as a new database.
  closeSync(openSync(partial, "wx", 0o600));
  const client = createClient({ url, authToken, concurrency: source === undefined ? undefined : 1, intMode: "bigint" });
  try {
    await (source === undefined ? copyServer(client, partial) : copyFile(client, partial));
    onStep();
    const facts = await checkBackup(partial);
    onStep();
    await syncFile(partial);
    await rename(partial, file);
    await syncFile(folder);
    return facts;
  } finally {
    client.close();
    rmSync(partial, { force: true });
  }
};

/** Copies with SQLite's VACUUM INTO: one read transaction, and no free pages in the copy. */
const copyFile = async (client: Client, file: string): Promise<void> => {
  await client.executeMultiple(`PRAGMA wal_autocheckpoint = 0; VACUUM INTO '${file.replaceAll("'", "''")}'`);
};

/** A server can't write to a local file, so its tables are read in one transaction and written to the file. */
const copyServer = async (client: Client, file: string): Promise<void> => {
  const target = createClient({ url: `file:${file}`, concurrency: 1, intMode: "bigint" });
  const reading = await client.transaction("read");
  try {
    await copyAll(reading, target);
  } finally {
    reading.close();
    target.close();
  }
};
