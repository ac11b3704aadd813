import { afterEach, beforeEach, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { sql } from "drizzle-orm";
import { silentLog } from "../lib/log";
import { startChild } from "../tests/db/process";
import { problemOf } from "../tests/db/temporary";
import { type Db, openDb } from "./client";
import { migrate } from "./migrate";

let folder: string;
let file: string;
let db: Db;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "groundwire-migrate-"));
  file = join(folder, "groundwire.db");
  db = await openDb({ url: `file:${file}` }, silentLog());
});
afterEach(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const applied = () => db.all<{ position: number }>(sql`SELECT position FROM migrations ORDER BY position`);
const schema = () => db.all(sql`SELECT name, sql FROM sqlite_schema ORDER BY name`);

/** A folder of migrations as drizzle-kit writes it. */
const migrationsOf = async (name: string, files: readonly string[]): Promise<string> => {
  const path = join(folder, name);
  await mkdir(join(path, "meta"), { recursive: true });
  const entries = files.map((_, idx) => ({ idx, version: "6", when: idx, tag: `000${idx}`, breakpoints: true }));
  await writeFile(join(path, "meta/_journal.json"), JSON.stringify({ version: "7", dialect: "sqlite", entries }));
  await Promise.all(files.map((text, idx) => writeFile(join(path, `000${idx}.sql`), text)));
  return path;
};

const PARENTS =
  "CREATE TABLE parents (id INTEGER PRIMARY KEY);--> statement-breakpoint\nINSERT INTO parents VALUES (1);";
const CHILDREN =
  "CREATE TABLE children (parent INTEGER REFERENCES parents(id) ON DELETE CASCADE);\nINSERT INTO children VALUES (1);";
/** How drizzle-kit changes a column. */
const REBUILD = [
  "CREATE TABLE __new_parents (id INTEGER PRIMARY KEY, name TEXT);",
  "INSERT INTO __new_parents (id) SELECT id FROM parents;",
  "DROP TABLE parents;",
  "ALTER TABLE __new_parents RENAME TO parents;",
].join("--> statement-breakpoint\n");

test("a second run changes nothing", async () => {
  await migrate(db);
  const before = await schema();
  await migrate(db);
  expect(await schema()).toEqual(before);
});

test("several processes that start together apply each migration once", async () => {
  await using one = await startChild(file, 5000);
  await using two = await startChild(file, 5000);
  one.send({ do: "migrate" });
  two.send({ do: "migrate" });
  await Promise.all([migrate(db), one.expect("migrate"), two.expect("migrate")]);
  const { entries } = JSON.parse(await readFile(join(import.meta.dir, "migrations/meta/_journal.json"), "utf8"));
  expect(await applied()).toHaveLength(entries.length);
});

test("the committed migrations create the tables of the schema", async () => {
  const out = join(folder, "generated");
  await cp(join(import.meta.dir, "migrations"), out, { recursive: true });
  const root = join(import.meta.dir, "..");
  const args = [
    "--dialect",
    "sqlite",
    "--schema",
    "./db/schema/index.ts",
    "--out",
    relative(root, out),
    "--casing",
    "snake_case",
  ];
  const child = Bun.spawn([process.execPath, "x", "drizzle-kit", "generate", ...args], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await child.stdout.text()).toContain("No schema changes");
}, 30_000);

test("D8: a database of a newer version is rejected and stays unchanged", async () => {
  const newer = await migrationsOf("newer", [PARENTS, CHILDREN]);
  const older = await migrationsOf("older", [PARENTS]);
  await migrate(db, newer);
  const before = await schema();
  const problem = await problemOf(migrate(db, older));
  expect(problem.kind).toBe("conflict");
  expect(problem.message).toContain("(2 changes applied, 1 known)");
  expect(await schema()).toEqual(before);
});

test("D8: a gateway older than its database says so on one line and exits with code 78", async () => {
  await migrate(db);
  await db.writer.exclusive(() => db.writer.execute("INSERT INTO migrations VALUES (1000, 'newer', 0)"));
  const child = Bun.spawn([process.execPath, "gateway/main.ts"], {
    cwd: join(import.meta.dir, ".."),
    env: { PATH: process.env.PATH, GROUNDWIRE_DATA_DIR: folder, GROUNDWIRE_LOG_LEVEL: "silent", NO_COLOR: "1" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [message, code] = await Promise.all([child.stderr.text(), child.exited]);
  expect([code, message.trim().split("\n").length]).toEqual([78, 1]);
  expect(message).toContain("a different version opened it");
}, 30_000);

test("a database with unknown migrations is rejected", async () => {
  await migrate(db, await migrationsOf("ours", [PARENTS]));
  const problem = await problemOf(migrate(db, await migrationsOf("theirs", [CHILDREN, PARENTS])));
  expect(problem.kind).toBe("conflict");
});

test("a failed migration is rolled back, and the one before it stays applied", async () => {
  const broken = `${CHILDREN}--> statement-breakpoint\nCREATE TABLE parents (id INTEGER);`;
  expect((await problemOf(migrate(db, await migrationsOf("broken", [PARENTS, broken])))).kind).toBe("internal");
  expect(await applied()).toHaveLength(1);
  await migrate(db, await migrationsOf("repaired", [PARENTS, CHILDREN]));
  expect(await applied()).toHaveLength(2);
});

test("rebuilding a table keeps the rows that refer to it", async () => {
  await migrate(db, await migrationsOf("rebuild", [PARENTS, CHILDREN, REBUILD]));
  expect(await db.all(sql`SELECT parent FROM children`)).toEqual([{ parent: 1 }]);
});

test("a migration that breaks a reference is rejected", async () => {
  const orphan = "DELETE FROM parents;";
  expect((await problemOf(migrate(db, await migrationsOf("orphan", [PARENTS, CHILDREN, orphan])))).kind).toBe(
    "internal",
  );
  expect(await db.all(sql`SELECT id FROM parents`)).toEqual([{ id: 1 }]);
});
