import { afterEach, beforeEach, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { temporaryDb } from "../tests/db/temporary";
import { appendAudit, listAudit } from "./audit";
import type { Db, Tx } from "./client";
import { groupCommits } from "./group-commit";

let plain: Db;
let db: Db;
let transactions: number;
beforeEach(async () => {
  plain = await temporaryDb();
  transactions = 0;
  const write: Db["write"] = (work) => {
    transactions++;
    return plain.write(work);
  };
  // Longer than any test takes, so that the machine's load doesn't split a group.
  db = groupCommits(Object.assign(Object.create(plain), { write }), 60_000);
});
afterEach(() => plain.close());

const append = (tx: Tx, n: number, text = "") =>
  appendAudit(tx, { actor: "test", action: "add", target: "group", detail: { n, text } });
const kept = async (): Promise<unknown[]> =>
  (await listAudit(plain, "group", 1000)).map(({ detail }) => detail?.n).toSorted((a, b) => Number(a) - Number(b));
/** The numbers of the writes that were acknowledged. */
const acknowledged = async (writes: Promise<unknown>[]): Promise<number[]> =>
  (await Promise.allSettled(writes)).flatMap(({ status }, n) => (status === "fulfilled" ? n : []));

test("parallel writes share a commit and each gets its own result", async () => {
  const numbers = Array.from({ length: 20 }, (_, n) => n);
  const results = await Promise.all(numbers.map((n) => db.write(async (tx) => append(tx, n).then(() => n))));
  expect([results, await kept()]).toEqual([numbers, numbers]);
  expect(transactions).toBeLessThan(5);
});

test("a write sees those before it, and is on disk when it resolves", async () => {
  const seen = [0, 1, 2].map((n) =>
    db.write(async (tx) => {
      await append(tx, n);
      return (await listAudit(tx, "group", 10)).length;
    }),
  );
  for (const [n, length] of seen.entries()) {
    expect(await length).toBe(n + 1);
    expect(await kept()).toContain(n);
  }
});

test.each([
  ["throws", () => Promise.reject(new Error("refused"))],
  ["violates a constraint", (tx: Tx) => tx.run(sql`INSERT INTO jobs (id) VALUES ('job_1')`)],
])("a write that %s fails and changes nothing, and the others are kept", async (_, fail) => {
  const writes = [0, 1, 2, 3].map((n) =>
    db.write(async (tx) => {
      await append(tx, n);
      if (n === 1) await fail(tx);
    }),
  );
  expect(await acknowledged(writes)).toEqual([0, 2, 3]);
  expect(await kept()).toEqual([0, 2, 3]);
});

test("if the whole transaction is rolled back, each of its writes fails with the reason", async () => {
  const writes = [0, 1, 2].map((n) =>
    db.write(async (tx) => {
      await append(tx, n);
      if (n !== 1) return;
      await tx.run(sql`ROLLBACK`);
      throw new Error("the disk failed");
    }),
  );
  const later = db.write((tx) => append(tx, 3));
  const [first, second] = await Promise.allSettled(writes);
  expect([first, second]).toMatchObject([
    { status: "rejected", reason: { message: "the disk failed" } },
    { status: "rejected", reason: { message: "the disk failed" } },
  ]);
  const numbers = await acknowledged([...writes, later]);
  expect(await kept()).toEqual(numbers);
  await db.write((tx) => append(tx, 4));
  expect(await kept()).toEqual([...numbers, 4]);
});

test("on a full disk, exactly the acknowledged writes are kept", async () => {
  const [{ page_count: pages = 0 } = {}] = await plain.all<{ page_count: number }>(sql`PRAGMA page_count`);
  await plain.writer.exclusive(() => plain.writer.execute(`PRAGMA max_page_count = ${pages + 20}`));
  const writes = Array.from({ length: 10 }, (_, n) =>
    db.write((tx) => append(tx, n, "x".repeat(n === 5 ? 200_000 : 10))),
  );
  const [failed] = (await Promise.allSettled(writes)).filter(({ status }) => status === "rejected");
  expect(failed).toMatchObject({ reason: { kind: "storage_full" } });
  const numbers = await acknowledged(writes);
  expect(numbers).not.toContain(5);
  expect(await kept()).toEqual(numbers);
  await db.write((tx) => append(tx, 10));
  expect(await kept()).toContain(10);
});
