import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Db } from "../../db/client";
import { claimTasks, endTask, insertJob, settleJob } from "../../db/jobs";
import { beatWorker, insertWorker } from "../../db/workers";
import { AppError, toEnvelope } from "../../lib/errors";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { createJobs, type Jobs, type OnWithdrawn } from "./service";

let db: Db;
let jobs: Jobs;
let now: Date;
beforeEach(async () => {
  db = await temporaryDb();
  now = new Date("2026-11-26T12:00:00Z");
  jobs = createJobs({ db, now: () => now, monotonicMs: () => now.getTime() });
});
afterEach(() => db.close());

const later = (ms: number): void => {
  now = new Date(now.getTime() + ms);
};
const enqueue = (id = "job_1") =>
  db.write((tx) => insertJob(tx, { id, kind: "toy", payload: {}, createdBy: "key" }, [null], now));
const addWorker = () => db.write((tx) => insertWorker(tx, { id: "worker_1", host: "here", process: "1" }, now));

/** Finishes the job as a worker would. */
const finish = async (state: "done" | "failed", error?: AppError): Promise<void> => {
  await addWorker();
  const [task] = await claimTasks(db, { workerId: "worker_1", kind: "toy", limit: 1 }, now);
  if (!task) throw new Error("No task was due.");
  await db.write(async (tx) => {
    await endTask(tx, task, state, error ? { ...toEnvelope(error, task.jobId).error } : null);
    await settleJob(tx, task.jobId, { rows: 3 }, now);
  });
};
const never = new AbortController().signal;

test("a waiting caller gets the result", async () => {
  await enqueue();
  const waiting = jobs.wait("job_1", never);
  await finish("done");
  expect((await waiting).result).toEqual({ rows: 3 });
});

test("a failed job rejects with its error and details", async () => {
  await enqueue();
  const details = [{ line: 4, path: "input", message: "input is empty." }];
  await finish("failed", new AppError("dataset_invalid", "Row 4 can't be used.", { details }));
  const error = await problemOf(jobs.wait("job_1", never));
  expect([error.kind, error.message, error.detail.details]).toEqual([
    "dataset_invalid",
    "Row 4 can't be used.",
    details,
  ]);
});

test("a cancelled job is a conflict", async () => {
  await enqueue();
  expect(await jobs.cancel("job_1")).toBe(true);
  expect((await problemOf(jobs.wait("job_1", never))).kind).toBe("conflict");
  expect(await jobs.cancel("job_1")).toBe(false);
});

describe("with no worker for ten seconds", () => {
  /** Waits while ten seconds pass. */
  const waitInVain = async (onWithdrawn?: OnWithdrawn): Promise<AppError> => {
    const waiting = problemOf(jobs.wait("job_1", never, onWithdrawn));
    await Bun.sleep(5);
    later(10_001);
    return waiting;
  };

  test("a job that has not started is withdrawn, and every waiting caller is told how to start a worker", async () => {
    await enqueue();
    const errors = await Promise.all([waitInVain(), problemOf(jobs.wait("job_1", never))]);
    for (const error of errors) {
      expect([error.kind, error.message]).toEqual(["unavailable", expect.stringContaining("bun run start:jobs")]);
      expect(error.detail.retryAfterMs).toBe(10_000);
    }
    expect((await jobs.get("job_1")).state).toBe("cancelled");
    expect(await claimTasks(db, { workerId: "worker_1", kind: "toy", limit: 1 }, now)).toEqual([]);
  });

  test("the withdrawal and its side effects are one transaction", async () => {
    await enqueue();
    const error = await waitInVain(async () => {
      throw new AppError("storage_full", "No space.");
    });
    expect([error.kind, (await jobs.get("job_1")).state]).toEqual(["storage_full", "queued"]);
  });

  test("a job that has started is kept for the next worker", async () => {
    await enqueue();
    await addWorker();
    await claimTasks(db, { workerId: "worker_1", kind: "toy", limit: 1 }, now);
    later(60_000);
    const error = await waitInVain();
    expect([error.kind, error.message]).toEqual(["unavailable", expect.stringContaining("Start one to continue")]);
    expect((await jobs.get("job_1")).state).toBe("running");
  });

  test("callers keep waiting if a worker returns before that", async () => {
    await enqueue();
    const waiting = jobs.wait("job_1", never);
    await Bun.sleep(5);
    later(9_000);
    await finish("done");
    expect((await waiting).state).toBe("completed");
  });
});

test("callers wait for a busy worker", async () => {
  await enqueue();
  later(10_001);
  await addWorker();
  const abort = new AbortController();
  const waiting = problemOf(jobs.wait("job_1", abort.signal));
  abort.abort();
  expect((await waiting).kind).toBe("client_closed");
  expect((await jobs.get("job_1")).state).toBe("queued");
});

test("a worker counts as alive for a minute after its last heartbeat", async () => {
  expect(await jobs.workers()).toEqual({ isAlive: false, lastBeat: undefined });
  await addWorker();
  const beat = now;
  later(59_000);
  expect(await jobs.workers()).toEqual({ isAlive: true, lastBeat: beat });
  later(1000);
  expect((await jobs.workers()).isAlive).toBe(false);
});

test("the backlog contains the numbers of queued and running tasks, and how long the oldest has been due", async () => {
  expect(await jobs.backlog()).toEqual({ queued: 0, running: 0, oldestWaitMs: 0 });
  await enqueue("job_1");
  later(2000);
  await enqueue("job_2");
  later(3000);
  expect(await jobs.backlog()).toEqual({ queued: 2, running: 0, oldestWaitMs: 5000 });
  await addWorker();
  await claimTasks(db, { workerId: "worker_1", kind: "toy", limit: 1 }, now);
  expect(await jobs.backlog()).toEqual({ queued: 1, running: 1, oldestWaitMs: 3000 });
});

test("an unknown job is a not_found error", async () => {
  expect((await problemOf(jobs.get("job_9"))).kind).toBe("not_found");
});

test("a worker whose clock is an hour slow is alive as soon as it sends a heartbeat", async () => {
  const isAlive = async () => (await jobs.workers()).isAlive;
  const hourAgo = new Date(now.getTime() - 3_600_000);
  await db.write((tx) => insertWorker(tx, { id: "worker_1", host: "here", process: "1" }, hourAgo));
  expect(await isAlive()).toBe(false);
  await beatWorker(db, "worker_1", hourAgo);
  expect(await isAlive()).toBe(true);
  later(60_000);
  expect(await isAlive()).toBe(false);
});
