import { parseArgs } from "node:util";
import { createClient } from "@libsql/client";
import { openReads } from "../../db/client";
import { findRun } from "../../db/runs";
import { computeFigures } from "../../gateway/evals/summary";
import { startLibsqlServer } from "../db/libsql-server";
import { Stack } from "../harness";
import { until } from "../until";
import { uploadQuestions } from "./upload-questions";
import { type CountWatch, watchCounts } from "./watch-counts";

/**
 * Kills jobs workers with signal 9 at random moments while they run batch evaluations, and restarts them immediately:
 * `bun run faults`. At the end, every sample has one result per repeat, no score is stored twice, and the run's counts
 * and figures equal those of its rows. After every commit, the counts and tokens of the run equal those of its results.
 *
 *   bun tests/faults/batch-kill-nine.ts 200 1000 2               200 kills over 1,000 samples in two repeats
 *   bun tests/faults/batch-kill-nine.ts 50 --everything          gateway, node and worker are killed together
 *   bun tests/faults/batch-kill-nine.ts 50 --workers 4 --libsql  four workers on a libSQL server, a run for each
 */

/** Milliseconds from a start to the next kill, log-uniform. */
const LIFE_MS = [300, 3000] as const;
const lifeMs = (): number => LIFE_MS[0] * (LIFE_MS[1] / LIFE_MS[0]) ** Math.random();
/** An answer takes this long per token, so that a run outlives its kills. */
const TOKEN_MS = 5;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

interface BatchKillReport {
  kills: number;
  /** Kills while the run was in progress. */
  kills_during_runs: number;
  runs: number;
  results: number;
  /** Results on which a worker died, counted again for each death. */
  deaths: number;
  /** Samples and repeats without a result. */
  lost: number;
  /** Results that are errors: no kill may cause one. */
  errors: number;
  messages: string[];
  /** Results, or scores of a result on the same criterion, that exist twice. */
  duplicates: number;
  /** Results without scores. */
  unscored: number;
  /** Counts and figures of a run that differ from its rows. */
  wrong_counts: string[];
  /** Comparisons of a running evaluation's counts with its results, and the ones that differed. */
  comparisons: number;
  violations: string[];
  integrity: string;
  broken_references: number;
}

interface BatchKillOptions {
  kills: number;
  samples: number;
  repeats: number;
  workers: number;
  /** The processes share a libSQL server instead of a file. */
  isOnServer: boolean;
  /** Each kill hits gateway, node and all workers instead of one worker. */
  killsEverything: boolean;
}

export const batchKillNine = async (
  { kills, samples, repeats, workers, isOnServer, killsEverything }: BatchKillOptions,
  onKill: (done: number) => void = () => {},
): Promise<BatchKillReport> => {
  const server = isOnServer ? await startLibsqlServer() : undefined;
  const stack = await Stack.start({
    engine: "synthetic",
    workers,
    env: {
      GROUNDWIRE_JOBS_LEASE_MS: "1500",
      GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
      GROUNDWIRE_SYNTHETIC_TOKEN_MS: String(TOKEN_MS),
      GROUNDWIRE_SYNTHETIC_TOKENS: "8",
      ...(server && { LIBSQL_URL: server.url }),
    },
  });
  const url = server?.url ?? `file:${stack.folder}/data/groundwire.db`;
  let watch: CountWatch | undefined;
  try {
    await uploadQuestions(stack.url, samples);
    watch = watchCounts(url);
    const ids: string[] = [];
    const start = async () => {
      const body = { dataset: "numbers", target: { kind: "chat" }, evaluators: ["exact@1"], repeats, seed: ids.length };
      const { id } = (await (await stack.fetch("/v1/batch-evals", { body })).json()) as Json;
      ids.push(id);
      return id as string;
    };
    const isOpen = async (id: string) => {
      const run = (await (await stack.fetch(`/v1/batch-evals/${id}`)).json()) as Json;
      return run.ended_at === null;
    };
    const open = new Set<string>();
    const dropEnded = async () => {
      for (const id of open) if (!(await isOpen(id))) open.delete(id);
    };
    let killsDuringRuns = 0;
    for (let done = 0; done < kills; done++) {
      while (open.size < workers) open.add(await start());
      await Bun.sleep(lifeMs());
      await dropEnded();
      if (open.size > 0) killsDuringRuns++;
      await (killsEverything ? replaceAll(stack) : stack.replaceWorker(Math.floor(workers * Math.random())));
      onKill(done + 1);
    }
    await until("the last runs have ended", async () => dropEnded().then(() => open.size === 0), 300_000);
    const watched = await watch.stop();
    watch = undefined;
    return {
      kills,
      kills_during_runs: killsDuringRuns,
      ...watched,
      ...(await check(stack, url, ids, samples * repeats)),
    };
  } finally {
    await watch?.stop().catch(() => {});
    await stack.stop();
    await server?.stop();
  }
};

/** Kills all processes in random order, and starts them again. */
const replaceAll = async (stack: Stack): Promise<void> => {
  const all = [stack.gateway, stack.node, ...stack.workers];
  for (const process of all.sort(() => Math.random() - 0.5)) process.signal("SIGKILL");
  await Promise.all(all.map((process) => process.exited));
  const workers = stack.workers.map((_, index) => stack.replaceWorker(index));
  await Promise.all([stack.restartNode(), stack.restartGateway(), ...workers]);
};

