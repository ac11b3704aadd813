import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Db } from "../../db/client";
import { findRequest, listRequests } from "../../db/requests";
import { AppError } from "../../lib/errors";
import { temporaryDb } from "../../tests/db/temporary";
import type { FinishedRequest } from "../ports/recorder";
import { RequestLog, type RequestLogOptions } from "./request-log";
import { type Entry, toNewRow } from "./rows";

const DAY_MS = 86_400_000;

let db: Db;
let nowMs: number;
/** Errors that the next writes throw. */
let failures: AppError[];
let warnings: number;

beforeEach(async () => {
  db = await temporaryDb();
  nowMs = Date.UTC(2026, 10, 23, 12);
  failures = [];
  warnings = 0;
});
afterEach(() => db.close());

const write: Db["write"] = (work) => {
  const failure = failures.shift();
  return failure ? Promise.reject(failure) : db.write(work);
};

const createLog = (options: Partial<RequestLogOptions> = {}) =>
  new RequestLog({
    db: Object.assign(Object.create(db) as Db, { write }),
    log: { warn: () => void warnings++ } as never,
    options: { days: 30, rows: 1000, ...options },
    now: () => nowMs,
  });

const request = (requestId: string, more: Partial<FinishedRequest> = {}): FinishedRequest => ({
  requestId,
  method: "POST",
  route: "/v1/chat",
  url: "http://localhost/v1/chat",
  status: 200,
  durationMs: 12.3456,
  keyId: "key_1",
  via: "key",
  model: undefined,
  work: undefined,
  bodies: undefined,
  ...more,
});

const stored = async () => (await listRequests(db, {}, 10_000)).map(({ id }) => id);

test("bodies that end within a character, or whose text has half of one, are stored as valid text", async () => {
  const log = createLog();
  const frame = `data: ${JSON.stringify({ choices: [{ delta: { content: "b\ud83d" } }] })}\n\n`;
  log.add(request("cut", { bodies: { prompt: "a\ud83d", answer: frame, isCut: true } }));
  expect([toNewRow(log.waiting("cut") as Entry).prompt, toNewRow(log.waiting("cut") as Entry).answer]).toEqual([
    "a\ufffd",
    "b\ufffd",
  ]);
  await log.flush();
  expect(await findRequest(db, "cut")).toMatchObject({ prompt: "a\ufffd", answer: "b\ufffd" });
});

test("a database that can't be written never fails a request: lines wait, and are written once it can", async () => {
  const log = createLog();
  log.add(request("one"));
  failures = [new AppError("storage_full", "full"), new AppError("unavailable", "locked")];
  await log.flush();
  log.add(request("two"));
  await log.flush();
  expect([await stored(), warnings]).toEqual([[], 1]);
  expect(log.waiting("one")?.request.requestId).toBe("one");
  await log.flush();
  expect(await stored()).toEqual(["two", "one"]);
  expect(log.counts).toEqual({ written: 2, dropped: 0 });
  expect(log.waiting("one")).toBeUndefined();
});

test("while it can't be written, memory is bounded: further lines are dropped and counted, bodies first", async () => {
  const log = createLog({ rows: 100_000 });
  failures = Array.from({ length: 6 }, () => new AppError("unavailable", "locked"));
  const bodies = { prompt: "p".repeat(65_536), answer: "a".repeat(65_536), isCut: false };
  for (let n = 0; n < 200; n++) log.add(request(`long ${n}`, { bodies }));
  expect(log.waiting("long 0")?.request.bodies).toBeDefined();
  expect(log.waiting("long 199")?.request.bodies).toBeUndefined();
  for (let n = 0; n < 6; n++) {
    nowMs += 20_000;
    await log.flush();
    for (let m = 0; m < 4000; m++) log.add(request(`short ${n} ${m}`));
  }
  expect(log.counts).toEqual({ written: 0, dropped: 200 + 6 * 4000 - 20_000 });
  await log.flush();
  expect(log.counts.written).toBe(20_000);
  expect(await db.all("SELECT count(*) AS n FROM request_log")).toEqual([{ n: 20_000 }]);
});

test("a burst is logged, and under lasting load a share; neither successes nor strangers displace failures", async () => {
  const log = createLog({ rows: 100_000 });
  const kinds: Record<string, Partial<FinishedRequest>> = {
    succeeded: {},
    failed: { status: 429, errorKind: "rate_limited" },
    anonymous: { keyId: undefined, via: undefined, status: 401, errorKind: "missing_api_key" },
  };
  const send = (kind: string, times: number) => {
    for (let n = 0; n < times; n++) log.add(request(kind, kinds[kind]));
  };
  const countStored = () => db.all("SELECT id, count(*) AS n FROM request_log GROUP BY id ORDER BY n DESC");
  send("succeeded", 5000);
  send("anonymous", 5000);
  send("failed", 500);
  await log.flush();
  expect(await countStored()).toEqual([
    { id: "succeeded", n: 4000 },
    { id: "anonymous", n: 1000 },
    { id: "failed", n: 500 },
  ]);
  nowMs += 1000;
  await log.flush();
  send("succeeded", 1000);
  nowMs -= 3_600_000;
  await log.flush();
  send("succeeded", 1);
  await log.flush();
  expect(log.counts).toEqual({ written: 5700, dropped: 1000 + 4000 + 800 + 1 });
});

test("the oldest lines are deleted: by age, and beyond the number of rows", async () => {
  const log = createLog({ days: 2, rows: 600 });
  for (let n = 0; n < 300; n++) log.add(request(`old ${n}`));
  await log.flush();
  nowMs += 3 * DAY_MS;
  for (let n = 0; n < 700; n++) log.add(request(`new ${n}`));
  await log.flush();
  const left = await stored();
  expect(left).toHaveLength(600);
  expect(left.at(-1)).toBe("new 100");
});

test("with 0 rows, nothing is logged", async () => {
  const log = createLog({ rows: 0 });
  log.add(request("one"));
  await log.flush();
  expect([await stored(), log.counts.dropped]).toEqual([[], 0]);
});

test("pages are logged if they failed, changed something or called a model", async () => {
  const log = createLog();
  const page = { route: "/chat", method: "GET", url: "http://localhost/chat" };
  const work = {
    ...{ operation: "chat" as const, caller: { keyId: "key_1", via: "session" as const }, totalMs: 12 },
    ...{ model: "m", stream: true, cache: { status: "miss" as const } },
    ...{ queueMs: 0, ttftMs: 1, promptTokens: 1, completionTokens: 1 },
  };
  log.add(request("opened", page));
  log.add(request("asset", { ...page, keyId: undefined }));
  log.add(request("probe", { ...page, route: "/readyz", status: 503, keyId: undefined }));
  log.add(request("failed", { ...page, status: 404, errorKind: "not_found" }));
  log.add(request("changed", { ...page, method: "POST", status: 303 }));
  log.add(request("asked", { ...page, work }));
  await log.flush();
  expect((await stored()).sort()).toEqual(["asked", "changed", "failed"]);
});
