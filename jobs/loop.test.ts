import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Db } from "../db/client";
import {
  type ClaimedTask,
  claimTasks,
  findJob,
  hasDueTask,
  insertJob,
  type JobRow,
  requestCancel,
  saveProgress,
} from "../db/jobs";
import { deleteWorker, insertWorker, listWorkers } from "../db/workers";
import { AppError } from "../lib/errors";
import { silentLog } from "../lib/log";
import { listTaskCounts } from "../tests/db/task-counts";
import { temporaryDb } from "../tests/db/temporary";
import { until } from "../tests/until";
import { type JobHandler, TaskLost } from "./handler";
import { JobLoop } from "./loop";
import { MAX_ATTEMPTS } from "./run-task";

let db: Db;
let loops: JobLoop[];
beforeEach(async () => {
  db = await temporaryDb();
  loops = [];
});
afterEach(async () => {
  for (const loop of loops) await loop.close(0);
  await db.close();
});

const KIND = "test";
const LEASE_MS = 300;

/** A worker in this process that calls `run` for every task. */
const work = async (
  run: JobHandler["run"],
  options: Partial<JobHandler> & { now?: () => Date; on?: Db; leaseMs?: number } = {},
) => {
  const { now, on = db, leaseMs = LEASE_MS, ...handler } = options;
  const handlers = [{ kind: KIND, concurrency: 4, run, ...handler }];
  const loop = new JobLoop({ db: on, log: silentLog(), handlers, leaseMs, now });
  loops.push(loop);
  await loop.open();
  return loop;
};

const enqueue = async (id: string, tasks = 1): Promise<void> => {
  const payloads = Array.from({ length: tasks }, (_, n) => ({ n }));
  const job = { id, kind: KIND, payload: {}, createdBy: "test" };
  await db.write((tx) => insertJob(tx, job, payloads, new Date(Date.now() - 1000)));
};

const ended = async (id: string): Promise<JobRow> => {
  let job: JobRow | undefined;
  await until(`${id} has ended`, async () => {
    job = await findJob(db, id);
    return job?.endedAt != null;
  });
  if (!job) throw new Error(`Job ${id} doesn't exist.`);
  return job;
};

/** A clock that advances a minute with each reading, so that no test waits for a pause. */
const hurriedClock = () => {
  let clockMs = Date.now();
  return () => {
    clockMs += 60_000;
    return new Date(clockMs);
  };
};

/** A promise that the test settles, and another that resolves when the first is awaited. */
const gate = () => ({ reached: Promise.withResolvers<void>(), open: Promise.withResolvers<void>() });

describe("a job", () => {
  test("is completed with its result after its last task", async () => {
    await enqueue("job_1", 10);
    await work((_, { finish }) => finish(async () => ({ rows: 3 })));
    const job = await ended("job_1");
    expect([job.state, job.result, job.error]).toEqual(["completed", { rows: 3 }, null]);
    expect(await listTaskCounts(db, "job_1")).toEqual({ done: 10 });
    expect(job.startedAt).not.toBeNull();
  });

  test("fails immediately with an error that a retry can't fix", async () => {
    await enqueue("job_1");
    let tries = 0;
    await work(async () => {
      tries += 1;
      throw new AppError("dataset_invalid", "Line 3 is wrong.");
    });
    const job = await ended("job_1");
    expect([job.state, job.error?.message, tries]).toEqual(["failed", "Line 3 is wrong.", 1]);
  });

  test("is retried after a temporary failure, and fails after the last attempt", async () => {
    await enqueue("job_1");
    let tries = 0;
    const run = async () => {
      tries += 1;
      throw new AppError("unavailable", "Not now.");
    };
    await work(run, { now: hurriedClock() });
    const job = await ended("job_1");
    expect([job.state, job.error?.code, tries]).toEqual(["failed", "unavailable", MAX_ATTEMPTS]);
  });

  test("counts as a failed attempt if its handler returns without finishing it", async () => {
    await enqueue("job_1");
    await work(async () => {}, { now: hurriedClock() });
    const { error } = await ended("job_1");
    expect([error?.code, error?.message]).toEqual(["internal", expect.stringContaining("Include job_1 when")]);
  });

  test("stores everything that its handler writes when it finishes, or nothing", async () => {
    await enqueue("job_1");
    const failure = new AppError("conflict", "The name is taken.");
    await work((_, { finish }) =>
      finish(async (tx) => {
        await insertJob(tx, { id: "job_2", kind: "other", payload: {}, createdBy: "test" }, [], new Date());
        throw failure;
      }),
    );
    expect((await ended("job_1")).state).toBe("failed");
    expect(await findJob(db, "job_2")).toBeUndefined();
  });
});

