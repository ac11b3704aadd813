import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { AppError } from "../lib/errors";
import type { Db } from "./client";
import { isConstraint } from "./errors";

const CREATE_TABLE =
  "CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, hash TEXT NOT NULL, applied_at INTEGER NOT NULL)";

const FOLDER = fileURLToPath(new URL("./migrations", import.meta.url));

/** Hashes of this version's migrations, in order. */
export const knownMigrations = (folder = FOLDER): string[] =>
  readMigrationFiles({ migrationsFolder: folder }).map(({ hash }) => hash);

/**
 * Migrates the database to the schema of this code. Safe to call from several processes, even if one crashes midway:
 * each migration and its row in `migrations` are one transaction. The row is written first, so no second process
 * applies the same migration. Throws conflict and changes nothing if the database belongs to a newer version; the
 * process then exits with code 78.
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

const appliedCount = async (db: Pick<Db, "all">, migrations: readonly MigrationMeta[]): Promise<number> => {
  const applied = await db.all<{ hash: string }>(sql`SELECT hash FROM migrations ORDER BY position`);
  const isKnown = applied.every(({ hash }, position) => hash === migrations[position]?.hash);
  if (isKnown) return applied.length;
  throw new AppError(
    "conflict",
    `The database's schema doesn't match this version of Groundwire (${applied.length} changes applied, ${migrations.length} known): a different version opened it. Start that version, or restore a backup.`,
  );
};

const apply = async (db: Pick<Db, "writer">, position: number, migration: MigrationMeta): Promise<void> => {
  const row = `INSERT INTO migrations VALUES (${position}, '${migration.hash}', ${Date.now()})`;
  try {
    await db.writer.exclusive(() => db.writer.migrate([row, ...migration.sql]));
  } catch (error) {
    // Another process has applied it; the next read of the table continues from there.
    if (!isConstraint(error)) throw error;
  }
};
