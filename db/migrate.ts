import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { AppError } from "../lib/errors";
import type { Db } from "./client";
import { isConstraint } from "./errors";

const CREATE_TABLE =
  "CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, hash TEXT NOT NULL, applied_at INTEGER NOT NULL)";

const FOLDER = fileURLToPath(new URL("./migrations", import.meta.url));

/** Hashes of the schema changes that this version knows, in their order. */
export const knownMigrations = (folder = FOLDER): string[] =>
  readMigrationFiles({ migrationsFolder: folder }).map(({ hash }) => hash);

/**
 * Brings the database to the schema of this code. Any number of processes may call it at once, and any may die in the
 * middle: a migration and its row are one transaction, and the row is written first, so the second to come finds it
 * taken. Throws conflict, having changed nothing, when the database belongs to a newer version; the process then ends
 * with exit code 78.
 */
export const migrate = async (db: Pick<Db, "all" | "writer">, folder = FOLDER): Promise<void> => {
  const migrations = readMigrationFiles({ migrationsFolder: folder });
  await db.writer.exclusive(() => db.writer.execute(CREATE_TABLE));
  for (;;) {
    const position = await appliedCount(db, migrations);
    const next = migrations[position];
    if (!next) return;
    await apply(db, position, next);
  }
};

/** How many of `migrations` the database has. */
const appliedCount = async (db: Pick<Db, "all">, migrations: readonly MigrationMeta[]): Promise<number> => {
  const applied = await db.all<{ hash: string }>(sql`SELECT hash FROM migrations ORDER BY position`);
  const isKnown = applied.every(({ hash }, position) => hash === migrations[position]?.hash);
  if (isKnown) return applied.length;
  throw new AppError(
    "conflict",
    `The database has ${applied.length} schema changes, this version of Groundwire knows ${migrations.length} and not all of the same: it was opened by a newer or another version. Start that version, or restore a backup.`,
  );
};

const apply = async (db: Pick<Db, "writer">, position: number, migration: MigrationMeta): Promise<void> => {
  const row = `INSERT INTO migrations VALUES (${position}, '${migration.hash}', ${Date.now()})`;
  try {
    await db.writer.exclusive(() => db.writer.migrate([row, ...migration.sql]));
  } catch (error) {
    // Another process was faster: its row is there, and the next look at the table goes on from it.
    if (!isConstraint(error)) throw error;
  }
};
