import type { Db } from "../../../db/client";
import * as idempotency from "../../../db/idempotency";
import * as jobs from "../../../db/jobs";
import * as workers from "../../../db/workers";
import { listTaskCounts } from "../task-counts";
import { AT, LATER, patiently, type Step, type StepGroup } from "./step";

const worker = (tag: string): string => `worker_${tag}`;
const jobOf = (tag: string, name: string): string => `job_${tag}_${name}`;
const kindOf = (tag: string, name: string): string => `${tag} ${name}`;

const claim = async (db: Db, tag: string, name: string): Promise<jobs.ClaimedTask> => {
  const [task] = await jobs.claimTasks(db, { workerId: worker(tag), kind: kindOf(tag, name), limit: 1 }, LATER);
  if (!task) throw new Error(`Task ${name} doesn't exist.`);
  return task;
};

const NAMES = ["done", "again", "cancelled", "withdrawn", "rescued", "stray", "old"] as const;

const steps: readonly Step[] = [
  {
    name: "insertWorker",
    write: (db, tag) => db.write((tx) => workers.insertWorker(tx, { id: worker(tag), host: "test", process: "1" }, AT)),
  },
  { name: "beatWorker", write: (db, tag) => workers.beatWorker(db, worker(tag), LATER) },
  {
    name: "insertJob",
    write: (db, tag) =>
      db.write(async (tx) => {
        // Each tag has its own kind, so that claims only find its tasks.
        for (const name of NAMES) {
          const job = { id: jobOf(tag, name), kind: kindOf(tag, name), payload: { tag }, createdBy: "test" };
          await jobs.insertJob(tx, job, [null], AT);
        }
      }),
  },
  { name: "claimTasks", write: (db, tag) => claim(db, tag, "rescued") },
  {
    name: "saveProgress",
    write: async (db, tag) => {
      const task = await claim(db, tag, "done");
      await patiently(() =>
        db.write(async (tx) => {
          await jobs.saveProgress(tx, task, { rows: 1 }, 1);
          await jobs.requeueTask(tx, task, AT);
        }),
      );
    },
  },
  {
    name: "endTask",
    write: async (db, tag) => {
      const task = await claim(db, tag, "done");
      await patiently(() => db.write((tx) => jobs.endTask(tx, task, "done")));
    },
  },
  {
    name: "settleJob",
    write: (db, tag) => db.write((tx) => jobs.settleJob(tx, jobOf(tag, "done"), { rows: 2 }, LATER)),
  },
  {
    name: "requeueTask",
    write: async (db, tag) => {
      const task = await claim(db, tag, "again");
      await patiently(() =>
        db.write((tx) => jobs.requeueTask(tx, task, AT, { error: { code: "unavailable" }, pauseMs: 1000 })),
      );
    },
  },
  {
    name: "requestCancel",
    write: (db, tag) => db.write((tx) => jobs.requestCancel(tx, jobOf(tag, "cancelled"), LATER)),
  },
  {
    name: "withdrawJob",
    write: (db, tag) => db.write((tx) => jobs.withdrawJob(tx, jobOf(tag, "withdrawn"), { code: "unavailable" }, LATER)),
  },
  {
    name: "rescueTasks",
    write: (db, tag) =>
      db.write((tx) =>
        workers.rescueTasks(tx, worker(tag), { maxDeaths: 3, error: { code: "internal" }, exceptKinds: ["other"] }),
      ),
  },
  {
    name: "deleteWorker",
    write: (db, tag) =>
      db.write(async (tx) => {
        await workers.insertWorker(tx, { id: `${worker(tag)}_left`, host: "test", process: "1" }, AT);
        await workers.deleteWorker(tx, `${worker(tag)}_left`);
      }),
  },
  {
    name: "requeueStrays",
    write: async (db, tag) => {
      await claim(db, tag, "stray");
      await patiently(() => db.write((tx) => workers.requeueStrays(tx, { workerId: worker(tag), taskIds: [] })));
    },
  },
  {
    name: "deleteEndedJobs",
    write: (db, tag) =>
      db.write(async (tx) => {
        await jobs.requestCancel(tx, jobOf(tag, "old"), new Date(0));
        await jobs.deleteEndedJobs(tx, AT, 10);
      }),
  },
  {
    name: "removeWorker",
    write: (db, tag) => db.write((tx) => workers.removeWorker(tx, { id: worker(tag), beat: 1 })),
  },
  {
    name: "claimIdempotencyKey",
    write: async (db, tag) => {
      for (const name of ["sealed", "released", "held", "forgotten"]) {
        const times = { heldUntil: LATER, expiresAt: new Date("2099-01-01") };
        const key = { id: `${tag} ${name}`, fingerprint: tag, holder: tag, ...times };
        await idempotency.claimIdempotencyKey(db, key, AT);
      }
    },
  },
  {
    name: "extendIdempotencyKey",
    write: (db, tag) => idempotency.extendIdempotencyKey(db, `${tag} held`, tag, new Date("2099-01-01")),
  },
  {
    name: "sealIdempotencyKey",
    write: (db, tag) => db.write((tx) => idempotency.sealIdempotencyKey(tx, `${tag} sealed`, tag, "answer")),
  },
  {
    name: "releaseIdempotencyKey",
    write: (db, tag) => idempotency.releaseIdempotencyKey(db, `${tag} released`, tag),
  },
  {
    name: "deleteIdempotencyKey",
    write: (db, tag) => db.write((tx) => idempotency.deleteIdempotencyKey(tx, `${tag} forgotten`)),
  },
  {
    name: "deleteExpiredIdempotencyKeys",
    write: async (db, tag) => {
      const times = { heldUntil: new Date(1), expiresAt: new Date(1) };
      const key = { id: `${tag} expired`, fingerprint: tag, holder: tag, ...times };
      await idempotency.claimIdempotencyKey(db, key, new Date(0));
      await patiently(() => idempotency.deleteExpiredIdempotencyKeys(db, AT));
    },
  },
];

