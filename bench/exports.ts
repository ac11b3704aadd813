import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { updateBatchRun } from "../db/batch-evals";
import { type Db, openDb } from "../db/client";
import { insertScoreRows, type NewResultRow, type NewScoreRow } from "../db/results";
import { insertRun } from "../db/runs";
import { insertSamples } from "../db/samples";
import { results } from "../db/schema";
import type { ExportQuery } from "../gateway/batch-evals/contract";
import { newProgress } from "../gateway/batch-evals/job";
import { sampleRow } from "../gateway/datasets/content";
import type { Output, RunPins } from "../gateway/evals/contract";
import { criteriaOf, criterionHash } from "../gateway/evals/rubric";
import { scoreExact } from "../gateway/evals/scorers/exact-evaluator";
import { outcomeOf } from "../gateway/evals/verdict";
import { createEvaluators } from "../gateway/evaluators/service";
import { silentLog } from "../lib/log";
import { watchGrowth } from "../tests/memory-growth";
import { KEY, startGateway } from "./processes";

const RESULTS = 100_000;
const BLOCK = 2000;
const RUN = "run_exported";
const CONTEXT = "Every branch opens at its own time, and prices depend on the flour that the mill delivered. ".repeat(
  10,
);
const FORMATS: NonNullable<ExportQuery["format"]>[] = ["jsonl", "csv", "parquet", "junit", "html", "bundle"];

/**
 * Exports a run with 100,000 results in every format and verifies the bundle: time, size, growth of the gateway's
 * memory, and the longest wait of another request.
 */
