import { existsSync, rmSync } from "node:fs";
import { chmod, copyFile, mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type Client, createClient } from "@libsql/client";
import { AppError } from "../../lib/errors";
import type { DbOptions } from "../target";
import { type BackupFacts, checkBackup } from "./check";
import { syncFile } from "./files";
import { copyAll, countRows, listSchema } from "./tables";

export interface Restored {
  facts: BackupFacts;
  /** Where the database that was there before lies now. */
  before?: string;
}

/**
 * Puts a backup in the place of the database, once it was read from end to end; the one that was there is kept beside it.
 * A libSQL server has to be empty. Throws what `checkBackup` throws, and conflict for a database that is in use.
 */
export const restore = async (
  file: string,
  { url, authToken }: Pick<DbOptions, "url" | "authToken">,
  now = new Date(),
): Promise<Restored> => {
  const facts = await checkBackup(file);
  if (url.startsWith("file:")) return { facts, before: await replaceFile(file, url.slice("file:".length), facts, now) };
  await fillServer(file, createClient({ url, authToken, intMode: "bigint" }), facts);
  return { facts };
};

const replaceFile = async (file: string, path: string, facts: BackupFacts, now: Date): Promise<string | undefined> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.restoring`;
  rmSync(fresh, { force: true });
  await copyFile(file, fresh);
  await chmod(fresh, 0o600);
  await syncFile(fresh);
  const copied = await checkBackup(fresh);
  if (copied.sha256 !== facts.sha256) throw new AppError("internal", `${file} changed while it was copied. Try again.`);
  const before = existsSync(path) ? `${path}.before-${now.toISOString().replaceAll(/[:.]/g, "-")}` : undefined;
  if (before === undefined) await rename(fresh, path);
  else {
    const lock = await lockAlone(path);
    try {
      await rename(path, before);
      await rename(fresh, path);
    } finally {
      lock.close();
    }
  }
  await syncFile(dirname(path));
  return before;
};

/** Only the last connection may leave the write-ahead log, and then nobody else gets in. Throws conflict when others are there. */
const lockAlone = async (path: string): Promise<Client> => {
  const client = createClient({ url: `file:${path}`, concurrency: 1 });
  try {
    await client.executeMultiple("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    if (existsSync(`${path}-wal`)) throw new Error("The log is still there.");
    return client;
  } catch (cause) {
    client.close();
    throw new AppError("conflict", `${path} is in use. Stop every process of Groundwire, then restore again.`, {
      cause,
    });
  }
};

const fillServer = async (file: string, server: Client, { tables }: BackupFacts): Promise<void> => {
  const source = createClient({ url: `file:${file}`, concurrency: 1, intMode: "bigint" });
  try {
    if ((await listSchema(server)).length > 0) {
      throw new AppError("conflict", "The libSQL server holds data already. Restore into an empty database.");
    }
    await copyAll(source, server);
    for (const { name, rows } of tables) {
      const there = await countRows(server, name);
      if (there !== rows)
        throw new AppError(
          "internal",
          `${name} has ${there} rows there, the backup ${rows}. Empty the database and try again.`,
        );
    }
  } finally {
    source.close();
    server.close();
  }
};
