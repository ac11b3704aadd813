import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { bunCommand } from "../../gateway/cli/start/supervisor";
import { ServerProcess, Stack } from "../harness";
import { until } from "../until";
import { endAsNotRun } from "./tools";
import { uploadQuestions } from "./upload-questions";

/**
 * Sets the clock of a jobs worker an hour or a day forward or back while it runs a batch evaluation:
 * `bun run faults clock-jumps`, `bun tests/faults/clock-jumps.ts 20` for 20 jumps. A second worker starts just before,
 * and its clock stays right. Each sample must have one result, no duration may be negative, and every run must end.
 */

const JUMPS = Number(process.argv[2] ?? 8);
const OFFSETS_HOURS = [1, -1, 24, -24];
const SAMPLES = 200;
const MAX_RUN_MS = 90_000;

const library = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;
if (!(await Bun.file(library).exists())) endAsNotRun("faketime is not installed. Run: bun tests/faults/setup.ts");

const env = {
  GROUNDWIRE_JOBS_LEASE_MS: "5000",
  GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: "10",
  GROUNDWIRE_SYNTHETIC_TOKENS: "20",
  GROUNDWIRE_CACHE: "false",
};
// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const stack = await Stack.start({ engine: "synthetic", env });
const offset = join(stack.folder, "offset");
/** The worker reads the file at each call, so it is replaced whole. */
const setClock = async (hours: number): Promise<void> => {
  await writeFile(`${offset}.new`, `${hours < 0 ? "" : "+"}${hours * 3600}\n`);
  await rename(`${offset}.new`, offset);
};
await setClock(0);
const shifted = new ServerProcess(
  bunCommand("jobs/main.ts").slice(1),
  {
    ...stack.settings,
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  },
  stack.folder,
);

const json = async (path: string, init?: Parameters<Stack["fetch"]>[1]): Promise<Json> =>
  (await stack.fetch(path, init)).json();

let isBroken = false;
try {
  await shifted.says("worker is ready");
  await uploadQuestions(stack.url, SAMPLES);
  const stuck: string[] = [];
  let slowestMs = 0;
  for (let jump = 0; jump < JUMPS; jump++) {
    const hours = OFFSETS_HOURS[jump % OFFSETS_HOURS.length] ?? 1;
    const body = { dataset: "numbers", target: { kind: "chat" }, evaluators: ["exact@1"], seed: jump };
    const { id } = await json("/v1/batch-evals", { body });
    const progress = async () => (await json(`/v1/batch-evals/${id}`)) as Json;
    await until("the run has begun", async () => (await progress()).progress.done > 0, MAX_RUN_MS);
    const other = stack.spawnWorker();
    stack.workers[0] = other;
    await other.says("worker is ready");
    const startedAt = performance.now();
    await setClock(hours);
    const hasEnded = async () => (await progress()).ended_at !== null;
    await until("the run ends", hasEnded, MAX_RUN_MS).catch(() => stuck.push(`${id} at ${hours} h`));
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    await setClock(0);
    if (other.hasEnded || shifted.hasEnded) stuck.push(`a worker ended at ${hours} h`);
    await other.stop();
  }
  const database = createClient({ url: `file:${stack.folder}/data/groundwire.db` });
  const value = async (sql: string) => (await database.execute(sql)).rows[0]?.[0];
  const report = {
    jumps: JUMPS,
    stuck,
    slowestMs: Math.round(slowestMs),
    results: Number(await value("SELECT COUNT(*) FROM results WHERE state = 'done'")),
    lost: JUMPS * SAMPLES - Number(await value("SELECT COUNT(*) FROM results WHERE state IN ('done', 'error')")),
    errors: Number(await value("SELECT COUNT(*) FROM results WHERE state = 'error'")),
    duplicates: Number(
      await value("SELECT COUNT(*) - COUNT(DISTINCT run_id || sample_key || ' ' || repeat) FROM results"),
    ),
    deaths: Number(await value("SELECT SUM(json_extract(progress, '$.deaths')) FROM runs")),
    negative_latencies: Number(
      await value(
        "SELECT COUNT(*) FROM results WHERE json_extract(output, '$.latency.total') < 0 OR json_extract(output, '$.latency.ttft') < 0",
      ),
    ),
    runs_that_end_before_they_start: Number(await value("SELECT COUNT(*) FROM runs WHERE ended_at < started_at")),
    integrity: String(await value("PRAGMA integrity_check")),
  };
  database.close();
  console.log(JSON.stringify(report, null, 2));
  const { lost, errors, duplicates, negative_latencies, runs_that_end_before_they_start, integrity } = report;
  isBroken =
    stuck.length + lost + errors + duplicates + negative_latencies + runs_that_end_before_they_start > 0 ||
    integrity !== "ok";
  if (isBroken) console.log(shifted.output.split("\n").slice(-20).join("\n"));
} finally {
  await shifted.stop();
  await stack.stop();
}
process.exit(isBroken ? 1 : 0);
