import { afterAll, beforeAll, expect, test } from "bun:test";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { sql } from "drizzle-orm";
import { silentLog } from "../lib/log";
import { problemOf, temporaryDb, withDatabaseFile } from "../tests/db/temporary";
import { until } from "../tests/until";
import { appendAudit, listAudit } from "./audit";
import { type Db, openDb, openReads } from "./client";
import { isConstraint } from "./errors";
import { migrate } from "./migrate";

let db: Db;
beforeAll(async () => {
  db = await temporaryDb();
});
afterAll(() => db.close());

const append = (target: Db, name: string, size = 1) =>
  target.write((tx) =>
    appendAudit(tx, { actor: "test", action: "add", target: name, detail: { text: "x".repeat(size) } }),
  );

test("SQLite itself rejects a write on the read connection", async () => {
  const problem = await problemOf(db.all(sql`DELETE FROM audit_log`));
  expect(problem.detail.cause).toMatchObject({ code: "SQLITE_READONLY" });
});

test("a read sees committed data while a write transaction is open", async () => {
  await db.write(async (tx) => {
    await appendAudit(tx, { actor: "test", action: "add", target: "open" });
    expect(await listAudit(db, "open", 1)).toEqual([]);
    expect(await listAudit(tx, "open", 1)).toHaveLength(1);
  });
  expect(await listAudit(db, "open", 1)).toHaveLength(1);
});

test("writes run one after the other, in the order of their calls", async () => {
  const order: string[] = [];
  const write = (name: string) =>
    db.write(async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
    });
  await Promise.all([write("first"), write("second")]);
  expect(order).toEqual(["first begins", "first ends", "second begins", "second ends"]);
});

test("another process that closes the database doesn't delete the log under a process with several connections", async () => {
  await withDatabaseFile(async (file) => {
    const options = { url: `file:${file}` };
    const first = await openDb(options, silentLog());
    await migrate(first);
    await openReads(options);
    await append(first, "before");
    const log = (await stat(`${file}-wal`)).ino;
    // The driver closes a connection when its statements are collected.
    const visit = `const { createClient } = await import("@libsql/client");
      const client = createClient({ url: ${JSON.stringify(options.url)} });
      await client.execute("SELECT COUNT(*) FROM audit_log");
      client.close();
      for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve)).then(() => Bun.gc(true));`;
    const other = Bun.spawnSync([process.execPath, "-e", visit], { cwd: import.meta.dir });
    expect([other.exitCode, other.stderr.toString()]).toEqual([0, ""]);
    expect((await stat(`${file}-wal`).catch(() => undefined))?.ino).toBe(log);
    await first.close();
  });
});

test("a process with back-to-back long transactions lets other processes write", async () => {
  await withDatabaseFile(async (file) => {
    const open = () => openDb({ url: `file:${file}` }, silentLog());
    const [busy, other] = [await open(), await open()];
    await migrate(busy);
    let longWrites = 0;
    let isOver = false;
    const writing = (async () => {
      for (; !isOver && longWrites < 100; longWrites++) {
        await busy.write(async (tx) => {
          await appendAudit(tx, { actor: "test", action: "add", target: "busy" });
          await Bun.sleep(150);
        });
      }
    })();
    const names = ["first", "second", "third", "fourth", "fifth"];
    for (const name of names) await append(other, name);
    isOver = true;
    await writing;
    // Each process waits for the open transaction, and rarely for a second one. Without the pause, for about ten.
    expect(longWrites).toBeLessThan(names.length * 3);
    await Promise.all([busy.close(), other.close()]);
  });
}, 60_000);

test("D4: on a full disk a write throws storage_full and changes nothing; writes succeed when there is space again", async () => {
  await withDatabaseFile(async (file) => {
    const small = await openDb({ url: `file:${file}` }, silentLog());
    await migrate(small);
    const pages = (count: number) =>
      small.writer.exclusive(() => small.writer.execute(`PRAGMA max_page_count = ${count}`));
    for (let cycle = 0; cycle < 20; cycle++) {
      const full = `full ${cycle}`;
      await pages(1); // SQLite doesn't go below the current size of the file.
      const attempt = small.write(async (tx) => {
        await appendAudit(tx, { actor: "test", action: "add", target: full });
        await appendAudit(tx, { actor: "test", action: "add", target: full, detail: { text: "x".repeat(100_000) } });
      });
      expect((await problemOf(attempt)).kind).toBe("storage_full");
      expect(await listAudit(small, full, 1)).toEqual([]);
      await pages(1_000_000);
      await append(small, full, 5000);
      expect(await listAudit(small, full, 2)).toHaveLength(1);
    }
    expect(await small.all(sql`PRAGMA integrity_check`)).toEqual([{ integrity_check: "ok" }]);
    await small.close();
  });
});

test("after a failed commit the connection keeps its settings", async () => {
  const broken = db.write(async (tx) => {
    await tx.run(sql`PRAGMA defer_foreign_keys = ON`);
    await tx.run(sql`INSERT INTO sign_in_tokens VALUES (x'01', 'key_missing', 1, NULL)`);
  });
  expect(isConstraint(await problemOf(broken))).toBe(true);
  await db.write(async (tx) => {
    expect(await tx.all(sql`PRAGMA foreign_keys`)).toEqual([{ foreign_keys: 1 }]);
    expect(await tx.all(sql`PRAGMA wal_autocheckpoint`)).toEqual([{ wal_autocheckpoint: 0 }]);
    expect(await tx.all(sql`PRAGMA synchronous`)).toEqual([{ synchronous: 2 }]);
    expect(await tx.all(sql`SELECT * FROM sign_in_tokens`)).toEqual([]);
  });
});

test("only this user can read the files", async () => {
  await withDatabaseFile(async (file) => {
    const path = `${dirname(file)}/data/groundwire.db`;
    const own = await openDb({ url: `file:${path}` }, silentLog());
    await migrate(own);
    const modes = await Promise.all(
      [dirname(path), path, `${path}-wal`].map(async (name) => (await stat(name)).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
    await own.close();
  });
});

test("a file that isn't a database is rejected with its name and the reason", async () => {
  await withDatabaseFile(async (file) => {
    await Bun.write(
      file,
      "This is a text of more than a hundred bytes, which SQLite can't take for a database. ".repeat(3),
    );
    const problem = await problemOf(openDb({ url: `file:${file}` }, silentLog()));
    expect([problem.kind, problem.message]).toEqual(["unavailable", expect.stringContaining(file)]);
    expect(problem.message).toContain("not a database");
  });
});

test("the change mark changes after a write by another connection, and only then", () =>
  withDatabaseFile(async (file) => {
    const url = `file:${file}`;
    const [one, other] = [await openDb({ url }, silentLog()), await openDb({ url }, silentLog())];
    await migrate(one);
    const before = one.changeMark();
    expect(one.changeMark()).toBe(before);
    // Writes within one tick of the file system's clock share a mark.
    await until("the mark has moved", async () => {
      await append(other, "from elsewhere");
      return one.changeMark() !== before;
    });
    await one.close();
    await other.close();
  }));
