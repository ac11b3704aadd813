import type { ResultFigure } from "../../../db/result-figures";
import type { ScoreFigure } from "../../../db/results";
import { TextList } from "../../../lib/text-list";
import type { NewSample } from "../../datasets/contract";
import type { Criterion, Output, RunFigures, RunInfo, Score } from "../../evals/contract";
import { countsOf, type FigurePage, figuresFrom } from "../../evals/summary";
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

/** The parts of a result that figures need. Its scores are the number of their kind, their value and their verdict. */
interface KeptResult extends Omit<ResultFigure, "id" | "sampleKey" | "repeat"> {
  scores: [kind: number, value: number | null, passed: boolean | null][];
}
type ScoreKind = Pick<ScoreFigure, "metric" | "evaluator" | "criterionHash" | "shadow">;

/** Results per page of figures. */
const PAGE = 2000;

/**
 * Collects the parts of results that figures need, and computes a run's figures from them. They are kept as JSON in
 * bytes: as objects, they would take several times the memory.
 */
export class FigureCollector {
  readonly #keys = new TextList();
  readonly #repeats: number[] = [];
  readonly #results = new TextList();
  readonly #kinds = new Map<string, number>();
  readonly #criteria = new Map<string, Criterion>();
  readonly #labels: { resultId: string; metric: string; value: number }[] = [];
  readonly #counts = { done: 0, errors: 0, judged: 0, passed: 0, running: 0, promptTokens: 0, completionTokens: 0 };
  readonly #failures: Record<string, number> = {};
  #workedMs = 0;

  add({ sample, result, output, scores, outcome }: CheckedResult): void {
    const { sample_key: key, repeat, state, labels } = result;
    const { passed, failure, overall } = outcome;
    const latency = output?.cache?.status === "miss" || output?.cache?.status === "bypass" ? output.latency : null;
    for (const { metric, value, replaced_at: replaced } of labels) {
      if (replaced === null) this.#labels.push({ resultId: idOf(this.#repeats.length), metric, value });
    }
    this.#keys.add(key);
    this.#repeats.push(repeat);
    const kept: KeptResult = {
      ...{ group: sample.group ?? null, tags: sample.tags ?? [], state, passed, overall },
      queueMs: latency?.queue ?? null,
      ttftMs: latency?.ttft ?? null,
      totalMs: latency?.total ?? null,
      scores: scores.map((score) => [this.#kindOf(score), score.value, score.passed]),
    };
    this.#results.add(JSON.stringify(kept));
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

  #kindOf({ metric, evaluator, shadow, criterion, criterion_hash: criterionHash }: Score): number {
    this.#criteria.getOrInsert(criterionHash, criterion);
    const kind: ScoreKind = { metric, evaluator, criterionHash, shadow };
    return this.#kinds.getOrInsert(JSON.stringify(kind), this.#kinds.size);
  }

  /** All results in the order of `FigureSource`. */
  *#pages(): Generator<FigurePage> {
    const kinds = [...this.#kinds.keys()].map((kind) => JSON.parse(kind) as ScoreKind);
    const order = Uint32Array.from(this.#repeats.keys()).sort(
      (a, b) => this.#keys.compare(a, b) || (this.#repeats[a] ?? 0) - (this.#repeats[b] ?? 0),
    );
    for (let from = 0; from < order.length; from += PAGE) {
      const page: FigurePage = { results: [], scores: [] };
      for (const place of order.subarray(from, from + PAGE)) {
        const { scores, ...result } = JSON.parse(this.#results.at(place)) as KeptResult;
        const id = idOf(place);
        page.results.push({ ...result, id, sampleKey: this.#keys.at(place), repeat: this.#repeats[place] ?? 0 });
        for (const [kind, value, passed] of scores) {
          const known = kinds[kind];
          if (known) page.scores.push({ ...known, resultId: id, value, passed });
        }
      }
      yield page;
    }
  }

  /** The figures. Those that can't be recomputed are copied from `stored`. `onGarbage`: see `figuresFrom`. */
  async figures({ state, pins }: RunInfo, stored: RunFigures, onGarbage: () => void): Promise<RunFigures> {
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
        pages: this.#pages(),
        labels: this.#labels,
        criteria: async () => this.#criteria,
      },
      pins,
      onGarbage,
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

/** Identifies a result among the collected ones. */
const idOf = (place: number): string => String(place);
