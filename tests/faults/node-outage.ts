import { Stack } from "../harness";
import { until } from "../until";
import { areResultsIntact, checkResults, readRun, startRun } from "./batch-client";
import { uploadQuestions } from "./upload-questions";

/**
 * Kills the only GPU node in the middle of 20 batch evaluations, and starts it again after a minute:
 * `bun run faults node-outage`, `bun tests/faults/node-outage.ts 5 2` for an outage of five seconds and two runs. Every
 * sample must have one result, none may fail because of the outage, and every run must end within 35 s after it.
 */

const OUTAGE_MS = 1000 * Number(process.argv[2] ?? 60);
const RUNS = Number(process.argv[3] ?? 20);
const SAMPLES = 200;
const WORKERS = 4;
const MAX_AFTER_MS = 35_000;

const env = {
  GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
  GROUNDWIRE_PARALLEL_REQUESTS: "1000",
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10",
  GROUNDWIRE_SYNTHETIC_TOKENS: "20",
  GROUNDWIRE_NODE_SLOTS: "64",
  GROUNDWIRE_CACHE: "false",
};
const stack = await Stack.start({ engine: "synthetic", workers: WORKERS, env });
let isBroken = false;
try {
  await uploadQuestions(stack.url, SAMPLES);
  const ids: string[] = [];
  for (let seed = 0; seed < RUNS; seed++) ids.push((await startRun(stack, seed)).id);
  const all = () => Promise.all(ids.map((id) => readRun(stack, id)));
  await until("some runs have results", async () => (await all()).some(({ progress }) => progress.done > 5), 60_000);
  await stack.node.stop();
  const interrupted = (await all()).filter(({ ended_at }) => ended_at === null).length;
  await Bun.sleep(OUTAGE_MS);
  await stack.restartNode();
  const startedAt = performance.now();
  const haveEnded = async () => (await all()).every(({ ended_at }) => ended_at !== null);
  await until("all runs have ended", haveEnded, 4 * MAX_AFTER_MS).catch(console.error);
  const afterMs = Math.round(performance.now() - startedAt);
  const check = await checkResults(stack, RUNS * SAMPLES);
  const states = [...new Set((await all()).map(({ state }) => state))];
  const isKept = areResultsIntact(check) && afterMs <= MAX_AFTER_MS && interrupted > 0 && states.join() === "completed";
  isBroken = !isKept;
  console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify({ runs: RUNS, interrupted, afterMs, states, ...check })}`);
} finally {
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
