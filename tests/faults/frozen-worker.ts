import { join } from "node:path";
import { createClient } from "@libsql/client";
import { type ServerProcess, Stack } from "../harness";
import { until } from "../until";
import { areResultsIntact, checkResults, readRun, startRun } from "./batch-client";
import { uploadQuestions } from "./upload-questions";

/**
 * Freezes jobs workers (SIGSTOP) in the middle of batch evaluations for longer than their lease, so that others take
 * over, and then resumes them: `bun run faults frozen-worker`, `bun tests/faults/frozen-worker.ts 4` for four stops.
 * Each sample must have one result, whatever the frozen workers write when they resume.
 */

const STOPS = Number(process.argv[2] ?? 50);
const PER_ROUND = 2;
const SAMPLES = 400;
/** On a busy machine, a worker that gets no CPU for this long counts as dead, too. */
const LEASE_MS = 3000;
/** Other workers take over a dead worker's tasks at their first check after its lease. */
const STOPPED_MS = LEASE_MS + 1500;
/** Maximum time until all runs have ended after the last stop, on a busy machine. */
const MAX_END_MS = 300_000;

const env = {
  GROUNDWIRE_JOBS_LEASE_MS: String(LEASE_MS),
  GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
  GROUNDWIRE_PARALLEL_REQUESTS: "1000",
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10",
  GROUNDWIRE_SYNTHETIC_TOKENS: "20",
  GROUNDWIRE_NODE_SLOTS: "32",
  GROUNDWIRE_CACHE: "false",
};
const stack = await Stack.start({ engine: "synthetic", workers: 2 * PER_ROUND, env });

/** Freezes workers between two transactions. Inside one, they would keep the write lock. */
const freeze = async (workers: readonly ServerProcess[]): Promise<void> => {
  const database = createClient({ url: `file:${join(stack.folder, "data/groundwire.db")}`, timeout: 20_000 });
  try {
    const lock = await database.transaction("write");
    for (const worker of workers) worker.signal("SIGSTOP");
    lock.close();
  } finally {
    database.close();
  }
};

let isBroken = false;
try {
  await uploadQuestions(stack.url, SAMPLES);
  const ids: string[] = [];
  const open = new Set<string>();
  const dropEnded = async () => {
    for (const id of open) if ((await readRun(stack, id)).ended_at !== null) open.delete(id);
  };
  let stops = 0;
  while (stops < STOPS) {
    await dropEnded();
    while (open.size < 4) {
      const { id } = await startRun(stack, ids.length);
      ids.push(id);
      open.add(id);
    }
    await Bun.sleep(300 + 700 * Math.random());
    const chosen = stack.workers.toSorted(() => Math.random() - 0.5).slice(0, PER_ROUND);
    await freeze(chosen);
    stops += chosen.length;
    await Bun.sleep(STOPPED_MS);
    for (const worker of chosen) worker.signal("SIGCONT");
  }
  const haveEnded = async () => dropEnded().then(() => open.size === 0);
  await until("all runs have ended", haveEnded, MAX_END_MS).catch(async () => {
    for (const id of open) console.log(JSON.stringify(await readRun(stack, id)).slice(0, 1000));
  });
  const takenOver = stack.workers.reduce((sum, { output }) => sum + output.split("taken over").length - 1, 0);
  const check = await checkResults(stack, ids.length * SAMPLES);
  const isKept =
    areResultsIntact(check) && open.size === 0 && takenOver > 0 && stack.workers.every(({ hasEnded }) => !hasEnded);
  isBroken = !isKept;
  console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify({ stops, takenOver, runs: ids.length, ...check })}`);
} finally {
  for (const worker of stack.workers) worker.signal("SIGCONT");
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
