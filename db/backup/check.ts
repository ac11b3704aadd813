import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { type Client, createClient } from "@libsql/client";
import { AppError } from "../../lib/errors";
import { knownMigrations } from "../migrate";
import { countRows, listSchema } from "./tables";

export interface BackupFacts {
  sizeBytes: number;
  /** Hash of the file, in hex. */
  sha256: string;
  /** Number of migrations in the backup, and in this version of Groundwire. */
  migrations: { applied: number; known: number };
  tables: { name: string; rows: number }[];
}

/**
 * Verifies a complete backup: every page and index (`integrity_check`), every foreign key, and whether this version
 * supports its schema. Throws not_found, invalid_request for a file that is damaged or not a backup, and conflict for a
 * newer schema.
 */
export const checkBackup = async (file: string): Promise<BackupFacts> => {
  if (!existsSync(file)) throw new AppError("not_found", `File not found: ${file}.`);
  const client = createClient({ url: `file:${file}`, concurrency: 1 });
  try {
    await client.execute("PRAGMA query_only = ON");
    await assertWhole(client, file);
    const migrations = await checkMigrations(client, file);
    const tables = [];
    for (const { kind, name } of await listSchema(client)) {
      if (kind === "table") tables.push({ name, rows: await countRows(client, name) });
    }
    return { sizeBytes: (await stat(file)).size, sha256: await hashOf(file), migrations, tables };
  } finally {
    client.close();
  }
};

const damaged = (file: string, reason: string): AppError =>
  new AppError("invalid_request", `${file} can't be restored: ${reason}. Use another backup.`);

const assertWhole = async (client: Client, file: string): Promise<void> => {
  const found = await client.execute("PRAGMA integrity_check(1)").catch((error) => {
    throw damaged(file, error instanceof Error ? error.message : String(error));
  });
  const verdict = String(found.rows[0]?.[0]);
  if (verdict !== "ok") throw damaged(file, verdict);
  const { rows } = await client.execute("PRAGMA foreign_key_check");
  if (rows.length > 0) throw damaged(file, `${rows.length} rows refer to missing rows`);
};

const checkMigrations = async (client: Client, file: string): Promise<BackupFacts["migrations"]> => {
  const found = await client.execute("SELECT hash FROM migrations ORDER BY position").catch(() => {
    throw damaged(file, "the file is not a Groundwire database");
  });
  const known = knownMigrations();
  if (found.rows.every(({ hash }, position) => hash === known[position])) {
    return { applied: found.rows.length, known: known.length };
  }
  throw new AppError(
    "conflict",
    `${file} has an unknown schema: it was made by a different version of Groundwire. Restore it with that version.`,
  );
};

const hashOf = async (file: string): Promise<string> => {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
};

/** Flushes a file, or a folder's entries, to disk. */
export const syncFile = async (path: string): Promise<void> => {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
