import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { type Db, openDb } from "../../db/client";
import { claimTasks, endTask, insertJob, isTaskHeld } from "../../db/jobs";
import { migrate } from "../../db/migrate";
import { insertWorker, listWorkers, removeWorker, rescueTasks, type WorkerRow } from "../../db/workers";
import { newId } from "../../lib/ids";
import { silentLog } from "../../lib/log";

/**
 * Four processes claim 10,000 tasks of one queue, and declare each other dead at random, so that tasks are taken over
 * while their first worker is still finishing them: `bun run faults claim-history`,
 * `bun tests/faults/claim-history.ts 500` for 500 tasks.
 *
 * Each process records when every operation began and returned, on the machine's monotonic clock. The history of each
 * task must be linearizable as that of a lease: there is an order of its operations that agrees with these times, in
 * which each claim raises the epoch and only the newest epoch finishes the task, once. Epochs are unique, so the only
 * possible order is that of the epochs, and checking it is sufficient.
 */

const TASKS = Number(process.argv[2] ?? 10_000);
const PROCESSES = 4;
const KIND = "claim-history";
const PER_CLAIM = 20;

/** An operation on a task. Times are nanoseconds of the monotonic clock, which all processes share. */
interface Operation {
  what: "claim" | "finish" | "refused";
  task: number;
  epoch: number;
  beganNs: number;
  returnedNs: number;
}

/** Four processes that write without a pause can keep each other waiting for longer than the default. */
const open = (file: string): Promise<Db> => openDb({ url: `file:${file}`, lockWaitMs: 60_000 }, silentLog());

/** Claims and finishes tasks until none are left, and prints the operations. */
const work = async (file: string): Promise<void> => {
  const db = await open(file);
  const operations: Operation[] = [];
  const monotonicNs = () => Number(process.hrtime.bigint());
  let workerId = "";
  const join = async () => {
    workerId = newId("worker");
    const row = { id: workerId, host: "host", process: String(process.pid) };
    await db.write((tx) => insertWorker(tx, row, new Date()));
  };
  /** Other workers that hold tasks. */
  const othersAtWork = async (): Promise<WorkerRow[]> => {
    const holders = await db.all<{ id: string }>(
      sql`SELECT DISTINCT worker_id AS id FROM tasks WHERE state = 'running' AND worker_id <> ${workerId}`,
    );
    const ids = new Set(holders.map(({ id }) => id));
    return (await listWorkers(db)).filter(({ id }) => ids.has(id));
  };
  const isAnyDone = async () => (await db.all(sql`SELECT 1 FROM tasks WHERE state = 'done' LIMIT 1`)).length > 0;
  /** Declares another worker dead, although it is alive. */
  const rescueOther = async () => {
    const others = await othersAtWork();
    const other = others[Math.floor(others.length * Math.random())];
    if (!other) return;
    await db.write(async (tx) => {
      if (!(await removeWorker(tx, other))) return;
      await rescueTasks(tx, other.id, { maxDeaths: 3, error: {}, exceptKinds: [KIND] });
    });
  };
  const finish = async (task: number, epoch: number) => {
    const beganNs = monotonicNs();
    const isOurs = await db.write(async (tx) => {
      const held = { id: task, leaseEpoch: epoch };
      if (!(await isTaskHeld(tx, held))) return false;
      await endTask(tx, held, "done");
      return true;
    });
    operations.push({ what: isOurs ? "finish" : "refused", task, epoch, beganNs, returnedNs: monotonicNs() });
  };

  await join();
  let isFirstClaim = true;
  for (let idle = 0; idle < 50; ) {
    const beganNs = monotonicNs();
    const claimed = await claimTasks(db, { workerId, kind: KIND, limit: PER_CLAIM }, new Date());
    const returnedNs = monotonicNs();
    for (const { id, leaseEpoch } of claimed) {
      operations.push({ what: "claim", task: id, epoch: leaseEpoch, beganNs, returnedNs });
    }
    if (claimed.length > 0) {
      idle = 0;
      if (isFirstClaim) {
        // No worker finishes a task until two workers hold some, so the first rescue causes at least one late write.
        isFirstClaim = false;
        while (!(await isAnyDone()) && (await othersAtWork()).length === 0) await Bun.sleep(5);
        await rescueOther();
      } else if (Math.random() < 0.2) await rescueOther();
      for (const { id, leaseEpoch } of claimed) await finish(id, leaseEpoch);
    } else {
      // Others may have declared this worker dead, or hold the last tasks.
      idle++;
      await Bun.sleep(10);
      if (!(await listWorkers(db)).some(({ id }) => id === workerId)) await join();
    }
  }
  await db.close();
  console.log(JSON.stringify(operations));
};

/** Why the operations of one task are not those of a lease. */
const problemsOf = (operations: readonly Operation[]): string[] => {
  const problems: string[] = [];
  const claims = operations.filter(({ what }) => what === "claim").sort((a, b) => a.epoch - b.epoch);
  if (new Set(claims.map(({ epoch }) => epoch)).size !== claims.length) problems.push("two claims have the same epoch");
  // Each claim must have begun before every later one returned. Comparing with the latest beginning is enough.
  let latestBeganNs = 0;
  for (const claim of claims) {
    if (claim.returnedNs < latestBeganNs)
      problems.push("a claim has a higher epoch than one that began after it returned");
    latestBeganNs = Math.max(latestBeganNs, claim.beganNs);
  }
  const finishes = operations.filter(({ what }) => what === "finish");
  if (finishes.length !== 1) problems.push(`it was finished ${finishes.length} times`);
  for (const { epoch, beganNs } of finishes) {
    const newer = claims.filter((claim) => claim.epoch > epoch);
    if (newer.length > 0) problems.push("it was finished with an old epoch");
    if (!claims.some((claim) => claim.epoch === epoch && claim.beganNs <= beganNs))
      problems.push("it was finished without a claim");
  }
  return problems;
};

const [, , mode, file = ""] = process.argv;
if (mode === "child") await work(file);
else {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-claims-"));
  try {
    const path = join(folder, "groundwire.db");
    const db = await open(path);
    await migrate(db);
    const payloads = Array.from({ length: TASKS }, () => null);
    const job = { id: newId("job"), kind: KIND, payload: {}, createdBy: "key_1" };
    await db.write((tx) => insertJob(tx, job, payloads, new Date()));

    const children = Array.from({ length: PROCESSES }, () =>
      Bun.spawn([process.execPath, import.meta.path, "child", path], { stdio: ["ignore", "pipe", "inherit"] }),
    );
    const outputs = await Promise.all(children.map(async ({ stdout }) => JSON.parse(await stdout.text())));
    const operations: Operation[] = outputs.flat();
    const byTask = Map.groupBy(operations, ({ task }) => task);
    const problems = [...byTask].flatMap(([task, some]) => problemsOf(some).map((problem) => `${task}: ${problem}`));
    const count = (wanted: Operation["what"]) => operations.filter(({ what }) => what === wanted).length;
    const [{ undone } = { undone: -1 }] = await db.all<{ undone: number }>(
      sql`SELECT COUNT(*) AS undone FROM tasks WHERE state <> 'done'`,
    );
    await db.close();
    const row = {
      histories: byTask.size,
      claims: count("claim"),
      takenOver: count("claim") - TASKS,
      refusedLateWrites: count("refused"),
      undone,
      problems: problems.slice(0, 10),
    };
    const isKept = problems.length === 0 && undone === 0 && byTask.size === TASKS && row.refusedLateWrites > 0;
    console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify(row)}`);
    process.exitCode = isKept ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