describe("concurrent work", () => {
  test("is limited to the number that the handler allows", async () => {
    await enqueue("job_1", 12);
    let running = 0;
    let most = 0;
    const run: JobHandler["run"] = async (_, { finish }) => {
      running += 1;
      most = Math.max(most, running);
      await Bun.sleep(5);
      running -= 1;
      await finish(async () => ({}));
    };
    await work(run, { concurrency: 3 });
    await ended("job_1");
    expect(most).toBe(3);
  });

  test("each task is run by one of several workers", async () => {
    await enqueue("job_1", 200);
    const done: unknown[] = [];
    const run: JobHandler["run"] = async ({ payload }, { finish }) => {
      done.push(payload?.n);
      await finish(async () => ({}));
    };
    // A worker that is only slow must not be considered dead: its task would run twice.
    const options = { leaseMs: 30_000 };
    await Promise.all([work(run, options), work(run, options), work(run, options)]);
    await ended("job_1");
    expect(done.length).toBe(200);
    expect(new Set(done).size).toBe(200);
  }, 30_000);
});

describe("cancelling", () => {
  test("ends queued tasks immediately and running ones in about a second", async () => {
    await enqueue("job_waiting");
    expect(await db.write((tx) => requestCancel(tx, "job_waiting", new Date()))).toBe(true);
    expect((await ended("job_waiting")).state).toBe("cancelled");

    await enqueue("job_running");
    const { reached } = gate();
    await work(async (_, { signal }) => {
      reached.resolve();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    });
    await reached.promise;
    await db.write((tx) => requestCancel(tx, "job_running", new Date()));
    expect((await ended("job_running")).state).toBe("cancelled");
    expect(await db.write((tx) => requestCancel(tx, "job_running", new Date()))).toBe(false);
  });
});

/** The same database with another `write`. */
const withWrite = (write: Db["write"]): Db => Object.create(db, { write: { value: write } });

describe("closing", () => {
  test("waits for a running heartbeat, so that a worker that has left doesn't join again", async () => {
    const { reached, open } = gate();
    let isSlow = false;
    const on = withWrite(async (change) => {
      if (isSlow) {
        isSlow = false;
        reached.resolve();
        await open.promise;
      }
      return db.write(change);
    });
    const loop = await work((_, { finish }) => finish(async () => ({})), { on });
    isSlow = true;
    await reached.promise;
    const closing = loop.close(0);
    await Bun.sleep(20);
    open.resolve();
    await closing;
    await Bun.sleep(20);
    expect(await listWorkers(db)).toEqual([]);
  });

  test("lets running tasks finish and claims no more", async () => {
    await enqueue("job_1", 2);
    const { reached, open } = gate();
    const loop = await work(
      async (_, { finish }) => {
        reached.resolve();
        await open.promise;
        await finish(async () => ({}));
      },
      { concurrency: 1 },
    );
    await reached.promise;
    const closing = loop.close(10_000);
    open.resolve();
    await closing;
    expect(await listTaskCounts(db, "job_1")).toEqual({ done: 1, queued: 1 });
    expect(await listWorkers(db)).toEqual([]);
  });

  test("requeues tasks that don't finish in time, which doesn't count as an attempt", async () => {
    await enqueue("job_1");
    const { reached } = gate();
    const loop = await work(async (_, { signal }) => {
      reached.resolve();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    });
    await reached.promise;
    await loop.close(0);
    await work(({ attempts }, { finish }) => finish(async () => ({ attempts })));
    expect((await ended("job_1")).result).toEqual({ attempts: 0 });
  });
});

