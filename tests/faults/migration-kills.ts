import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { type Db, openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { silentLog } from "../../lib/log";

/**
 * Kills the migrating process with signal 9 at each statement, and migrates again: `bun run faults
 * migration-kills`, `bun tests/faults/migration-kills.ts 25` for every 25th statement. It starts with an empty file and
 * with a filled database of an early version. The schema and every row must be the same as without a kill.
 */

const FIXTURES = join(import.meta.dir, "../fixtures/databases");
const PARALLEL = 4;

/** Migrates the file, and kills this process before the statement with this number. Commits count as statements. */
const migrateUntil = async (file: string, killAt: number): Promise<void> => {
  const db = await openDb({ url: `file:${file}` }, silentLog());
  let statements = 0;
  const count = () => {
    if (++statements === killAt) process.kill(process.pid, "SIGKILL");
  };
  const { writer } = db;
  const begin = writer.begin.bind(writer);
  writer.begin = async (first) => {
    count();
    const transaction = await begin(first);
    const executeMultiple = transaction.executeMultiple.bind(transaction);
    const commit = transaction.commit.bind(transaction);
    transaction.executeMultiple = (sql) => {
      count();
      return executeMultiple(sql);
    };
    transaction.commit = () => {
      count();
      return commit();
    };
    return transaction;
  };
  await migrate(db);
  await db.close();
  console.log(statements);
};

/** Migrates in a child process. Returns the number of statements, or undefined if the child was killed. */
const migrateInChild = async (file: string, killAt: number): Promise<number | undefined> => {
  const child = Bun.spawn([process.execPath, import.meta.path, "child", file, String(killAt)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await child.stdout.text();
  const code = await child.exited;
  if (child.signalCode === "SIGKILL") return undefined;
  if (code !== 0) throw new Error(`The migration ended with ${code}.`);
  return Number(output);
};

/** Hash of the schema and of all rows, except the migrations' times, and what is wrong with the file. */
const contentOf = async (file: string): Promise<{ hash: string; problem: string | undefined }> => {
  const database = createClient({ url: `file:${file}` });
  const rows = async (sql: string) => (await database.execute(sql)).rows.map((row) => Object.values(row));
  const hasher = new Bun.CryptoHasher("sha256");
  try {
    const schema = await rows("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name");
    hasher.update(JSON.stringify(schema));
    for (const [type, name] of schema) {
      if (type !== "table" || String(name).startsWith("sqlite_")) continue;
      const content =
        name === "migrations"
          ? await rows("SELECT position, hash FROM migrations ORDER BY position")
          : await rows(`SELECT * FROM "${name}"`);
      hasher.update(JSON.stringify([name, content.map((row) => row.map(String)).sort()]));
    }
    const [[integrity] = []] = await rows("PRAGMA integrity_check");
    const broken = await rows("PRAGMA foreign_key_check");
    const problem =
      integrity === "ok" && broken.length === 0 ? undefined : `${integrity}, ${broken.length} broken references`;
    return { hash: hasher.digest("hex"), problem };
  } finally {
    database.close();
  }
};

const test = async (name: string, folder: string, step: number): Promise<boolean> => {
  const start = join(folder, `${name}.db`);
  if (name === "empty") await writeFile(start, "");
  else await writeFile(start, Bun.gunzipSync(await Bun.file(join(FIXTURES, `${name}.db.gz`)).bytes()));
  const copy = async (suffix: string) => {
    const file = join(folder, `${name}-${suffix}.db`);
    await cp(start, file);
    return file;
  };
  const whole = await copy("whole");
  const statements = (await migrateInChild(whole, 0)) ?? 0;
  const expected = await contentOf(whole);
  const points = Array.from({ length: Math.ceil(statements / step) }, (_, n) => 1 + n * step);
  const wrong: string[] = [];
  let kills = 0;
  const worker = async () => {
    for (let point = points.shift(); point !== undefined; point = points.shift()) {
      const file = await copy(String(point));
      if ((await migrateInChild(file, point)) === undefined) kills++;
      else wrong.push(`${point}: it was not killed`);
      const db: Db = await openDb({ url: `file:${file}` }, silentLog());
      await migrate(db).catch((error: Error) => wrong.push(`${point}: ${error.message}`));
      await db.close();
      const { hash, problem } = await contentOf(file);
      if (problem) wrong.push(`${point}: ${problem}`);
      else if (hash !== expected.hash) wrong.push(`${point}: the schema or the rows differ`);
      for (const end of ["", "-wal", "-shm"]) await rm(file + end, { force: true });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  const isKept = kills > 0 && wrong.length === 0 && expected.problem === undefined;
  console.log(`${isKept ? "kept" : "MISS"} ${name}: ${JSON.stringify({ statements, kills, wrong })}`);
  return isKept;
};

const [, , mode, file = "", killAt] = process.argv;
if (mode === "child") await migrateUntil(file, Number(killAt));
else {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-migrations-"));
  try {
    const results = [];
    for (const name of ["empty", "after-migration-3"]) results.push(await test(name, folder, Number(mode ?? 1)));
    process.exitCode = results.every(Boolean) ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