const check = async (stack: Stack, url: string, ids: readonly string[], expected: number) => {
  const database = createClient({ url });
  const reads = await openReads({ url });
  const number = async (sql: string) => Number((await database.execute(sql)).rows[0]?.[0]);
  try {
    const wrongCounts: string[] = [];
    for (const id of ids) {
      let run: Json;
      await until("the run's figures are computed", async () => {
        run = await (await stack.fetch(`/v1/batch-evals/${id}`)).json();
        return !run.figures_stale;
      });
      const { rows } = await database.execute({ sql: COUNTS, args: [id] });
      const counted = JSON.stringify([...Object.values(rows[0] ?? {})]);
      const { progress, usage, failures, verdict } = run;
      const reported = [progress.done, progress.errors, progress.judged, usage.prompt_tokens, usage.completion_tokens];
      const all = JSON.stringify([
        ...reported,
        Object.values(failures as Record<string, number>).reduce((a, b) => a + b, 0),
      ]);
      if (all !== counted) wrongCounts.push(`${id}: ${all}, but its rows ${counted}`);
      const isDone = run.state === "completed" && progress.running === 0 && progress.done === expected;
      if (!isDone || verdict.pass_rate.value !== run.passed)
        wrongCounts.push(`${id} is ${run.state}: ${all}, ${run.error?.message}`);
      const row = await findRun(reads, id);
      const recomputed: Json = row && (await computeFigures(reads, row));
      for (const part of ["verdict", "statistics", "latency", "segments", "usage", "failures"]) {
        if (!Bun.deepEquals(run[part], recomputed?.[part])) wrongCounts.push(`${id}: ${part} differs when recomputed`);
      }
    }
    const results = await number("SELECT COUNT(*) FROM results WHERE state IN ('done', 'error')");
    return {
      runs: ids.length,
      results,
      deaths: await number("SELECT SUM(json_extract(progress, '$.deaths')) FROM runs"),
      lost: ids.length * expected - results,
      errors: await number("SELECT COUNT(*) FROM results WHERE state = 'error'"),
      messages: (await database.execute(MESSAGES)).rows.map((row) => String(row[0])),
      duplicates: await number(DUPLICATES),
      unscored: await number("SELECT COUNT(*) FROM results WHERE id NOT IN (SELECT result_id FROM scores)"),
      wrong_counts: wrongCounts,
      integrity: String((await database.execute("PRAGMA integrity_check")).rows[0]?.[0]),
      broken_references: (await database.execute("PRAGMA foreign_key_check")).rows.length,
    };
  } finally {
    database.close();
  }
};

/** The counts of a run, from its ended results. */
const COUNTS = `SELECT COUNT(*), SUM(state = 'error'), COUNT(passed),
  SUM(json_extract(output, '$.usage.prompt_tokens')), SUM(json_extract(output, '$.usage.completion_tokens')),
  COUNT(failure) FROM results WHERE run_id = ? AND state IN ('done', 'error')`;

const MESSAGES = "SELECT DISTINCT json_extract(error, '$.message') FROM results WHERE state = 'error' LIMIT 5";

const DUPLICATES = `SELECT
  (SELECT COUNT(*) - COUNT(DISTINCT run_id || sample_key || ' ' || repeat) FROM results)
  + (SELECT COUNT(*) - COUNT(DISTINCT result_id || evaluator || metric) FROM scores)`;

/** The guarantees that a report violates. */
export const brokenBy = (report: BatchKillReport): string[] => {
  const claims: [claim: string, isKept: boolean][] = [
    ["no result is lost", report.lost === 0 && report.unscored === 0],
    ["no result is stored twice", report.duplicates === 0],
    ["no kill causes an error", report.errors === 0],
    ["counts and figures equal the rows", report.wrong_counts.length === 0],
    ["counts equal the rows after every commit", report.violations.length === 0 && report.comparisons > 0],
    ["the database file is intact", report.integrity === "ok" && report.broken_references === 0],
    ["runs were interrupted", report.kills_during_runs >= report.kills / 2 && report.deaths > 0],
  ];
  return claims.filter(([, isKept]) => !isKept).map(([claim]) => claim);
};

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { workers: { type: "string" }, libsql: { type: "boolean" }, everything: { type: "boolean" } },
  });
  const [kills = 200, samples = 1000, repeats = 2] = positionals.map(Number);
  const { workers = "1", libsql: isOnServer = false, everything: killsEverything = false } = values;
  const isTerminal = process.stdout.isTTY;
  const options = { kills, samples, repeats, workers: Number(workers), isOnServer, killsEverything };
  const report = await batchKillNine(options, (done) => {
    if (isTerminal) process.stdout.write(`\r${done} of ${kills} kills`);
    else if (done % 20 === 0) console.log(`${done} of ${kills} kills`);
  });
  const broken = brokenBy(report);
  console.log(`${isTerminal ? "\n" : ""}${JSON.stringify(report, null, 2)}\n${broken.join("\n")}`);
  process.exit(broken.length === 0 ? 0 : 1);
}