describe("a worker that died", () => {
  /** Claims every task as a worker that never sends a heartbeat. */
  const claimAsDead = async (id: string, host = "another machine"): Promise<ClaimedTask[]> => {
    await db.write((tx) => insertWorker(tx, { id, host, process: "1" }, new Date()));
    return claimTasks(db, { workerId: id, kind: KIND, limit: 1000 }, new Date());
  };

  /** Lets a worker claim the only task, reach this mark and die. */
  const dieAt = async (id: string, mark: number): Promise<void> => {
    const [task] = await claimAsDead(id);
    if (!task) throw new Error("Nothing was due.");
    await db.write((tx) => saveProgress(tx, task, { mark }, mark));
    const loop = new JobLoop({ db, log: silentLog(), handlers: [], leaseMs: LEASE_MS });
    await loop.open();
    await until("the dead worker is found", async () => (await listWorkers(db)).length === 1);
    await loop.close(0);
  };

  test("loses its tasks to others, which finish them", async () => {
    await enqueue("job_1", 3);
    await claimAsDead("worker_dead");
    await work((_, { finish }) => finish(async () => ({})));
    expect((await ended("job_1")).state).toBe("completed");
    expect((await listWorkers(db)).map(({ id }) => id)).not.toContain("worker_dead");
  });

  test("can't write when it resumes, because its tasks have a new epoch", async () => {
    await enqueue("job_1");
    const { reached, open } = gate();
    const writes: string[] = [];
    // The first worker sleeps during its task, and sends no heartbeat.
    const sleep: JobHandler["run"] = async (_, { finish, progress, write }) => {
      reached.resolve();
      await open.promise;
      const late = [() => progress({}), () => write(async () => {}), () => finish(async () => ({ by: "late" }))];
      for (const attempt of late) {
        await attempt().catch((error) => writes.push(error instanceof TaskLost ? "refused" : String(error)));
      }
      throw new TaskLost();
    };
    const sleeper = await work(sleep, { concurrency: 1 });
    await reached.promise;
    await db.write((tx) =>
      insertWorker(tx, { id: "worker_asleep", host: "another machine", process: "1" }, new Date()),
    );
    await db.writer.exclusive(() => db.writer.execute("UPDATE tasks SET worker_id = 'worker_asleep'"));
    loops = loops.filter((loop) => loop !== sleeper);

    await work((_, { finish }) => finish(async () => ({ by: "rescuer" })));
    expect((await ended("job_1")).result).toEqual({ by: "rescuer" });
    open.resolve();
    await sleeper.close(0);
    expect(writes).toEqual(["refused", "refused", "refused"]);
    expect((await findJob(db, "job_1"))?.result).toEqual({ by: "rescuer" });
  });

  test("is replaced immediately if its process is known to be gone", async () => {
    const child = Bun.spawn(["true"]);
    await child.exited;
    const { ownIdentity } = await import("./process-identity");
    await enqueue("job_1");
    await db.write((tx) =>
      insertWorker(tx, { id: "worker_gone", host: ownIdentity().host, process: `${child.pid} 0` }, new Date()),
    );
    await claimTasks(db, { workerId: "worker_gone", kind: KIND, limit: 1 }, new Date());
    const loop = new JobLoop({ db, log: silentLog(), handlers: [], leaseMs: 3_600_000 });
    loops.push(loop);
    await loop.open();
    expect(await listTaskCounts(db, "job_1")).toEqual({ queued: 1 });
  });

  test("J6: a task on which three workers in a row die is quarantined, and its job reports this", async () => {
    await enqueue("job_poison");
    // Each one starts again and gets as far as the others, which isn't progress.
    for (const n of [1, 2, 3]) await dieAt(`worker_${n}`, 7);
    const job = await ended("job_poison");
    expect([job.state, await listTaskCounts(db, "job_poison")]).toEqual(["failed", { quarantined: 1 }]);
    expect(job.error?.message).toContain("3 workers died");
  });

  test("limits the tasks that run alongside the one it died on, and runs that task by itself after a second death", async () => {
    await enqueue("job_1", 40);
    const setDeaths = (n: number, deaths: number) =>
      `UPDATE tasks SET deaths = ${deaths} WHERE json_extract(payload, '$.n') = ${n}`;
    await db.writer.exclusive(() => db.writer.execute(`${setDeaths(10, 1)}; ${setDeaths(20, 2)}`));
    const running = new Set<unknown>();
    const most = new Map<unknown, number>();
    const run: JobHandler["run"] = async ({ payload }, { finish }) => {
      running.add(payload?.n);
      for (const n of running) most.set(n, Math.max(most.get(n) ?? 0, running.size));
      await Bun.sleep(5);
      running.delete(payload?.n);
      await finish(async () => ({}));
    };
    await work(run, { concurrency: 16 });
    expect((await ended("job_1")).state).toBe("completed");
    expect(most.get(0)).toBeGreaterThan(4);
    expect(most.get(10)).toBeLessThanOrEqual(4);
    expect(most.get(20)).toBe(1);
  });

  test("does not count if each worker gets further than the one before", async () => {
    await enqueue("job_long");
    for (const n of [1, 2, 3, 4]) await dieAt(`worker_${n}`, n);
    expect(await listTaskCounts(db, "job_long")).toEqual({ queued: 1 });
  });

  test("J11: one orphaned task among 2,000 running ones is found", async () => {
    await enqueue("job_long", 2000);
    await db.write((tx) => insertWorker(tx, { id: "worker_busy", host: "here", process: "1" }, new Date()));
    await claimTasks(db, { workerId: "worker_busy", kind: KIND, limit: 2000 }, new Date());
    await enqueue("job_dead");
    await claimAsDead("worker_dead");
    const alive = setInterval(() => {
      void db.writer.exclusive(() => db.writer.execute("UPDATE workers SET beat = beat + 1 WHERE id = 'worker_busy'"));
    }, LEASE_MS / 3);
    await work((_, { finish }) => finish(async () => ({})));
    expect((await ended("job_dead")).state).toBe("completed");
    expect(await listTaskCounts(db, "job_long")).toEqual({ running: 2000 });
    clearInterval(alive);
  });
});

