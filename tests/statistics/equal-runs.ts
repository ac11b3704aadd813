import { compareRuns } from "../../gateway/compare/comparison";
import { Column, type RunTable, type Scored, scaleOf } from "../../gateway/compare/table";
import type { RunPins } from "../../gateway/evals/contract";
import { BUILT_IN_CRITERIA, criterionHash } from "../../gateway/evals/rubric";
import { createRandom, type Random } from "../../gateway/evals/statistics/random";
import { times, uniform } from "./simulate";

/* Simulated runs of equal models on the same samples, compared as the API does. A run of this file prints the shares. */

interface EqualRuns {
  name: string;
  samples: number;
  repeats?: number;
  /** Samples per group; default: independent. */
  groupSize?: number;
  /** Share of results that are errors. */
  errors?: number;
  /** verdicts: the scores are 0 and 1, as exact@1 gives. scores: any value, as reference@1 gives. */
  kind: "verdicts" | "scores";
}

const EQUAL_RUNS: readonly EqualRuns[] = [
  { name: "20 verdicts", samples: 20, kind: "verdicts" },
  { name: "200 verdicts", samples: 200, kind: "verdicts" },
  { name: "20 scores", samples: 20, kind: "scores" },
  { name: "60 scores", samples: 60, kind: "scores" },
  { name: "200 scores", samples: 200, kind: "scores" },
  { name: "50 samples × 3 repeats", samples: 50, repeats: 3, kind: "scores" },
  { name: "25 groups of 4", samples: 100, groupSize: 4, kind: "scores" },
  { name: "12 groups of 5", samples: 60, groupSize: 5, kind: "verdicts" },
  { name: "100 scores, 5 % errors", samples: 100, errors: 0.05, kind: "scores" },
];

const [CRITERION] = BUILT_IN_CRITERIA;
if (!CRITERION) throw new Error("There are no built-in criteria.");
const SCALE = {
  ...{ metric: CRITERION.name, evaluator: "reference@1", evaluatorHash: "e", judge: null },
  criterionHash: criterionHash(CRITERION),
};

/** A run in which sample `i` passes with the probability `chances[i]`; results of a group depend on each other. */
const simulateRun = (random: Random, chances: readonly number[], runs: EqualRuns): RunTable => {
  const { samples, repeats = 1, groupSize, errors = 0, kind } = runs;
  const scored: Scored = { ...SCALE, criterion: CRITERION, decides: true, values: new Column(), passes: new Column() };
  const passes = new Column();
  const failed = times(samples, () => 0);
  let shared = uniform(random);
  for (let sample = 0; sample < samples; sample++) {
    if (groupSize && sample % groupSize === 0) shared = uniform(random);
    for (let repeat = 0; repeat < repeats; repeat++) {
      if (uniform(random) < errors) {
        failed[sample] = (failed[sample] ?? 0) + 1;
        continue;
      }
      const luck = groupSize && uniform(random) < 0.5 ? shared : uniform(random);
      const isPassed = luck < (chances[sample] ?? 0);
      const value =
        kind === "verdicts" ? Number(isPassed) : isPassed ? 1 - 0.3 * uniform(random) ** 2 : 0.6 * uniform(random);
      scored.values.add(sample, value);
      scored.passes.add(sample, Number(isPassed));
      passes.add(sample, Number(isPassed));
    }
  }
  const pins = { dataset: null, target: { kind: "chat" }, repeats } as unknown as RunPins;
  return {
    run: { id: "run_1", name: "a run", state: "completed", datasetId: "ds_1", pins },
    changes: 0,
    expected: { samples, results: samples * repeats },
    keys: times(samples, String),
    sampleIds: times(samples, String),
    groups: times(samples, (sample) => (groupSize ? `${Math.floor(sample / groupSize)}` : null)),
    tags: times(samples, () => []),
    results: times(samples, () => repeats),
    errors: failed,
    failed: failed.reduce((sum, each) => sum + each, 0),
    invalid: 0,
    ...{ passes, took: new Column() },
    scored: new Map([[scaleOf(SCALE), scored]]),
    ...{ latency: null, tokens: null, times: { total: new Float64Array(), ttft: new Float64Array() } },
  };
};

/** The share of `trials` comparisons of two equal models that are called different. */
const shareCalledDifferent = (runs: EqualRuns, trials: number): number => {
  const random = createRandom(20261126);
  let different = 0;
  for (let trial = 0; trial < trials; trial++) {
    // Some samples are easy, some are hard.
    const chances = times(runs.samples, () => uniform(random) ** 0.5);
    const [baseline, run] = [simulateRun(random, chances, runs), simulateRun(random, chances, runs)];
    const [compared] = compareRuns(baseline, [run]);
    if (compared?.verdict !== "not_shown") different++;
  }
  return different / trials;
};

/** Compares `trials` pairs of equal models for each kind of runs. */
export const findFalseDifferences = (trials: number): { name: string; share: number }[] =>
  EQUAL_RUNS.map((runs) => ({ name: runs.name, share: shareCalledDifferent(runs, trials) }));

if (import.meta.main) {
  const total = Number(process.argv[2] ?? 10_000);
  const found = findFalseDifferences(Math.ceil(total / EQUAL_RUNS.length));
  for (const { name, share } of found) console.log(`${name.padEnd(26)} ${(share * 100).toFixed(2)} % called different`);
  const all = found.reduce((sum, { share }) => sum + share, 0) / found.length;
  console.log(
    `${"all".padEnd(26)} ${(all * 100).toFixed(2)} % of ${total} comparisons of equal models called different`,
  );
}
