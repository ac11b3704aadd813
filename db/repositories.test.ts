import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { silentLog } from "../lib/log";
import { hasLibsqlServer, type LibsqlServer, startLibsqlServer } from "../tests/db/libsql-server";
import { finalState, STEPS, stateOf } from "../tests/db/repositories";
import { problemOf, temporaryDb } from "../tests/db/temporary";
import * as audit from "./audit";
import { type Db, openDb } from "./client";
import { isConstraint } from "./errors";
import * as keys from "./keys";
import * as leases from "./leases";
import { migrate } from "./migrate";
import * as sessions from "./sessions";

test("these tests and D1 cover every repository function that writes", async () => {
  const isRead = (name: string) => /^(find|list|count|has|is)[A-Z]/.test(name);
  const written: string[] = [];
  for (const file of new Bun.Glob("*.ts").scanSync(import.meta.dir)) {
    const isRepository =
      !file.endsWith(".test.ts") && (await Bun.file(join(import.meta.dir, file)).text()).includes('from "./schema"');
    if (isRepository) written.push(...Object.keys(await import(`./${file}`)).filter((name) => !isRead(name)));
  }
  expect(written.sort()).toEqual(STEPS.map(({ name }) => name).sort());
});

/** Guarantees of every kind of database. */
const contract = (open: () => Db) => {
  test("a write is stored when it is acknowledged", async () => {
    for (const step of STEPS) await step.write(open(), "one");
    expect(await stateOf(open(), "one")).toEqual(finalState("one"));
  });

  test("all parallel writes are stored", async () => {
    const db = open();
    const append = (n: number) =>
      db.write((tx) => audit.appendAudit(tx, { actor: "test", action: "add", target: "many", detail: { n } }));
    await Promise.all(Array.from({ length: 20 }, (_, n) => append(n)));
    const numbers = (await audit.listAudit(db, "many", 100)).map(({ detail }) => detail?.n);
    expect(numbers.sort()).toEqual(Array.from({ length: 20 }, (_, n) => n).sort());
  });

  test("a write that throws is rolled back, and the caller gets its error", async () => {
    const db = open();
    const failure = new Error("no");
    const attempt = db.write(async (tx) => {
      await audit.appendAudit(tx, { actor: "test", action: "add", target: "undone" });
      throw failure;
    });
    expect(await attempt.catch((error) => error)).toBe(failure);
    expect(await audit.listAudit(db, "undone", 1)).toEqual([]);
  });

  test("a row that refers to a missing one is rejected, and the next write succeeds", async () => {
    const db = open();
    const orphan = { tokenHash: Buffer.from("orphan"), keyId: "key_missing", expiresAt: new Date() };
    const problem = await problemOf(db.write((tx) => sessions.insertSignInToken(tx, orphan)));
    expect([problem.kind, isConstraint(problem)]).toEqual(["internal", true]);
    await db.write((tx) => audit.appendAudit(tx, { actor: "test", action: "add", target: "after" }));
    expect(await audit.listAudit(db, "after", 2)).toHaveLength(1);
  });

  test("only one of two holders gets a lease, and an expired lease is free", async () => {
    const db = open();
    const take = (holder: string, at: string) => leases.takeLease(db, "work", holder, new Date(at), 60_000);
    const both = await Promise.all([take("a", "2026-11-23T12:00:00Z"), take("b", "2026-11-23T12:00:00Z")]);
    expect(both).toEqual([true, false]);
    expect(await take("a", "2026-11-23T12:00:30Z")).toBe(true);
    expect(await take("b", "2026-11-23T12:01:29Z")).toBe(false);
    expect(await take("b", "2026-11-23T12:01:31Z")).toBe(true);
  });

  test("a page of keys starts after the last key of the previous page", async () => {
    const db = open();
    const before = (await keys.listKeys(db, 100)).length;
    await db.write(async (tx) => {
      for (let n = 0; n < 3; n++) {
        const createdAt = new Date(`2027-01-01T00:00:0${Math.min(n, 1)}Z`);
        const id = `key_page${n}`;
        await keys.insertKey(tx, { id, name: id, role: "viewer", secretHash: Buffer.from(id), createdAt });
      }
    });
    const first = await keys.listKeys(db, 2);
    expect(first.map(({ id }) => id)).toEqual(["key_page2", "key_page1"]);
    const rest = await keys.listKeys(db, 100, "key_page1");
    expect(rest.map(({ id }) => id).slice(0, 1)).toEqual(["key_page0"]);
    expect(rest).toHaveLength(before + 1);
  });
};

describe("on a file", () => {
  let db: Db;
  beforeAll(async () => {
    db = await temporaryDb();
  });
  afterAll(() => db.close());
  contract(() => db);
});

describe.skipIf(!hasLibsqlServer)("on a libSQL server", () => {
  let server: LibsqlServer;
  let db: Db;
  beforeAll(async () => {
    server = await startLibsqlServer();
    db = await openDb({ url: server.url }, silentLog());
    await Promise.all([migrate(db), migrate(db)]);
  });
  afterAll(async () => {
    await db.close();
    await server.stop();
  });
  contract(() => db);

  test("without its server, reads and writes throw unavailable", async () => {
    const other = await startLibsqlServer();
    const gone = await openDb({ url: other.url }, silentLog());
    await migrate(gone);
    await other.stop();
    expect((await problemOf(gone.write(async () => {}))).kind).toBe("unavailable");
    expect((await problemOf(audit.listAudit(gone, "any", 1))).kind).toBe("unavailable");
    await gone.close();
  });
});