/** The result that another holder of a key would get, in a transaction that is rolled back. */
const keyState = async (db: Db, tag: string, name: string): Promise<string> => {
  const key = { id: `${tag} ${name}`, fingerprint: "another", holder: "another", heldUntil: AT, expiresAt: LATER };
  let state = "";
  const rollback = new Error("rolled back");
  const write: Db["write"] = (work) =>
    db.write(async (tx) => {
      const known = await work(tx);
      const row = known as idempotency.IdempotencyRow | "claimed";
      state = row === "claimed" ? "free" : `${row.state} ${row.answer ?? ""}`.trim();
      throw rollback;
    });
  await idempotency.claimIdempotencyKey({ write }, key, LATER).catch((error) => {
    if (error !== rollback) throw error;
  });
  return state;
};

const stateOf = async (db: Db, tag: string) => {
  const rows = await Promise.all(NAMES.map((name) => jobs.findJob(db, jobOf(tag, name))));
  const counts = await Promise.all(NAMES.map((name) => listTaskCounts(db, jobOf(tag, name))));
  return {
    jobs: Object.fromEntries(NAMES.map((name, i) => [name, rows[i]?.state])),
    tasks: Object.fromEntries(NAMES.map((name, i) => [name, counts[i]])),
    progress: rows[0]?.progress,
    result: rows[0]?.result,
    isWorkerThere: (await workers.listWorkers(db)).some(({ id }) => id.startsWith(worker(tag))),
    keys: {
      sealed: await keyState(db, tag, "sealed"),
      held: await keyState(db, tag, "held"),
      released: await keyState(db, tag, "released"),
      forgotten: await keyState(db, tag, "forgotten"),
      expired: await keyState(db, tag, "expired"),
    },
  };
};

const finalState = () => ({
  jobs: {
    done: "completed",
    again: "running",
    cancelled: "cancelled",
    withdrawn: "cancelled",
    rescued: "running",
    stray: "running",
    old: undefined,
  },
  tasks: {
    done: { done: 1 },
    again: { queued: 1 },
    cancelled: { cancelled: 1 },
    withdrawn: { cancelled: 1 },
    rescued: { queued: 1 },
    stray: { queued: 1 },
    old: {},
  },
  progress: { rows: 1 },
  result: { rows: 2 },
  isWorkerThere: false,
  keys: { sealed: "done answer", held: "running", released: "free", forgotten: "free", expired: "free" },
});

/** Jobs, workers and idempotency keys. */
export const jobSteps: StepGroup = { steps, stateOf, finalState };
