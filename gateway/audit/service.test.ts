import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendAudit, listAuditLog } from "../../db/audit";
import type { Db } from "../../db/client";
import { AppError } from "../../lib/errors";
import { temporaryDb } from "../../tests/db/temporary";
import { createAudit } from "./service";

let db: Db;
let failures: AppError[];
let logged: number;

beforeEach(async () => {
  db = await temporaryDb();
  failures = [];
  logged = 0;
});
afterEach(() => db.close());

const write: Db["write"] = (work) => {
  const failure = failures.shift();
  return failure ? Promise.reject(failure) : db.write(work);
};
const open = () =>
  createAudit({ db: Object.assign(Object.create(db) as Db, { write }), log: { error: () => void logged++ } as never });

const stored = async () => (await listAuditLog(db, {}, 1000)).map(({ action, target }) => `${action} ${target}`);
const admin = { keyId: "key_1", requestId: "req_1" };

test("an entry is rolled back with its change", async () => {
  const change = db.write(async (tx) => {
    await appendAudit(tx, { actor: admin, action: "key.revoke", target: "key_2" });
    throw new AppError("conflict", "changed meanwhile");
  });
  expect((await change.catch((error: AppError) => error)) as AppError).toMatchObject({ kind: "conflict" });
  expect(await stored()).toEqual([]);
});

test("while the database can't be written, a drained node stays drained, and its entry is written once it can", async () => {
  const audit = open();
  failures = [new AppError("storage_full", "full"), new AppError("unavailable", "locked")];
  await audit.record(admin, "node.drain", "gpu-1");
  await audit.record(admin, "node.undrain", "gpu-1");
  expect([await stored(), logged]).toEqual([[], 2]);
  await audit.flush();
  expect(await stored()).toEqual(["node.undrain gpu-1", "node.drain gpu-1"]);
  await audit.flush();
  expect(await stored()).toHaveLength(2);
});

test("an entry that is added while others are being stored is stored, too", async () => {
  let added: Promise<void> | undefined;
  const slowly: Db["write"] = async (work) => {
    const result = await db.write(work);
    added ??= audit.record(admin, "node.undrain", "gpu-1");
    return result;
  };
  const audit = createAudit({
    db: Object.assign(Object.create(db) as Db, { write: slowly }),
    log: { error: () => void logged++ } as never,
  });
  await audit.record(admin, "node.drain", "gpu-1");
  await added;
  expect(await stored()).toEqual(["node.undrain gpu-1", "node.drain gpu-1"]);
});

test("failed sign-ins are counted per address, and a flood from many addresses can't fill the log", async () => {
  const audit = open();
  for (let n = 0; n < 5000; n++) audit.refused({ address: `10.0.${n >> 8}.${n & 255}`, with: "key", requestId: "r" });
  for (let n = 0; n < 9; n++) audit.refused({ address: "10.0.0.1", with: "key", requestId: "r" });
  audit.refused({ address: "10.0.0.1", with: "link", requestId: "r" });
  await audit.close();
  const rows = await listAuditLog(db, { objectType: "session" }, 1000);
  expect(rows).toHaveLength(100);
  expect(rows.find(({ target }) => target === "10.0.0.1")?.detail).toEqual({ with: "key", count: 10 });
});