export const exportsOfRun = async () => {
  const gateway = await startGateway(4);
  const folder = await mkdtemp(join(tmpdir(), "groundwire-exports-"));
  try {
    const db = await openDb(
      { url: `file:${join(gateway.env.GROUNDWIRE_DATA_DIR ?? "", "groundwire.db")}` },
      silentLog(),
    );
    await seed(db);
    await db.close();
    const measured: Record<string, unknown> = {};
    // The first export also computes the figures, and loads code.
    await save(gateway.url, "html", join(folder, "first"));
    for (const format of FORMATS) {
      const growth = watchGrowth([gateway.pid]);
      const waits = watchWaits(gateway.url);
      const startedMs = performance.now();
      const bytes = await save(gateway.url, format, join(folder, format));
      const seconds = (performance.now() - startedMs) / 1000;
      measured[format] = {
        seconds: Math.round(seconds * 10) / 10,
        mb: Math.round(bytes / 1e5) / 10,
        grown_mib: Math.round(growth()[0] ?? 0),
        longest_wait_ms: Math.round(await waits()),
      };
    }
    measured.verify = await verify(join(folder, "bundle"));
    return { results: RESULTS, ...measured };
  } finally {
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

const save = async (url: string, format: string, path: string): Promise<number> => {
  const headers = { authorization: `Bearer ${KEY}` };
  const response = await fetch(`${url}/v1/batch-evals/${RUN}/export?format=${format}`, { headers });
  if (!response.ok) throw new Error(`The export returned ${response.status}: ${await response.text()}`);
  return Bun.write(path, response);
};

/** Sends small requests until the returned function is called. It returns the longest time that a request took. */
const watchWaits = (url: string): (() => Promise<number>) => {
  let [longest, isOver] = [0, false];
  const watching = (async () => {
    while (!isOver) {
      const startedMs = performance.now();
      await (await fetch(`${url}/healthz`)).text();
      longest = Math.max(longest, performance.now() - startedMs);
      await Bun.sleep(10);
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return longest;
  };
};

const verify = async (bundle: string) => {
  const startedMs = performance.now();
  const command = join(import.meta.dir, "../gateway/cli/verify.ts");
  const child = Bun.spawn([process.execPath, command, bundle], { stdout: "pipe", stderr: "ignore" });
  const code = await child.exited;
  if (code !== 0) throw new Error(`The verification ended with ${code}: ${await child.stdout.text()}`);
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  return { seconds, most_mib: Math.round((child.resourceUsage()?.maxRSS ?? 0) / 1_048_576) };
};

/** Stores a completed run in which two of three samples have a correct answer. */
const seed = async (db: Db): Promise<void> => {
  const [exact] = await createEvaluators({ db }).choose(["exact@1"]);
  const [criterion] = criteriaOf({ criteria: ["correctness"] });
  if (!exact || !criterion) throw new Error("exact@1 and correctness are built in.");
  const at = new Date();
  const pins: RunPins = {
    dataset: { id: "ds_exported", name: "branches", revision: 1, hash: "0".repeat(64) },
    target: { kind: "chat", model: "smollm2-135m-instruct", max_tokens: 64, temperature: 0 },
    ...{ model_revision: "1", node_version: "1", engine: "synthetic", prompt_hash: null, index_revision: null },
    evaluators: [{ evaluator: "exact@1", shadow: false, hash: exact.hash }],
    ...{ rubric: null, rubric_hash: null, seed: 0, repeats: 1, code_version: "1", host: {} },
  };
  const progress = newProgress(RESULTS);
  const times = { createdAt: at, startedAt: at, endedAt: at };
  const info = { id: RUN, kind: "batch" as const, name: "branches", state: "completed" as const, createdBy: "key_1" };
  await db.write((tx) => insertRun(tx, { ...info, pins: { ...pins }, settings: {}, progress, ...times }));
  for (let from = 0; from < RESULTS; from += BLOCK) {
    const made = Array.from({ length: BLOCK }, (_, n) => from + n).map((n) => {
      const sample = {
        ...{ key: `k${n}`, input: `When does branch ${n} open?`, references: [`At ${n % 24}:30.`] },
        ...{ contexts: [`Branch ${n} opens at ${n % 24}:30. ${CONTEXT}`], tags: [`hour ${n % 24}`] },
      };
      const text = n % 3 === 0 ? `At noon. ${CONTEXT}` : `At ${n % 24}:30.`;
      const output: Output = {
        ...{ text, contexts: sample.contexts, citations: [], finish_reason: "stop" },
        usage: { prompt_tokens: 300, completion_tokens: 20, total_tokens: 320 },
        latency: { queue: 1, ttft: 20 + (n % 50), total: 100 + (n % 300) },
        ...{ cache: { status: "miss" }, model_revision: "1", request_id: `req_${n}` },
      };
      const [scored] = scoreExact({ question: sample.input, ...sample, output: text });
      const passed = scored?.value === 1;
      const score: NewScoreRow = {
        ...{ resultId: `res_${n}`, metric: "correctness", evaluator: "exact@1", evaluatorHash: exact.hash },
        ...{ criterion, criterionHash: criterionHash(criterion), state: "scored", value: scored?.value, passed },
        ...{ reason: scored?.reason, claims: [], votes: [], shadow: false, scoredAt: at },
      };
      const { row } = sampleRow(sample);
      const verdict = {
        metric: "correctness",
        evaluator: "exact@1",
        criterion_hash: score.criterionHash,
        shadow: false,
      };
      const outcome = outcomeOf(output, [{ ...verdict, criterion, value: scored?.value ?? null, passed }], sample);
      const result: NewResultRow = {
        ...{ id: `res_${n}`, runId: RUN, sampleId: row.id, sampleKey: sample.key, position: n, sequence: n + 1 },
        ...{ state: "done", output: { ...output }, latencyMs: output.latency?.total, createdAt: at, endedAt: at },
        ...{ attempts: 1, ...outcome },
      };
      progress.done++;
      progress.judged++;
      progress.passed += Number(passed);
      progress.promptTokens += 300;
      progress.completionTokens += 20;
      progress.workedMs += (output.latency?.total ?? 0) - 1;
      if (outcome.failure) progress.failures[outcome.failure] = (progress.failures[outcome.failure] ?? 0) + 1;
      return { row, result, score };
    });
    await db.write(async (tx) => {
      await insertSamples(
        tx,
        made.map(({ row }) => row),
      );
      for (let n = 0; n < BLOCK; n += 100)
        await tx.insert(results).values(made.slice(n, n + 100).map((each) => each.result));
      await insertScoreRows(
        tx,
        made.map(({ score }) => score),
      );
    });
  }
  progress.created = RESULTS;
  await db.write((tx) => updateBatchRun(tx, RUN, { progress }));
};
