import { insertPendingResults, updateBatchRun } from "../db/batch-evals";
import type { Db } from "../db/client";
import { insertScoreRows, type NewScoreRow } from "../db/results";
import { insertRun, type RunRow } from "../db/runs";
import { insertSamples } from "../db/samples";
import { results } from "../db/schema";
import { sampleRow } from "../gateway/datasets/content";
import type { FailureKind, RunPins, SampleResult } from "../gateway/evals/contract";
import { criteriaOf, criterionHash } from "../gateway/evals/rubric";
import { newId } from "../lib/ids";

export interface SeededRun {
  name?: string;
  state?: RunRow["state"];
  samples?: number;
  repeats?: number;
  /** Ended results; default: all. */
  done?: number;
  dataset?: { id: string; name: string; revision: number };
  tags?: string[];
  createdAt?: Date;
  createdBy?: string;
  error?: RunRow["error"];
  pins?: Partial<RunPins>;
  /** Shifts which samples pass, so that two runs differ. */
  shift?: number;
  /** Hash of the evaluator that decides the verdicts. */
  evaluatorHash?: string;
}

const TOPICS = ["opening hours", "prices", "allergens", "orders", "deliveries"];
const QUESTION = (n: number) => `When does branch ${n} open on holidays, and what does a loaf of rye cost there?`;
const EXPECTED = (n: number) =>
  `Branch ${n} opens at ${6 + (n % 4)}:30, and a loaf of rye costs ${3 + (n % 3)}.20 euros.`;
const WRONG = (n: number) => `Branch ${n} opens at noon, and a loaf of rye costs ${3 + (n % 3)}.20 euros.`;

type Outcome = Pick<SampleResult, "state" | "passed" | "failure">;

/** The outcome of a sample: about 70 % pass, 2 % are errors, and the others fail in several ways. */
const outcomeOf = (n: number, shift: number): Outcome => {
  const at = (n * 37 + shift * 11) % 100;
  if (at < 2) return { state: "error", passed: null, failure: at === 0 ? "timeout" : "upstream_error" };
  if (at < 72) return { state: "done", passed: true, failure: null };
  const kinds: FailureKind[] = ["wrong", "wrong", "unsupported", "refused", "truncated"];
  return { state: "done", passed: false, failure: kinds[at % kinds.length] ?? "wrong" };
};

/** Results written in one transaction. */
const BLOCK = 2000;

