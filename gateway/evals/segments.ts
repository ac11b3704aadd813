import type { ResultFigure } from "../../db/result-figures";
import type { RunFigures } from "./contract";
import { summarizeCriterion } from "./statistics/criterion";
import { CriterionScores } from "./statistics/criterion-scores";
import { mean } from "./statistics/interval";
import { percentiles } from "./statistics/percentiles";
import type { Segment, VerdictSummary } from "./statistics-contract";

/** Maximum number of tags, and of groups, with figures of their own. */
const MAX_SEGMENTS = 50;

const SHARES = [0.5, 0.95, 0.99];

const percentilesOf = (values: readonly number[]) => {
  const [p50 = 0, p95 = 0, p99 = 0] = percentiles(values, SHARES);
  return { p50, p95, p99 };
};

/** Latencies of the outputs that a model generated for the run, in milliseconds. */
export class Latencies {
  readonly queue: number[] = [];
  readonly ttft: number[] = [];
  readonly total: number[] = [];

  add({ queueMs, ttftMs, totalMs }: Pick<ResultFigure, "queueMs" | "ttftMs" | "totalMs">): void {
    if (totalMs === null) return;
    this.queue.push(queueMs ?? 0);
    this.ttft.push(ttftMs ?? 0);
    this.total.push(totalMs);
  }

  /** null if there are none. */
  summary(): RunFigures["latency"] {
    const { queue, ttft, total } = this;
    if (total.length === 0) return null;
    return {
      n: total.length,
      queue: percentilesOf(queue),
      ttft: percentilesOf(ttft),
      total: percentilesOf(total),
    };
  }
}

/** The verdicts of a run's ended results, in one list per field. */
export class Verdicts {
  readonly #samples: number[] = [];
  readonly #groups: (string | null)[] = [];
  readonly #tags: (readonly string[])[] = [];
  readonly #passed: (boolean | null)[] = [];
  readonly #overall: (number | null)[] = [];
  /** Every list of tags is kept once. */
  readonly #knownTags = new Map<string, readonly string[]>();

  /** `sample` and `group` are as in `CriterionScores.add`. */
  add(sample: number, group: string | null, { state, tags, passed, overall }: ResultFigure): void {
    if (state !== "done" && state !== "error") return;
    this.#samples.push(sample);
    this.#groups.push(group);
    this.#tags.push(this.#knownTags.getOrInsertComputed(JSON.stringify(tags), () => [...new Set(tags)]));
    this.#passed.push(passed);
    this.#overall.push(overall);
  }

  /** null if no result has a verdict. */
  summary(): VerdictSummary | null {
    const { n, errors, pass_rate, clusters, bounds, pass_at_k, detectable_difference } = this.#summarize(
      this.#samples.keys(),
    );
    return n === 0 ? null : { n, errors, pass_rate, clusters, bounds, pass_at_k, detectable_difference };
  }

  /** Figures by tag and by group: the largest ones, most results first. */
  segments(): Segment[] {
    return [
      ...this.#largest("tag", (result) => this.#tags[result] ?? []),
      ...this.#largest("group", (result) => {
        const group = this.#groups[result] ?? null;
        return group === null ? [] : [group];
      }),
    ];
  }

  #largest(kind: Segment["kind"], namesOf: (result: number) => readonly string[]): Segment[] {
    const sizes = new Map<string, number>();
    for (const result of this.#samples.keys())
      for (const name of namesOf(result)) sizes.set(name, (sizes.get(name) ?? 0) + 1);
    const largest = [...sizes].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, MAX_SEGMENTS);
    const results = new Map(largest.map(([name]) => [name, [] as number[]]));
    for (const result of this.#samples.keys()) for (const name of namesOf(result)) results.get(name)?.push(result);
    return [...results].map(([name, own]) => this.#segment(kind, name, own));
  }

  #segment(kind: Segment["kind"], name: string, results: readonly number[]): Segment {
    const { n, pass_rate } = this.#summarize(results);
    const scored = results.flatMap((result) => this.#overall[result] ?? []);
    return {
      ...{ kind, name, n, pass_rate },
      results: results.length,
      errors: results.filter((result) => this.#passed[result] === null).length,
      mean: scored.length === 0 ? null : mean(scored),
    };
  }

  #summarize(results: Iterable<number>) {
    const scores = new CriterionScores();
    for (const result of results) {
      const passed = this.#passed[result] ?? null;
      const value = passed === null ? null : Number(passed);
      scores.add(this.#samples[result] ?? -1, this.#groups[result] ?? null, { value, passed, label: null });
    }
    return summarizeCriterion(scores, { range: [0, 1] });
  }
}
