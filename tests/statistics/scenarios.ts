import { aurocByCluster } from "../../gateway/evals/statistics/auroc";
import { bcaInterval, bootstrap } from "../../gateway/evals/statistics/bootstrap";
import { agreementKappa, correctedRate } from "../../gateway/evals/statistics/calibration";
import { clustersOf } from "../../gateway/evals/statistics/clusters";
import type { Decision } from "../../gateway/evals/statistics/confusion";
import { estimateMean } from "../../gateway/evals/statistics/estimate";
import type { Random } from "../../gateway/evals/statistics/random";
import type { Interval } from "../../gateway/evals/statistics-contract";
import { normal, times, uniform } from "./simulate";

/** Simulated data with a known true value. */
export interface Scenario {
  name: string;
  truth: number;
  /** Simulates the data once and returns the 95 % interval. */
  simulate: (random: Random) => Interval | null;
  /** For a test: the number of simulations, and the minimum fraction of intervals that contain the true value. */
  trials: number;
  minCovered: number;
}

const RATE = { range: [0, 1] } as const;

/** Groups of one to nine items. `make` gets the random value that the group shares. */
export const inGroups = <T>(random: Random, groups: number, make: (shared: number, group: string) => T): T[] =>
  times(groups, (group) => {
    const shared = uniform(random);
    return times(1 + random.nextBelow(9), () => make(shared, `${group}`));
  }).flat();

/** True with probability `rate`. Half of the items use their group's random value instead of their own. */
const dependent = (random: Random, shared: number, rate: number): boolean =>
  (uniform(random) < 0.5 ? shared : uniform(random)) < rate;

/** A score like an evaluator's: 70 % are 1, 10 % are 0, the others in between. The mean is 0.8. */
const score = (random: Random): number => {
  const place = uniform(random);
  return place < 0.7 ? 1 : place < 0.8 ? 0 : uniform(random);
};

/** Labels with the rate `rate`, and decisions with a sensitivity of 85 % and a specificity of 80 %. */
const decide = (random: Random, shared: number, group: string | null, rate = 0.6): Decision => {
  const label = dependent(random, shared, rate);
  return { label, decision: uniform(random) < (label ? 0.85 : 0.2), group };
};
/** At a rate of 0.6 they agree in 0.83 of the cases, and in 0.518 by chance. */
const TRUE_KAPPA = (0.83 - 0.518) / (1 - 0.518);

const wilson = (rate: number, n: number, minCovered: number): Scenario => ({
  name: `Wilson: rate ${rate}, ${n} samples`,
  truth: rate,
  simulate: (random) =>
    estimateMean(
      times(n, () => Number(uniform(random) < rate)),
      RATE,
    ).interval,
  trials: 3000,
  minCovered,
});

const clusteredRate = (rate: number, groups: number, minCovered: number): Scenario => ({
  name: `cluster-robust: rate ${rate}, ${groups} groups`,
  truth: rate,
  simulate: (random) => {
    const items = inGroups(random, groups, (shared, group) => ({ passed: dependent(random, shared, rate), group }));
    const values = items.map(({ passed }) => Number(passed));
    return estimateMean(values, { ...RATE, groups: items.map(({ group }) => group) }).interval;
  },
  trials: 1000,
  minCovered,
});

const student = (n: number): Scenario => ({
  name: `Student's t: ${n} normal values`,
  truth: 3,
  simulate: (random) => estimateMean(times(n, () => 3 + normal(random))).interval,
  trials: 3000,
  minCovered: 0.935,
});

const scores = (n: number): Scenario => ({
  name: `${n < 20 ? "Student's t" : "BCa bootstrap"}: ${n} scores, most of them 1`,
  truth: 0.8,
  simulate: (random) =>
    estimateMean(
      times(n, () => score(random)),
      RATE,
    ).interval,
  trials: 300,
  minCovered: n < 20 ? 0.88 : 0.92,
});

const clusteredMean = (groups: number): Scenario => ({
  name: `cluster-robust: mean, ${groups} groups`,
  truth: 0.5,
  simulate: (random) => {
    const items = inGroups(random, groups, (shared, group) => ({ value: shared + 0.3 * normal(random), group }));
    return estimateMean(
      items.map(({ value }) => value),
      { groups: items.map(({ group }) => group) },
    ).interval;
  },
  trials: 1000,
  minCovered: 0.92,
});

const kappa = (n: number): Scenario => ({
  name: `kappa: ${n} labels`,
  truth: TRUE_KAPPA,
  simulate: (random) => agreementKappa(times(n, () => decide(random, uniform(random), null)))?.interval ?? null,
  trials: 200,
  minCovered: 0.91,
});

const clusteredKappa = (groups: number): Scenario => ({
  name: `kappa: ${groups} groups`,
  truth: TRUE_KAPPA,
  simulate: (random) =>
    agreementKappa(inGroups(random, groups, (shared, group) => decide(random, shared, group)))?.interval ?? null,
  trials: 200,
  minCovered: 0.91,
});

/** The scores of the classes are normally distributed, one standard deviation apart. */
const clusteredAuroc = (groups: number): Scenario => ({
  name: `AUROC: ${groups} groups`,
  truth: 0.7602499389065233,
  simulate: (random) => {
    const items = inGroups(random, groups, (shared, group) => {
      const label = dependent(random, shared, 0.6);
      return { label, score: Number(label) + normal(random), group };
    });
    const clusters = clustersOf(items.map(({ group }) => group));
    const compute = aurocByCluster(
      items.map(({ label }) => label),
      items.map((item) => item.score),
      clusters,
    );
    const [distribution] = bootstrap(clusters.count, (drawn) => [compute(drawn)]);
    return bcaInterval(distribution, clusters);
  },
  trials: 100,
  minCovered: 0.89,
});

const corrected = (rate: number, labels: number, minCovered: number): Scenario => ({
  name: `corrected pass rate: ${rate}, 400 results, ${labels} labels`,
  truth: rate,
  simulate: (random) => {
    const results = times(400, (i) => {
      const result = decide(random, uniform(random), null, rate);
      return i < labels ? result : { ...result, label: null };
    });
    return correctedRate(results)?.interval ?? null;
  },
  trials: 100,
  minCovered,
});

export const SCENARIOS: readonly Scenario[] = [
  wilson(0.5, 20, 0.94),
  wilson(0.9, 30, 0.94),
  wilson(0.97, 100, 0.93),
  wilson(0.999, 40, 0.94),
  clusteredRate(0.5, 20, 0.92),
  clusteredRate(0.8, 30, 0.92),
  clusteredRate(0.95, 50, 0.86),
  student(2),
  student(5),
  student(12),
  scores(12),
  scores(20),
  scores(60),
  clusteredMean(8),
  clusteredMean(20),
  kappa(40),
  kappa(1000),
  clusteredKappa(25),
  clusteredAuroc(30),
  corrected(0.6, 40, 0.87),
  corrected(0.6, 80, 0.88),
  corrected(0.9, 50, 0.8),
];
