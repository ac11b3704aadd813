import { Stack } from "../harness";
import { until } from "../until";
import { areResultsIntact, changeRun, checkResults, readRun, startRun } from "./batch-client";
import { uploadQuestions } from "./upload-questions";

/**
 * Cancels batch evaluations at random moments, checks that no call to the model starts more than a second later, and
 * resumes them: `bun run faults cancel-resume`, `bun tests/faults/cancel-resume.ts 8` for at least eight cancellations.
 * No stored result may be lost, and at the end every sample must have one result.
 */

const CANCELLATIONS = Number(process.argv[2] ?? 100);
const RUNS = 4;
const SAMPLES = 400;
const GRACE_MS = 1000;
/** How long the node is watched for calls after that. */
const WATCH_MS = 300;

const env = {
  GROUNDWIRE_JOBS_LEASE_MS: "5000",
  GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
  GROUNDWIRE_PARALLEL_REQUESTS: "1000",
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10",
  GROUNDWIRE_SYNTHETIC_TOKENS: "20",
  GROUNDWIRE_NODE_SLOTS: "16",
  GROUNDWIRE_CACHE: "false",
};
const stack = await Stack.start({ engine: "synthetic", workers: 2, env });
let isBroken = false;
try {
  await uploadQuestions(stack.url, SAMPLES);
  let [cancelled, lateCalls, lostResults, runs] = [0, 0, 0, 0];
  const stuck: string[] = [];
  const open = new Set<string>();
  while (cancelled < CANCELLATIONS) {
    while (open.size < RUNS) open.add((await startRun(stack, runs++)).id);
    await Bun.sleep(100 + 600 * Math.random());
    const hit: string[] = [];
    for (const id of open) {
      const before = (await readRun(stack, id)).progress.done;
      if ((await changeRun(stack, id, "cancel")) === 200) hit.push(id);
      if ((await readRun(stack, id)).progress.done < before) lostResults++;
      await Bun.sleep(50 * Math.random());
    }
    await Bun.sleep(GRACE_MS);
    const { input } = await stack.nodeTokens();
    await Bun.sleep(WATCH_MS);
    // Prompt tokens are counted when a call ends, so new ones belong to a call that outlived the grace period.
    const { slots } = await stack.nodeState();
    if (slots.running > 0 || (await stack.nodeTokens()).input > input) lateCalls++;
    for (const id of [...open]) {
      const { state } = await readRun(stack, id);
      if (state === "completed") open.delete(id);
      else if (state !== "cancelled") stuck.push(`${id} is ${state} after it was cancelled`);
      else if ((await changeRun(stack, id, "resume")) !== 202) stuck.push(`${id} can't be resumed`);
    }
    cancelled += hit.length;
  }
  const isDone = async (id: string) => (await readRun(stack, id)).ended_at !== null;
  const haveEnded = async () => (await Promise.all([...open].map(isDone))).every(Boolean);
  await until("all runs have ended", haveEnded, 120_000).catch((error) => stuck.push(String(error)));
  const check = await checkResults(stack, runs * SAMPLES);
  const row = { cancelled, runs, lateCalls, lostResults, stuck, ...check };
  const isKept = areResultsIntact(check) && lateCalls === 0 && lostResults === 0 && stuck.length === 0;
  isBroken = !isKept;
  console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify(row)}`);
} finally {
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