/** Stores a run as the jobs worker would, in any state, with results, scores by two evaluators, and counts. */
export const seedRun = async (db: Db, run: SeededRun = {}): Promise<string> => {
  const { state = "completed", samples = 40, repeats = 1, createdAt = new Date(), shift = 0 } = run;
  const { evaluatorHash = "a".repeat(64) } = run;
  const id = newId("run");
  const total = samples * repeats;
  const ended = run.done ?? (state === "queued" ? 0 : total);
  const [correctness] = criteriaOf({ criteria: ["correctness"] });
  if (!correctness) throw new Error("There are no built-in criteria.");
  const dataset = run.dataset ?? { id: "ds_bakery", name: "bakery", revision: 2 };
  const pins: RunPins = {
    dataset: { ...dataset, hash: "5".repeat(64) },
    target: { kind: "chat", model: "smollm2-135m-instruct", max_tokens: 64, temperature: 0 },
    ...{
      model_revision: "b179c9523d0e",
      node_version: "0.1.0",
      engine: "llama",
      prompt_hash: null,
      index_revision: null,
    },
    evaluators: [
      { evaluator: "reference@1", shadow: false, hash: evaluatorHash },
      { evaluator: "judge@1", shadow: true, hash: "b".repeat(64) },
    ],
    ...{ rubric: null, rubric_hash: null, seed: 7, repeats, code_version: "0.1.0", host: { cores: 16 } },
    ...run.pins,
  };
  const counts = {
    errors: 0,
    judged: 0,
    passed: 0,
    promptTokens: 0,
    completionTokens: 0,
    failures: {} as Record<string, number>,
  };

  const entryOf = (n: number, repeat: number, sample: { id: string; key: string }) => {
    const place = n * repeats + repeat;
    const isEnded = place < ended;
    // Every ninth sample varies between repeats.
    const outcome: Outcome = isEnded
      ? outcomeOf(n + (n % 9 === 0 ? repeat * 3 : 0), n % 6 === 0 ? shift : 0)
      : { state: state === "running" && place < ended + 4 ? "running" : "pending", passed: null, failure: null };
    const total = 180 + ((n * 53) % 900);
    const output =
      outcome.state === "done"
        ? {
            text: outcome.failure === "refused" ? "I can’t answer that." : outcome.passed ? EXPECTED(n) : WRONG(n),
            ...{ contexts: [], citations: [], finish_reason: outcome.failure === "truncated" ? "length" : "stop" },
            usage: { prompt_tokens: 40, completion_tokens: 24, total_tokens: 64 },
            latency: { queue: n % 30, ttft: 40 + (n % 60), total },
            ...{
              cache: { status: "miss", key: null, age_ms: null },
              model_revision: "b179c9523d0e",
              request_id: `req_${n}`,
            },
          }
        : null;
    const row = {
      ...outcome,
      id: newId("res"),
      ...{
        runId: id,
        sampleId: sample.id,
        sampleKey: sample.key,
        repeat,
        position: n,
        output,
        attempts: isEnded ? 1 : 0,
      },
      error:
        outcome.state === "error" ? { message: "The GPU node took too long to answer.", code: outcome.failure } : null,
      sequence: isEnded ? place + 1 : null,
      overall: output ? (outcome.passed ? 0.97 : 0.1 + (n % 30) / 100) : null,
      ...{ latencyMs: output ? total : null, endedAt: isEnded ? createdAt : null, createdAt },
    };
    if (isEnded) {
      counts.errors += Number(outcome.state === "error");
      counts.judged += Number(outcome.passed !== null);
      counts.passed += Number(outcome.passed === true);
      counts.promptTokens += output ? 40 : 0;
      counts.completionTokens += output ? 24 : 0;
      if (outcome.failure) counts.failures[outcome.failure] = (counts.failures[outcome.failure] ?? 0) + 1;
    }
    const score = {
      ...{ resultId: row.id, metric: "correctness", criterion: correctness, criterionHash: criterionHash(correctness) },
      ...{ state: "scored" as const, claims: [], votes: [], scoredAt: createdAt },
    };
    const scores: NewScoreRow[] = output
      ? [
          {
            ...{
              ...score,
              evaluator: "reference@1",
              evaluatorHash,
              shadow: false,
              passed: outcome.passed,
            },
            ...{
              value: outcome.passed ? 0.97 : 0.1 + (n % 30) / 100,
              reason: outcome.passed ? "The answer says what a reference says." : "The opening time differs.",
            },
          },
          {
            ...{
              ...score,
              evaluator: "judge@1",
              evaluatorHash: "b".repeat(64),
              shadow: true,
              passed: n % 8 === 0 ? !outcome.passed : outcome.passed,
            },
            ...{ value: outcome.passed === (n % 8 !== 0) ? 0.75 : 0.25, reason: "The judge compared both times." },
            judge: { model: "smollm2-135m-instruct", model_revision: "b179c9523d0e", temperature: 0, seed: 0 },
          },
        ]
      : [];
    return { row, scores };
  };

  await db.write(async (tx) => {
    await insertRun(tx, {
      ...{ id, kind: "batch", name: run.name ?? `${dataset.name}, smollm2-135m-instruct`, tags: run.tags ?? [], state },
      ...{
        pins: { ...pins },
        datasetId: dataset.id,
        createdBy: run.createdBy ?? "key_1",
        createdAt,
        settings: { max_concurrency: 16 },
      },
      startedAt: state === "queued" ? null : createdAt,
      endedAt: ["completed", "failed", "cancelled"].includes(state) ? new Date(createdAt.getTime() + 60_000) : null,
      error: run.error ?? null,
    });
  });
  for (let first = 0; first < samples; first += BLOCK) {
    await db.write(async (tx) => {
      const rows = Array.from({ length: Math.min(BLOCK, samples - first) }, (_, index) => {
        const n = first + index;
        const topic = TOPICS[n % TOPICS.length] ?? "";
        const { row } = sampleRow({
          ...{ key: `branch-${n}`, input: QUESTION(n), references: [EXPECTED(n)], contexts: [] },
          ...{ tags: [topic], group: `region ${n % 12}` },
        });
        return { n, row, key: `branch-${n}` };
      });
      await insertSamples(
        tx,
        rows.map(({ row }) => row),
      );
      const entries = rows.flatMap(({ n, row, key }) =>
        Array.from({ length: repeats }, (_, repeat) => entryOf(n, repeat, { id: row.id, key })),
      );
      for (let from = 0; from < entries.length; from += 500) {
        await tx.insert(results).values(entries.slice(from, from + 500).map(({ row }) => row));
      }
      // These exist already, so it only stores their tags.
      await insertPendingResults(
        tx,
        entries.map(({ row }) => row),
      );
      await insertScoreRows(
        tx,
        entries.flatMap(({ scores }) => scores),
      );
    });
  }
  await db.write(async (tx) => {
    const progress = {
      ...{
        total,
        created: total,
        nextPosition: samples,
        running: state === "running" ? Math.min(4, total - ended) : 0,
      },
      ...{
        done: ended,
        ...counts,
        workedMs: ended * 400,
        sequence: ended,
        deaths: 0,
        activeMs: ended * 120,
        perSecond: 8.3,
      },
    };
    await updateBatchRun(tx, id, { progress });
  });
  return id;
};
