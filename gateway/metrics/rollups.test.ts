import { expect, test } from "bun:test";
import { openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { listRollups } from "../../db/rollups";
import { silentLog } from "../../lib/log";
import { withDatabaseFile } from "../../tests/db/temporary";
import type { GenerationSample, RequestSample } from "../ports/recorder";
import { addStored, Measurements, type StoredMeasurements, toStored } from "./measurements";
import { PERIODS, Rollups } from "./rollups";

const SLOTS = { answers: 4, embeddings: 8 };
const REQUEST: RequestSample = { method: "POST", route: "/v1/chat", status: 200, durationMs: 120 };
const GENERATION: GenerationSample = {
  operation: "chat",
  caller: { keyId: "key_1", via: "worker" },
  model: "smol",
  stream: false,
  cache: { status: "miss" },
  gatewayMs: 1,
  queueMs: 9,
  ttftMs: 50,
  totalMs: 410,
  promptTokens: 12,
  completionTokens: 21,
};
const start = Date.UTC(2026, 10, 23, 20, 0, 0);
const HOUR = 3_600_000;

/** Opens the same database as a new process would: `restart` returns rollups with empty memory. */
const withRollups = (
  work: (given: {
    clock: { now: number };
    restart: () => Rollups;
    db: Awaited<ReturnType<typeof openDb>>;
  }) => Promise<void>,
) =>
  withDatabaseFile(async (file) => {
    const db = await openDb({ url: `file:${file}` }, silentLog());
    await migrate(db);
    const clock = { now: start };
    try {
      await work({
        db,
        clock,
        restart: () => new Rollups({ db, log: silentLog(), look: () => {}, now: () => clock.now }),
      });
    } finally {
      await db.close();
    }
  });

const requestsOf = async (rollups: Rollups, resolution: "minute" | "hour" | "day"): Promise<number> => {
  const all = new Measurements();
  await rollups.read({ resolution, from: start - 24 * HOUR, to: start + 4 * HOUR }, () => all);
  return all.traffic().requests;
};
const everyResolution = async (rollups: Rollups) => [
  await requestsOf(rollups, "minute"),
  await requestsOf(rollups, "hour"),
  await requestsOf(rollups, "day"),
];

test("stored measurements return exactly the same figures", () => {
  const measured = new Measurements();
  for (const durationMs of [0, 0.005, 1, 120, 119, 5000, 1e9]) measured.request("GET /", { ...REQUEST, durationMs });
  measured.request("GET /x", { ...REQUEST, status: 429, errorKind: "rate_limited" });
  measured.generation(GENERATION, SLOTS);
  measured.generation({ ...GENERATION, cache: { status: "hit", kind: "redis" } }, SLOTS);
  const copy = new Measurements();
  addStored(copy, JSON.parse(JSON.stringify(toStored(measured))) as StoredMeasurements);
  expect(toStored(copy)).toEqual(toStored(measured));
  for (const q of [0.01, 0.5, 0.95, 1]) {
    expect(copy.traffic().latency.quantile(q)).toBe(measured.traffic().latency.quantile(q));
  }
});

test("a key's machine time is its time in slots, divided by the number of slots", () => {
  const measured = new Measurements();
  measured.generation(GENERATION, SLOTS);
  measured.generation({ ...GENERATION, operation: "embedding", caller: { keyId: "key_1", via: "key" } }, SLOTS);
  measured.generation({ ...GENERATION, cache: { status: "hit" } }, SLOTS);
  expect(measured.keys.get("key_1")).toMatchObject({ requests: 3, machineMs: 150, jobMachineMs: 100 });
});

test("a restart keeps everything that was written, at every resolution", () =>
  withRollups(async ({ clock, restart }) => {
    const first = restart();
    for (let minute = 0; minute < 130; minute++) {
      first.current().request("POST /v1/chat", REQUEST);
      clock.now += 60_000;
    }
    await first.close();
    const second = restart();
    second.current().request("POST /v1/chat", REQUEST);
    expect(await everyResolution(second)).toEqual([131, 131, 131]);
    await second.flush();
    await second.flush();
    expect(await everyResolution(second)).toEqual([131, 131, 131]);
    expect(await everyResolution(restart())).toEqual([131, 131, 131]);
  }));

test("the measurements of several gateways add up, and none counts twice", () =>
  withRollups(async ({ clock, restart }) => {
    const gateways = [restart(), restart(), restart()];
    for (let round = 0; round < 20; round++) {
      for (const gateway of gateways) gateway.current().request("POST /v1/chat", REQUEST);
      await Promise.all(gateways.map((gateway) => gateway.flush()));
      clock.now += 17_000;
    }
    for (const gateway of [...gateways, restart()]) expect(await everyResolution(gateway)).toEqual([60, 60, 60]);
  }));

test("measurements recorded during a write, and across the end of an hour, are neither lost nor counted twice", () =>
  withRollups(async ({ clock, restart }) => {
    const rollups = restart();
    clock.now = start + HOUR - 90_000;
    let sent = 0;
    for (let second = 0; second < 300; second++) {
      clock.now += 1000;
      rollups.current().request("POST /v1/chat", REQUEST);
      sent++;
      if (second % 7 !== 0) continue;
      const writing = rollups.flush();
      clock.now += 1000;
      rollups.current().request("POST /v1/chat", REQUEST);
      sent++;
      expect(await requestsOf(rollups, "hour")).toBe(sent);
      await writing;
    }
    await rollups.flush();
    expect(await everyResolution(restart())).toEqual([sent, sent, sent]);
  }));

test("a failed write is retried with the next one", () =>
  withRollups(async ({ clock, db }) => {
    let isBroken = true;
    const write: typeof db.write = (work) => (isBroken ? Promise.reject(new Error("disk full")) : db.write(work));
    const flaky = Object.assign(Object.create(db) as typeof db, { write });
    const rollups = new Rollups({ db: flaky, log: silentLog(), look: () => {}, now: () => clock.now });
    for (let minute = 0; minute < 70; minute++) {
      rollups.current().request("POST /v1/chat", REQUEST);
      clock.now += 60_000;
      const failure = await rollups.flush().catch((error: Error) => error.message);
      expect(failure).toBe("disk full");
    }
    expect(await everyResolution(rollups)).toEqual([70, 70, 70]);
    isBroken = false;
    await rollups.flush();
    const other = new Rollups({ db, log: silentLog(), look: () => {}, now: () => clock.now });
    expect(await everyResolution(other)).toEqual([70, 70, 70]);
  }));

test("expired periods are deleted, and longer ones stay", () =>
  withRollups(async ({ clock, restart, db }) => {
    const rollups = restart();
    rollups.current().request("POST /v1/chat", REQUEST);
    await rollups.flush();
    const rows = async (resolution: "minute" | "hour" | "day") =>
      (await listRollups(db, resolution, start - 24 * HOUR, start + HOUR)).length;
    expect([await rows("minute"), await rows("hour"), await rows("day")]).toEqual([1, 1, 1]);
    clock.now = start + PERIODS.minute.keptMs + HOUR;
    await rollups.flush();
    expect([await rows("minute"), await rows("hour"), await rows("day")]).toEqual([0, 1, 1]);
    clock.now = start + PERIODS.hour.keptMs + HOUR;
    await rollups.flush();
    expect([await rows("minute"), await rows("hour"), await rows("day")]).toEqual([0, 0, 1]);
    clock.now = start + PERIODS.day.keptMs + 24 * HOUR;
    await rollups.flush();
    expect(await rows("day")).toBe(0);
  }));

test("the start of the metrics is exact to the minute, later to the hour", () =>
  withRollups(async ({ clock, restart }) => {
    clock.now = start + 25 * 60_000;
    const rollups = restart();
    expect(await rollups.since()).toBe(clock.now);
    rollups.current().request("POST /v1/chat", REQUEST);
    await rollups.flush();
    expect(await restart().since()).toBe(start + 25 * 60_000);
    clock.now = start + 5 * 24 * HOUR;
    rollups.current().request("POST /v1/chat", REQUEST);
    await rollups.flush();
    expect(await restart().since()).toBe(start);
  }));
