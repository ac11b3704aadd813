import { afterEach, expect, test } from "bun:test";
import { createClient } from "@libsql/client";
import { sendUpload } from "../datasets/send-upload";
import { UPLOADS } from "../datasets/uploads";
import { ADMIN_KEY, type ServerProcess, Stack } from "../harness";
import { watchGrowth } from "../memory-growth";
import { until } from "../until";

let stack: Stack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

/** A worker without heartbeats for this long is considered dead. The default of 30 s would slow down the tests. */
const LEASE_MS = 1500;
const MAX_GROWTH_MIB = 64;
const start = async (workers: number, leaseMs = LEASE_MS): Promise<Stack> => {
  stack = await Stack.start({ engine: "synthetic", workers, env: { GROUNDWIRE_JOBS_LEASE_MS: String(leaseMs) } });
  return stack;
};

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const linesOf = (rows: number): string =>
  Array.from({ length: rows }, (_, n) => `{"key":"k${n}","input":"What is ${n}?","references":["${n}"]}\n`).join("");

/** Sends a file; resolves with the response after a worker has read it. */
const upload = async (
  { url }: Stack,
  name: string,
  lines: string,
  { key, signal }: { key?: string; signal?: AbortSignal } = {},
): Promise<{ status: number; body: Json }> => {
  const form = new FormData();
  form.append("name", name);
  form.append("file", new File([lines], "samples.jsonl"));
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, ...(key !== undefined && { "idempotency-key": key }) };
  const response = await fetch(`${url}/v1/datasets`, { method: "POST", headers, body: form, signal });
  return { status: response.status, body: JSON.parse(await response.text()) };
};

/** Sends a file as a client should: a 503, because the database is busy, is repeated with the same idempotency key. */
const insistentUpload = async (running: Stack, name: string, lines: string) => {
  const key = crypto.randomUUID();
  for (;;) {
    const answer = await upload(running, name, lines, { key });
    if (answer.status !== 503) return answer;
  }
};

/** Reads a value from the database while the processes run. */
const query = async ({ folder }: Stack, sql: string): Promise<Json> => {
  const client = createClient({ url: `file:${folder}/data/groundwire.db` });
  try {
    const { rows } = await client.execute(sql);
    return rows[0]?.[0];
  } finally {
    client.close();
  }
};
/** Selects the number of claims and takeovers of the only task. */
const CLAIMS = "SELECT lease_epoch FROM tasks WHERE state = 'running'";
const staged = (running: Stack): Promise<number> => query(running, "SELECT COUNT(*) FROM revision_samples");

/** Checks that nothing is lost, duplicated or left over, and that the file is complete. */
const expectClean = async (running: Stack, datasets: number, samples: number): Promise<void> => {
  expect(await query(running, "SELECT COUNT(*) FROM datasets")).toBe(datasets);
  expect(await query(running, "SELECT COUNT(*) FROM dataset_revisions WHERE revision IS NOT NULL")).toBe(datasets);
  await until("staged rows are deleted", async () => {
    const left =
      "SELECT (SELECT COUNT(*) FROM dataset_revisions WHERE revision IS NULL) + (SELECT COUNT(*) FROM uploads)";
    return (await query(running, left)) === 0;
  });
  expect(await query(running, "SELECT COUNT(*) FROM revision_samples")).toBe(samples);
  expect(await query(running, "PRAGMA integrity_check")).toBe("ok");
  expect(await query(running, "PRAGMA foreign_key_check")).toBeUndefined();
};

test("J1: an import survives repeated kill -9 of its worker and is stored once and completely", async () => {
  const running = await start(1);
  let isDone = false;
  const waiting = upload(running, "killed", linesOf(30_000)).finally(() => {
    isDone = true;
  });
  let kills = 0;
  for (let rows = 0; !isDone; rows += 6_000) {
    await until("the import made progress or is done", async () => isDone || (await staged(running)) > rows);
    if (isDone) break;
    await running.replaceWorker();
    kills += 1;
  }
  expect(kills).toBeGreaterThanOrEqual(3);
  const { status, body } = await waiting;
  expect([status, body.dataset?.latest.samples]).toEqual([201, 30_000]);
  await expectClean(running, 1, 30_000);
}, 120_000);

test("J3: four workers run forty imports, each once", async () => {
  // A slow worker must not be considered dead.
  const running = await start(4, 30_000);
  const names = Array.from({ length: 40 }, (_, n) => `dataset ${n}`);
  const answers = await Promise.all(names.map((name) => insistentUpload(running, name, linesOf(50))));
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
  await expectClean(running, 40, 40 * 50);
  // One claim each, so no work was repeated.
  expect(await query(running, "SELECT MAX(lease_epoch) FROM tasks")).toBe(1);
}, 60_000);

/** Stops a worker between two transactions. If it were stopped inside one, it would keep the write lock. */
const freeze = async ({ folder }: Stack, worker: ServerProcess): Promise<void> => {
  const client = createClient({ url: `file:${folder}/data/groundwire.db`, timeout: 10_000 });
  try {
    const lock = await client.transaction("write");
    worker.signal("SIGSTOP");
    lock.close();
  } finally {
    client.close();
  }
};

