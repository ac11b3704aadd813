import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { silentLog } from "../../lib/log";
import { hasLibsqlServer, startLibsqlServer } from "../../tests/db/libsql-server";
import { startChild } from "../../tests/db/process";
import { finalState, STEPS, stateOf } from "../../tests/db/repositories";
import { problemOf, withDatabaseFile } from "../../tests/db/temporary";
import { listAudit } from "../audit";
import { type Db, openDb } from "../client";
import { migrate } from "../migrate";
import { BACKUP_STEPS, backUp } from "./backup";
import { checkBackup } from "./check";
import { RESTORE_STEPS, restore } from "./restore";

const open = async (url: string): Promise<Db> => {
  const db = await openDb({ url }, silentLog());
  await migrate(db);
  return db;
};

/** A closed database with a row from every repository function. */
const fill = async (url: string): Promise<void> => {
  const db = await open(url);
  for (const step of STEPS) await step.write(db, "kept");
  await db.close();
};

const holdsEverything = async (url: string): Promise<void> => {
  const db = await open(url);
  expect(await stateOf(db, "kept")).toEqual(finalState("kept"));
  await db.close();
};

test("D6: each of 20 backups during writes contains a prefix of the acknowledged writes", async () => {
  await withDatabaseFile(async (file) => {
    const db = await open(`file:${file}`);
    await using child = await startChild(file, 5000);
    child.send({ do: "append", tag: "live" });
    let acked = -1;
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 10; n++) acked = (await child.expect("append")).n;
      const copy = join(dirname(file), `backup-${round}.db`);
      await backUp({ url: `file:${file}` }, copy);
      const restored = join(dirname(file), `restored-${round}.db`);
      await restore(copy, { url: `file:${restored}` });
      const reader = await open(`file:${restored}`);
      const rows = (await listAudit(reader, "live", 100_000))
        .map(({ detail }) => (detail as { n: number }).n)
        .sort((a, b) => a - b);
      await reader.close();
      expect(rows).toEqual(rows.map((_, n) => n));
      expect(rows.length).toBeGreaterThan(acked);
    }
    await child.kill();
    await db.close();
  });
}, 60_000);

test("a backup contains every row of every table, and only its owner can read the file", async () => {
  await withDatabaseFile(async (file) => {
    await fill(`file:${file}`);
    const copy = join(dirname(file), "it's a backup.db");
    let steps = 0;
    const onStep = () => void steps++;
    const facts = await backUp({ url: `file:${file}` }, copy, onStep);
    expect(steps).toBe(BACKUP_STEPS);
    expect(facts.migrations.applied).toBe(facts.migrations.known);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    const restored = `file:${join(dirname(file), "elsewhere", "groundwire.db")}`;
    await restore(copy, { url: restored }, { onStep });
    expect(steps).toBe(BACKUP_STEPS + RESTORE_STEPS);
    await holdsEverything(restored);
  });
});

test("a restore keeps the previous database, and refuses to replace one that is in use", async () => {
  await withDatabaseFile(async (file) => {
    await fill(`file:${file}`);
    const copy = join(dirname(file), "backup.db");
    await backUp({ url: `file:${file}` }, copy);
    {
      await using child = await startChild(file, 5000);
      expect((await problemOf(restore(copy, { url: `file:${file}` }))).message).toContain("is in use");
      expect(existsSync(`${file}.restoring`)).toBe(false);
      // The process that uses the database is not affected.
      child.send({ do: "write", tag: "meanwhile" });
      await child.expect("write");
    }
    // The driver releases a closed connection only when its statements are garbage-collected.
    Bun.gc(true);
    const { before } = await restore(copy, { url: `file:${file}` });
    expect(before && existsSync(before)).toBe(true);
    await holdsEverything(`file:${file}`);
    await holdsEverything(`file:${before}`);
  });
});

/** Kills a process after its writes, so the last writes are only in the write-ahead log. */
const leaveLog = async (file: string): Promise<void> => {
  const child = await startChild(file, 5000);
  child.send({ do: "write", tag: "lost" });
  await child.expect("write");
  await child.kill();
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
};

