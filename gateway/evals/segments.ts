import type { ResultFigure } from "../../db/result-figures";
import type { RunFigures } from "./contract";
import { summarizeCriterion } from "./statistics/criterion";
import { mean } from "./statistics/interval";
import { percentiles } from "./statistics/percentiles";
import type { Segment, VerdictSummary } from "./statistics-contract";

/** Maximum number of tags, and of groups, with figures of their own. */
const MAX_SEGMENTS = 50;

const isEnded = ({ state }: ResultFigure): boolean => state === "done" || state === "error";

const summarize = (results: readonly ResultFigure[]) =>
  summarizeCriterion(
    results.map(({ sampleKey: sampleId, group, passed }) => ({
      ...{ sampleId, group, passed },
      value: passed === null ? null : Number(passed),
      label: null,
    })),
    { range: [0, 1] },
  );

/** The verdicts of all ended results; null if there is none. */
export const verdictSummaryOf = (results: readonly ResultFigure[]): VerdictSummary | null => {
  const { n, errors, pass_rate, clusters, bounds, pass_at_k, detectable_difference } = summarize(
    results.filter(isEnded),
  );
  return n === 0 ? null : { n, errors, pass_rate, clusters, bounds, pass_at_k, detectable_difference };
};

const SHARES = [0.5, 0.95, 0.99];

const percentilesOf = (values: readonly (number | null)[]) => {
  const [p50 = 0, p95 = 0, p99 = 0] = percentiles(
    values.map((value) => value ?? 0),
    SHARES,
  );
  return { p50, p95, p99 };
};

/** Latencies of the outputs that a model generated for the run; null if there are none. */
export const latencyOf = (results: readonly ResultFigure[]): RunFigures["latency"] => {
  const made = results.filter(({ totalMs }) => totalMs !== null);
  if (made.length === 0) return null;
  return {
    n: made.length,
    queue: percentilesOf(made.map(({ queueMs }) => queueMs)),
    ttft: percentilesOf(made.map(({ ttftMs }) => ttftMs)),
    total: percentilesOf(made.map(({ totalMs }) => totalMs)),
  };
};

/** Figures by tag and by group: the largest ones, most results first. */
export const segmentsOf = (results: readonly ResultFigure[]): Segment[] => {
  const tags = new Map<string, ResultFigure[]>();
  const groups = new Map<string, ResultFigure[]>();
  for (const result of results.filter(isEnded)) {
    for (const tag of new Set(result.tags)) tags.getOrInsertComputed(tag, () => []).push(result);
    if (result.group !== null) groups.getOrInsertComputed(result.group, () => []).push(result);
  }
  return [...largest("tag", tags), ...largest("group", groups)];
};

const largest = (kind: Segment["kind"], byName: ReadonlyMap<string, ResultFigure[]>): Segment[] =>
  [...byName]
    .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .slice(0, MAX_SEGMENTS)
    .map(([name, results]) => {
      const { n, pass_rate } = summarize(results);
      const scored = results.flatMap(({ overall }) => (overall === null ? [] : [overall]));
      return {
        ...{ kind, name, n, pass_rate },
        results: results.length,
        errors: results.filter(({ passed }) => passed === null).length,
        mean: scored.length === 0 ? null : mean(scored),
      };
    });