test("J4: a worker that was stopped for longer than its lease overwrites nothing when it resumes", async () => {
  const running = await start(1);
  const waiting = upload(running, "stopped", linesOf(60_000));
  const [first] = running.workers;
  await until("the import made progress", async () => (await staged(running)) > 0);
  if (first === undefined) throw new Error("no worker");
  await freeze(running, first);
  running.workers.push(running.spawnWorker());
  const { status, body } = await waiting;
  expect([status, body.dataset?.latest.samples]).toEqual([201, 60_000]);
  first.signal("SIGCONT");
  await until("it logs that its task was taken over", () => first.output.includes("was taken over by another worker"));
  await expectClean(running, 1, 60_000);
  // It works again with a new id.
  running.workers[1]?.signal("SIGTERM");
  expect((await upload(running, "afterwards", linesOf(10))).status).toBe(201);
}, 60_000);

test("J6: a job on which three workers die without progress is quarantined, and its error says so", async () => {
  const running = await start(0);
  const poison = upload(running, "poison", linesOf(90_000));
  await until("it waits", async () => (await query(running, "SELECT COUNT(*) FROM tasks")) === 1);
  // Each worker starts over, reports the same position and dies. Only the first one has made progress.
  for (const [deaths, rows] of [30_000, 10_000, 10_000].entries()) {
    const worker = running.spawnWorker();
    running.workers[0] = worker;
    await until("this worker has claimed the task", async () => (await query(running, CLAIMS)) === 1 + 2 * deaths);
    await until("it has begun again", async () => (await staged(running)) < rows);
    await until("it has reached the same position", async () => (await staged(running)) >= rows);
    await worker.stop();
  }
  running.workers[0] = running.spawnWorker();
  const { status, body } = await poison;
  expect([status, body.error.code]).toEqual([500, "internal"]);
  expect(await query(running, "SELECT state FROM tasks")).toBe("quarantined");
  expect(await query(running, "SELECT deaths FROM tasks")).toBe(3);
  expect(await query(running, "SELECT furthest FROM tasks")).toBeGreaterThan(10_000 / 5000);
  expect((await upload(running, "harmless", linesOf(10))).status).toBe(201);
  expect(await query(running, "SELECT COUNT(*) FROM datasets")).toBe(1);
}, 60_000);

test("a worker that gets SIGTERM finishes or requeues its task and exits 0", async () => {
  const running = await start(1);
  const [first] = running.workers;
  const waiting = upload(running, "drained", linesOf(20_000));
  await until("the import made progress", async () => (await staged(running)) > 0);
  first?.signal("SIGTERM");
  expect(await first?.exited).toBe(0);
  running.workers.push(running.spawnWorker());
  expect((await waiting).status).toBe(201);
  expect(await query(running, "SELECT MAX(deaths) + MAX(attempts) FROM tasks")).toBe(0);
  await expectClean(running, 1, 20_000);
}, 60_000);

test("without a worker, an upload's error says how to start one, and then the same request succeeds", async () => {
  const running = await start(0);
  const readiness = (await (await fetch(`${running.url}/readyz`)).json()) as Json;
  expect(readiness.degraded.map(({ code }: Json) => code)).toContain("no_jobs");
  const send = () => upload(running, "nobody", linesOf(10), { key: "nobody" });
  const { status, body } = await send();
  expect([status, body.error.message]).toEqual([503, expect.stringContaining("bun run start:jobs")]);
  expect(await query(running, "SELECT COUNT(*) FROM uploads")).toBe(0);
  running.workers.push(running.spawnWorker());
  expect((await send()).status).toBe(201);
  await expectClean(running, 1, 10);
}, 60_000);

test("a client that lost its connection retries with its key and gets the result of its first request", async () => {
  const running = await start(0);
  const send = (signal?: AbortSignal) => upload(running, "lost", linesOf(20_000), { key: "lost", signal });
  const leave = new AbortController();
  const lost = send(leave.signal).catch(() => "lost");
  await until("it waits", async () => (await query(running, "SELECT COUNT(*) FROM tasks")) === 1);
  leave.abort();
  expect(await lost).toBe("lost");
  await until("the gateway noticed", () => running.gateway.output.includes('"errorKind":"client_closed"'));
  running.workers.push(running.spawnWorker());
  const { status, body } = await send();
  expect([status, body.dataset?.latest.samples]).toEqual([201, 20_000]);
  await expectClean(running, 1, 20_000);
}, 60_000);

test("a rejected import leaves no upload behind, even if its client disconnected", async () => {
  const running = await start(0);
  const leave = new AbortController();
  const lost = upload(running, "refused", '{"no":"input"}\n', { signal: leave.signal }).catch(() => "lost");
  await until("it waits", async () => (await query(running, "SELECT COUNT(*) FROM tasks")) === 1);
  leave.abort();
  await lost;
  running.workers.push(running.spawnWorker());
  await until("it has ended", async () => (await query(running, "SELECT ended_at FROM jobs")) !== null);
  expect(await query(running, "SELECT json_extract(result, '$.outcome') FROM jobs")).toBe("refused");
  await expectClean(running, 0, 0);
}, 60_000);

test("hostile files are rejected in bounded memory and leave nothing behind", async () => {
  const running = await start(1);
  const pids = [running.gateway.pid, running.workers[0]?.pid ?? 0];
  // Loads the code first, so that it doesn't count as growth.
  await upload(running, "warm", linesOf(20_000));
  for (const [what, wanted] of [
    ["a line of 500 MB in JSONL", 413],
    ["10 GB", 413],
    ["10,000 levels in JSON", 422],
  ] as const) {
    const file = UPLOADS[what];
    if (!file) throw new Error(`Unknown upload "${what}".`);
    const growth = watchGrowth(pids);
    const { status } = await sendUpload(running.url, what, file);
    expect([what, status, Math.max(...growth()) < MAX_GROWTH_MIB]).toEqual([what, wanted, true]);
  }
  await expectClean(running, 1, 20_000);
}, 60_000);