test("the write-ahead log of a lost database is not applied to the restored one", async () => {
  await withDatabaseFile(async (file) => {
    await fill(`file:${file}`);
    const copy = join(dirname(file), "backup.db");
    await backUp({ url: `file:${file}` }, copy);
    await leaveLog(file);
    rmSync(file);
    const { before } = await restore(copy, { url: `file:${file}` });
    expect([before?.endsWith("-wal"), before && existsSync(before)]).toEqual([true, true]);
    expect(existsSync(`${file}-wal`)).toBe(false);
    const db = await open(`file:${file}`);
    expect(await stateOf(db, "lost")).not.toEqual(finalState("lost"));
    await db.close();
    await holdsEverything(`file:${file}`);
  });
});

test("a damaged database is moved aside with its log and replaced by the backup", async () => {
  await withDatabaseFile(async (file) => {
    await fill(`file:${file}`);
    const copy = join(dirname(file), "backup.db");
    await backUp({ url: `file:${file}` }, copy);
    const garbage = "a letter ".repeat(1000);
    writeFileSync(file, garbage);
    writeFileSync(`${file}-wal`, garbage);
    const { before } = await restore(copy, { url: `file:${file}` });
    expect(before && readFileSync(before, "utf8")).toBe(garbage);
    await holdsEverything(`file:${file}`);
  });
});

test("a database that can't be opened stays unchanged, and the error gives the reason", async () => {
  await withDatabaseFile(async (file) => {
    await fill(`file:${file}`);
    const copy = join(dirname(file), "backup.db");
    await backUp({ url: `file:${file}` }, copy);
    rmSync(file);
    mkdirSync(file);
    const error = await problemOf(restore(copy, { url: `file:${file}` }));
    expect([error.kind, error.message]).toEqual(["unavailable", expect.not.stringContaining("is in use")]);
    expect(statSync(file).isDirectory()).toBe(true);
  });
});

test("an existing file is not overwritten, and a damaged or foreign backup is rejected before anything changes", async () => {
  await withDatabaseFile(async (file) => {
    await fill(`file:${file}`);
    const url = `file:${file}`;
    const copy = join(dirname(file), "backup.db");
    await backUp({ url }, copy);
    expect((await problemOf(backUp({ url }, copy))).kind).toBe("conflict");
    const nowhere = join(dirname(file), "no-folder", "backup.db");
    expect((await problemOf(backUp({ url }, nowhere))).message).toStartWith(
      `The folder ${dirname(nowhere)} doesn't exist.`,
    );

    const bytes = readFileSync(copy);
    const broken = join(dirname(file), "broken.db");
    const half = Buffer.from(bytes);
    half.fill(0x5a, 8192, 8192 + 4096);
    writeFileSync(broken, half);
    expect((await problemOf(restore(broken, { url }))).message).toContain("can't be restored");
    writeFileSync(broken, bytes.subarray(0, bytes.length / 2));
    expect((await problemOf(restore(broken, { url }))).message).toContain("can't be restored");
    writeFileSync(broken, "a letter");
    expect((await problemOf(restore(broken, { url }))).message).toContain("can't be restored");
    await holdsEverything(url);
  });
});

test("a backup of a newer version is rejected, and the error says so", async () => {
  await withDatabaseFile(async (file) => {
    const db = await open(`file:${file}`);
    await db.writer.exclusive(() => db.writer.execute("INSERT INTO migrations VALUES (99, 'of a later version', 0)"));
    await db.close();
    expect((await problemOf(checkBackup(file))).message).toContain("a different version of Groundwire");
  });
});

test.skipIf(!hasLibsqlServer)(
  "a libSQL server is backed up as one snapshot, and a backup is restored only into an empty server",
  async () => {
    const server = await startLibsqlServer();
    const empty = await startLibsqlServer();
    try {
      await fill(server.url);
      await withDatabaseFile(async (file) => {
        const copy = join(dirname(file), "server.db");
        await backUp({ url: server.url }, copy);
        await restore(copy, { url: `file:${file}` });
        await holdsEverything(`file:${file}`);
        expect((await problemOf(restore(copy, { url: server.url }))).message).toContain("already has data");
        await restore(copy, { url: empty.url });
        await holdsEverything(empty.url);
      });
    } finally {
      await server.stop();
      await empty.stop();
    }
  },
  30_000,
);
