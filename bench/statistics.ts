import { reportAgreement, type ScoredRow } from "../gateway/evals/agreement/report";
import { bootstrap, sumDrawn } from "../gateway/evals/statistics/bootstrap";
import { summarizeCriterion } from "../gateway/evals/statistics/criterion";
import { comparePairs } from "../gateway/evals/statistics/paired";
import { createRandom } from "../gateway/evals/statistics/random";
import { countProgress } from "../lib/progress";
import { SCENARIOS } from "../tests/statistics/scenarios";
import { simulateCoverage, times, uniform } from "../tests/statistics/simulate";

const TRIALS = 2000;
const ROUNDS = 5;
const RUN_SIZE = 100_000;

const random = createRandom(1);
const scores = times(RUN_SIZE, () => uniform(random));
const groups = times(RUN_SIZE, (i) => `document ${Math.floor(i / 5)}`);

/** A run of 100,000 samples, of which the first 100 are labelled. */
const results = scores.map((score, i) => ({
  sampleId: `${i}`,
  group: groups[i] ?? null,
  value: score,
  passed: score > 0.3,
  label: i < 100 ? score > 0.2 : null,
}));

const rows = times(500, (i): ScoredRow => {
  return { id: `${i}`, group: `${i % 100}`, label: i % 4 ? 1 : 0, score: scores[i] ?? 0 };
});

const CALCULATIONS: Record<string, () => unknown> = {
  "bootstrap of a mean, 10,000 values, 10,000 resamples": () => {
    const values = Float64Array.from(scores.slice(0, 10_000));
    return bootstrap(values.length, (drawn) => [sumDrawn(values, drawn) / drawn.length], { resamples: 10_000 });
  },
  "everything about one criterion, 100,000 samples in 20,000 groups, 100 labels": () =>
    summarizeCriterion(results, { range: [0, 1] }),
  "everything about one criterion, 100,000 independent samples, 100 labels": () =>
    summarizeCriterion(
      results.map((result) => ({ ...result, group: null })),
      { range: [0, 1] },
    ),
  "comparison of two runs, scores of 100,000 samples in 20,000 groups": () =>
    comparePairs(scores, scores.toReversed(), { groups }),
  "agreement report, 500 rows in 100 groups": () => reportAgreement(rows, 0.5),
};

const medianMs = (calculate: () => unknown): number => {
  const spans = times(ROUNDS, () => {
    const startMs = performance.now();
    calculate();
    return performance.now() - startMs;
  }).sort((a, b) => a - b);
  return Math.round(spans[Math.floor(ROUNDS / 2)] ?? 0);
};

/** Coverage of 95 % intervals in simulated runs, and the time for the statistics of large runs. */
export const statistics = async () => {
  const progress = countProgress("statistics", SCENARIOS.length + Object.keys(CALCULATIONS).length, "figures");
  const counted = <T>(figure: T): T => {
    progress.step();
    return figure;
  };
  return {
    coverage: SCENARIOS.map(({ name, truth, simulate }) =>
      counted({ name, ...simulateCoverage(truth, TRIALS, simulate) }),
    ),
    medianMs: Object.fromEntries(Object.entries(CALCULATIONS).map(([name, run]) => [name, counted(medianMs(run))])),
  };
};