describe("D4: a task whose end can't be written", () => {
  const full = () => new AppError("storage_full", "The database's disk is full.");

  test("because the disk is full ends when there is space again", async () => {
    await enqueue("job_1");
    let isFull = false;
    let tries = 0;
    const run: JobHandler["run"] = async (_, { finish }) => {
      tries += 1;
      isFull = tries === 1;
      await finish(async () => ({ tries }));
    };
    const on = withWrite((change) => (isFull ? Promise.reject(full()) : db.write(change)));
    await work(run, { on });
    await until("it was tried", () => tries === 1);
    await Bun.sleep(LEASE_MS / 2);
    isFull = false;
    expect((await ended("job_1")).result).toEqual({ tries: 2 });
  });

  test("because its worker has left is run by another worker, which doesn't count as an attempt", async () => {
    await enqueue("job_1");
    await db.write((tx) => insertWorker(tx, { id: "worker_left", host: "here", process: "1" }, new Date()));
    await claimTasks(db, { workerId: "worker_left", kind: KIND, limit: 1 }, new Date());
    await db.write((tx) => deleteWorker(tx, "worker_left"));
    await work(({ attempts }, { finish }) => finish(async () => ({ attempts })));
    expect((await ended("job_1")).result).toEqual({ attempts: 0 });
  });

  test("because the reply to its claim was lost is claimed again", async () => {
    await enqueue("job_1");
    let isLost = false;
    const on = withWrite(async (change) => {
      const answer = await db.write(change);
      const isClaim = Array.isArray(answer) && answer.length > 0 && !isLost;
      isLost ||= isClaim;
      if (isClaim) throw new AppError("unavailable", "The connection was lost.");
      return answer;
    });
    await work((_, { finish }) => finish(async () => ({})), { on });
    expect((await ended("job_1")).state).toBe("completed");
    expect(isLost).toBe(true);
  });

  test("when its worker shuts down is requeued immediately", async () => {
    await enqueue("job_1");
    const { reached } = gate();
    let isFull = false;
    const on = withWrite((change) => (isFull ? Promise.reject(full()) : db.write(change)));
    const loop = await work(
      async (_, { signal }) => {
        reached.resolve();
        isFull = true;
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
      },
      {
        on,
        sweep: async () => {
          isFull = false;
        },
      },
    );
    await reached.promise;
    await loop.close(0);
    expect(await listTaskCounts(db, "job_1")).toEqual({ queued: 1 });
    expect(await listWorkers(db)).toEqual([]);
  });
});

test("a failure that asks for a pause of an hour is not retried immediately", async () => {
  await enqueue("job_1");
  let tries = 0;
  await work(async () => {
    tries += 1;
    throw new AppError("unavailable", "In an hour.", { retryAfterMs: 3_600_000 });
  });
  await until("it waits again", async () => tries > 0 && (await listTaskCounts(db, "job_1")).queued === 1);
  expect(await hasDueTask(db, [KIND], new Date())).toBe(false);
});

test("a clock that jumps by an hour neither expires live workers nor keeps dead ones", async () => {
  let offsetMs = 0;
  const now = () => new Date(Date.now() + offsetMs);
  await enqueue("job_1", 30);
  const run: JobHandler["run"] = async (_, { finish }) => {
    await Bun.sleep(5);
    await finish(async () => ({}));
  };
  const first = await work(run, { now, concurrency: 1 });
  const second = await work(run, { now, concurrency: 1 });
  offsetMs = 3_600_000;
  await Bun.sleep(LEASE_MS / 2);
  offsetMs = -3_600_000;
  await ended("job_1");
  expect((await listWorkers(db)).map(({ id }) => id).sort()).toEqual([first.workerId, second.workerId].sort());
});
