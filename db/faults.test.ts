import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import { silentLog } from "../lib/log";
import { startChild } from "../tests/db/process";
import { finalState, STEPS, stateOf } from "../tests/db/repositories";
import { withDatabaseFile } from "../tests/db/temporary";
import { appendAudit, listAudit } from "./audit";
import { type Db, openDb } from "./client";
import { migrate } from "./migrate";

const open = async (file: string): Promise<Db> => {
  const db = await openDb({ url: `file:${file}` }, silentLog());
  await migrate(db);
  return db;
};

const isIntact = async (db: Db): Promise<boolean> => {
  const [integrity] = await db.all<{ integrity_check: string }>(sql`PRAGMA integrity_check`);
  const broken = await db.all(sql`PRAGMA foreign_key_check`);
  return integrity?.integrity_check === "ok" && broken.length === 0;
};

test("D1: 50 locks that outlast the timeout lose no acknowledged row of any repository function", async () => {
  await withDatabaseFile(async (file) => {
    const db = await open(file);
    await using child = await startChild(file, 20);
    for (let round = 0; round < 50; round++) {
      const tag = `r${round}`;
      await db.write(async (tx) => {
        child.send({ do: "attempt", tag: `${tag}-refused` });
        const { outcomes } = await child.expect("attempt");
        expect(outcomes).toEqual(STEPS.map(() => "unavailable"));
        await appendAudit(tx, { actor: "other", action: "progress", target: "other", detail: { round } });
      });
      child.send({ do: "write", tag });
      await child.expect("write");
    }
    await child.kill();

    for (let round = 0; round < 50; round++) expect(await stateOf(db, `r${round}`)).toEqual(finalState(`r${round}`));
    expect(await listAudit(db, "other", 100)).toHaveLength(50);
    expect(await isIntact(db)).toBe(true);
    await db.close();
  });
}, 60_000);

const SCHEDULER = "/proc/self/schedstat";
/** Milliseconds for which the main thread was ready to run while other programs used the cores; 0 except on Linux. */
const waitedMs = (): number =>
  existsSync(SCHEDULER) ? Number(readFileSync(SCHEDULER, "utf8").split(" ")[1]) / 1e6 : 0;

/**
 * The longest and the 99th-percentile delay of a 1 ms timer while `work` runs, in milliseconds, without delays that other
 * programs caused.
 */
const loopLag = async (work: () => Promise<unknown>): Promise<{ maxMs: number; p99Ms: number }> => {
  const lags: number[] = [];
  let lastMs = performance.now() - waitedMs();
  const ticker = setInterval(() => {
    const nowMs = performance.now() - waitedMs();
    lags.push(nowMs - lastMs - 1);
    lastMs = nowMs;
  }, 1);
  await work();
  await new Promise((resolve) => setTimeout(resolve, 2));
  clearInterval(ticker);
  lags.sort((a, b) => a - b);
  return { maxMs: lags.at(-1) ?? 0, p99Ms: lags[Math.floor(lags.length * 0.99)] ?? 0 };
};

const write64 = (db: Db) =>
  Promise.all(
    Array.from({ length: 64 }, (_, n) =>
      db.write((tx) => appendAudit(tx, { actor: "test", action: "burst", target: "burst", detail: { n } })),
    ),
  );

test("D2: 64 parallel writes block the event loop for at most 250 ms, and 50 ms at the 99th percentile", async () => {
  await withDatabaseFile(async (file) => {
    const db = await open(file);
    const lag = await loopLag(() => write64(db));
    expect(lag.maxMs).toBeLessThanOrEqual(250);
    expect(lag.p99Ms).toBeLessThanOrEqual(50);
    expect(await listAudit(db, "burst", 100)).toHaveLength(64);
    await db.close();
  });
});

test("D2: 64 parallel writes block the event loop for at most 250 ms while another process holds the lock", async () => {
  await withDatabaseFile(async (file) => {
    const db = await open(file);
    await using child = await startChild(file, 5000);
    child.send({ do: "hold", ms: 300 });
    await child.expect("held");
    const lag = await loopLag(() => write64(db));
    expect(lag.maxMs).toBeLessThanOrEqual(250);
    expect(await listAudit(db, "burst", 100)).toHaveLength(64);
    await child.expect("hold");
    await db.close();
  });
});

test("D3: killing the writer 20 times loses no acknowledged row", async () => {
  await withDatabaseFile(async (file) => {
    const db = await open(file);
    for (let round = 0; round < 20; round++) {
      const tag = `kill ${round}`;
      await using child = await startChild(file, 5000);
      child.send({ do: "append", tag });
      // Each kill comes after a different number of rows, at a random point in a write.
      let acknowledged = -1;
      while (acknowledged < round) acknowledged = (await child.expect("append")).n;
      for (const answer of await child.kill()) if (answer.done === "append") acknowledged = answer.n;

      const rows = await listAudit(db, tag, 1_000_000);
      const numbers = new Set(rows.map(({ detail }) => detail?.n));
      for (let n = 0; n <= acknowledged; n++) expect(numbers.has(n)).toBe(true);
    }
    expect(await isIntact(db)).toBe(true);
    await db.close();
  });
}, 60_000);
