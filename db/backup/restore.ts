import { existsSync, rmSync } from "node:fs";
import { chmod, copyFile, mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type Client, createClient } from "@libsql/client";
import { AppError } from "../../lib/errors";
import { isBusy, isDamaged } from "../errors";
import type { DbOptions } from "../target";
import { type BackupFacts, checkBackup, syncFile } from "./check";
import { copyAll, countRows, listSchema } from "./tables";

/** Number of progress steps: verify the backup, copy it, verify the copy. */
export const RESTORE_STEPS = 3;

export interface Restored {
  facts: BackupFacts;
  /** New path of the previous database, or of its write-ahead log if only the log existed. */
  before?: string;
}

/**
 * Verifies a backup and replaces the database with it. The previous database is kept in the same folder, even if it is
 * damaged. A libSQL server must be empty. `onStep` is called after each of `RESTORE_STEPS` steps. Throws what
 * `checkBackup` throws, and conflict for a database that is in use.
 */
export const restore = async (
  file: string,
  { url, authToken }: Pick<DbOptions, "url" | "authToken">,
  { now = new Date(), onStep = () => {} }: { now?: Date; onStep?: () => void } = {},
): Promise<Restored> => {
  const facts = await checkBackup(file);
  onStep();
  if (url.startsWith("file:"))
    return { facts, before: await replaceFile(file, url.slice("file:".length), facts, now, onStep) };
  await fillServer(file, createClient({ url, authToken, intMode: "bigint" }), facts, onStep);
  return { facts };
};

const replaceFile = async (
  file: string,
  path: string,
  facts: BackupFacts,
  now: Date,
  onStep: () => void,
): Promise<string | undefined> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const staging = `${path}.restoring`;
  rmSync(staging, { force: true });
  let before: string | undefined;
  try {
    await copyFile(file, staging);
    await chmod(staging, 0o600);
    await syncFile(staging);
    onStep();
    const copied = await checkBackup(staging);
    onStep();
    if (copied.sha256 !== facts.sha256)
      throw new AppError("internal", `${file} changed while it was being copied. Try again.`);
    const lock = existsSync(path) ? await lockAlone(path) : undefined;
    try {
      before = await moveAside(path, `.before-${now.toISOString().replaceAll(/[:.]/g, "-")}`);
      await rename(staging, path);
    } finally {
      lock?.close();
    }
  } finally {
    rmSync(staging, { force: true });
  }
  await syncFile(dirname(path));
  await assertRestored(path, facts, before);
  return before;
};

/**
 * Moves the database's files aside, the write-ahead log before the database: SQLite would apply a leftover log to the
 * restored file. Returns the new path of the database, or of the log if only the log existed.
 */
const moveAside = async (path: string, mark: string): Promise<string | undefined> => {
  const suffixes = ["-shm", "-wal", ""].filter((suffix) => existsSync(path + suffix));
  for (const suffix of suffixes) await rename(path + suffix, path + mark + suffix);
  const last = suffixes.at(-1);
  return last === undefined ? undefined : path + mark + last;
};

const assertRestored = async (path: string, { tables }: BackupFacts, before: string | undefined): Promise<void> => {
  const client = createClient({ url: `file:${path}`, concurrency: 1 });
  try {
    await client.execute("PRAGMA query_only = ON");
    const problem = await findMissing(client, tables);
    if (problem === undefined) return;
    const kept = before === undefined ? "" : ` The previous database was moved to ${before}.`;
    throw new AppError("internal", `${problem} Stop all Groundwire processes and restore again.${kept}`);
  } finally {
    client.close();
  }
};

/** Describes the first table whose row count differs from the backup's; undefined if all match. */
const findMissing = async (client: Client, tables: BackupFacts["tables"]): Promise<string | undefined> => {
  for (const { name, rows } of tables) {
    const restored = await countRows(client, name);
    if (restored !== rows) return `${name} has ${restored} rows, but the backup has ${rows}.`;
  }
  return undefined;
};

/**
 * Locks the file against other connections by leaving WAL mode, which only the last open connection can do. Returns
 * undefined if the file is not a complete database, because there is nothing to lock. Throws conflict if other
 * connections are open, and unavailable if the file can't be opened.
 */
const lockAlone = async (path: string): Promise<Client | undefined> => {
  let client: Client | undefined;
  try {
    client = createClient({ url: `file:${path}`, concurrency: 1 });
    await client.executeMultiple("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    if (!existsSync(`${path}-wal`)) return client;
    throw inUse(path);
  } catch (error) {
    client?.close();
    if (isDamaged(error)) return undefined;
    if (error instanceof AppError) throw error;
    if (isBusy(error)) throw inUse(path, error);
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("unavailable", `${path} can't be opened: ${reason}`, { cause: error });
  }
};

const inUse = (path: string, cause?: unknown): AppError =>
  new AppError("conflict", `${path} is in use. Stop all Groundwire processes, then restore again.`, { cause });

const fillServer = async (file: string, server: Client, { tables }: BackupFacts, onStep: () => void): Promise<void> => {
  const source = createClient({ url: `file:${file}`, concurrency: 1, intMode: "bigint" });
  try {
    if ((await listSchema(server)).length > 0) {
      throw new AppError("conflict", "The libSQL server already has data. Restore into an empty database.");
    }
    await copyAll(source, server);
    onStep();
    const problem = await findMissing(server, tables);
    onStep();
    if (problem !== undefined) throw new AppError("internal", `${problem} Empty the database and try again.`);
  } finally {
    source.close();
    server.close();
  }
};
