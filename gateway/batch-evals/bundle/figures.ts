import type { ResultFigure } from "../../../db/result-figures";
import type { ScoreFigure } from "../../../db/results";
import type { NewSample } from "../../datasets/contract";
import type { Criterion, Output, RunFigures, RunInfo, Score } from "../../evals/contract";
import { countsOf, figuresFrom } from "../../evals/summary";
import type { outcomeOf } from "../../evals/verdict";
import type { BundleResult } from "./contract";

export interface CheckedResult {
  sample: NewSample;
  result: BundleResult;
  output: Output | null;
  /** With recomputed verdicts. */
  scores: Score[];
  /** Recomputed from the scores. */
  outcome: ReturnType<typeof outcomeOf>;
}

/** Collects the parts of results that figures need, without texts, and computes a run's figures from them. */
export class FigureCollector {
  readonly #results: ResultFigure[] = [];
  readonly #scores: ScoreFigure[] = [];
  readonly #criteria = new Map<string, Criterion>();
  readonly #labels: { resultId: string; metric: string; value: number }[] = [];
  readonly #counts = { done: 0, errors: 0, judged: 0, passed: 0, running: 0, promptTokens: 0, completionTokens: 0 };
  readonly #failures: Record<string, number> = {};
  #workedMs = 0;

  add({ sample, result, output, scores, outcome }: CheckedResult): void {
    const { id, sample_key: sampleKey, repeat, state, labels } = result;
    const group = sample.group ?? null;
    const { passed, failure, overall } = outcome;
    const latency = output?.cache?.status === "miss" || output?.cache?.status === "bypass" ? output.latency : null;
    this.#results.push({
      ...{ id, sampleKey, repeat, group, state, passed, overall },
      tags: sample.tags ?? [],
      queueMs: latency?.queue ?? null,
      ttftMs: latency?.ttft ?? null,
      totalMs: latency?.total ?? null,
    });
    for (const score of scores) this.#addScore(score, { resultId: id, sampleKey, group, failure });
    for (const { metric, value, replaced_at: replaced } of labels) {
      if (replaced === null) this.#labels.push({ resultId: id, metric, value });
    }
    const counts = this.#counts;
    counts.done += Number(state === "done" || state === "error");
    counts.errors += Number(state === "error");
    counts.running += Number(state === "running");
    counts.judged += Number(passed !== null);
    counts.passed += Number(passed);
    counts.promptTokens += output?.usage?.prompt_tokens ?? 0;
    counts.completionTokens += output?.usage?.completion_tokens ?? 0;
    if (failure !== null) this.#failures[failure] = (this.#failures[failure] ?? 0) + 1;
    if (latency) this.#workedMs += latency.total - latency.queue;
  }

  #addScore(score: Score, about: Pick<ScoreFigure, "resultId" | "sampleKey" | "group" | "failure">): void {
    const { metric, evaluator, shadow, value, passed, criterion, criterion_hash: criterionHash } = score;
    if (!this.#criteria.has(criterionHash)) this.#criteria.set(criterionHash, criterion);
    this.#scores.push({ ...about, metric, evaluator, criterionHash, shadow, value, passed });
  }

  /** The figures. Those that can't be recomputed are copied from `stored`. */
  async figures({ state, pins }: RunInfo, stored: RunFigures): Promise<RunFigures> {
    const { total, samples_per_second: rate, eta_seconds: eta } = stored.progress;
    const counts = countsOf(
      { state },
      {
        ...this.#counts,
        ...{ total, failures: this.#failures, workedMs: this.#workedMs },
        ...{ created: 0, nextPosition: 0, sequence: 0, deaths: 0, activeMs: 0, perSecond: 0 },
      },
    );
    const figures = await figuresFrom(
      {
        pages: [{ results: sorted(this.#results), scores: this.#scores }],
        labels: this.#labels,
        criteria: async () => this.#criteria,
      },
      pins,
    );
    const { gpu_seconds: gpuSeconds } = counts;
    return {
      ...{ ...counts, ...figures },
      progress: { ...counts.progress, samples_per_second: rate, eta_seconds: eta },
      // A sum of milliseconds depends on the order in which results end, and is rounded.
      gpu_seconds: Math.abs(gpuSeconds - stored.gpu_seconds) <= 0.0011 ? stored.gpu_seconds : gpuSeconds,
    };
  }
}

/** Sorts by the UTF-8 bytes of the keys, as the database does. */
const sorted = (results: readonly ResultFigure[]): ResultFigure[] =>
  results
    .map((result) => ({ result, key: Buffer.from(result.sampleKey) }))
    .sort((a, b) => Buffer.compare(a.key, b.key) || a.result.repeat - b.result.repeat)
    .map(({ result }) => result);
