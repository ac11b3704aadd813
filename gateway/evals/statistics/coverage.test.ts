import { describe, expect, test } from "bun:test";
import { inGroups, SCENARIOS } from "../../../tests/statistics/scenarios";
import { normal, simulateCoverage, times, uniform } from "../../../tests/statistics/simulate";
import { comparePairs, mcnemarExact } from "./paired";
import { createRandom, type Random } from "./random";

describe("95 % intervals contain the true value in about 95 % of runs", () => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))("%s", (_, scenario) => {
    const { covered } = simulateCoverage(scenario.truth, scenario.trials, scenario.simulate);
    expect(covered).toBeGreaterThan(scenario.minCovered);
  });

  test("Student's interval for normal values contains it in exactly 95 %", () => {
    const exact = SCENARIOS.filter(({ name }) => name.startsWith("Student's t") && name.includes("normal"));
    expect(exact.length).toBeGreaterThan(0);
    for (const { truth, simulate } of exact)
      expect(simulateCoverage(truth, 3000, simulate).covered).toBeLessThan(0.965);
  });
});

describe("a test at 0.05 finds a difference between two equal runs", () => {
  const falseFindings = (trials: number, compare: (random: Random) => number): number => {
    const random = createRandom(20261126);
    return times(trials, () => compare(random)).filter((p) => p < 0.05).length / trials;
  };

  test("in at most 5 of 100 comparisons of verdicts, with McNemar's test", () => {
    const found = falseFindings(2000, (random) => {
      const changes = times(60, () => Number(uniform(random) < 0.7) - Number(uniform(random) < 0.7));
      return mcnemarExact(changes.filter((change) => change > 0).length, changes.filter((change) => change < 0).length);
    });
    expect(found).toBeLessThan(0.05);
    expect(found).toBeGreaterThan(0.01);
  });

  test.each([
    [8, "paired_t", 3000, 0.06],
    [40, "paired_bootstrap", 400, 0.08],
  ] as const)("in about 5 of 100 comparisons of %d scores, with %s", (n, name, trials, most) => {
    const found = falseFindings(trials, (random) => {
      const level = times(n, () => uniform(random));
      const [a = [], b = []] = [0, 1].map(() => level.map((base) => base + 0.2 * normal(random)));
      const comparison = comparePairs(a, b);
      expect(comparison?.test).toBe(name);
      return comparison?.p ?? 0;
    });
    expect(found).toBeLessThan(most);
  });

  test("in about 5 of 100 comparisons over groups, and far more often if groups are ignored", () => {
    const compare = (isTold: boolean) => (random: Random) => {
      const items = inGroups(random, 30, (shared, group) => ({ b: shared - 0.5 + 0.1 * normal(random), group }));
      const b = items.map((item) => item.b);
      const groups = isTold ? items.map(({ group }) => group) : undefined;
      return (
        comparePairs(
          times(b.length, () => 0),
          b,
          { groups },
        )?.p ?? 0
      );
    };
    expect(falseFindings(200, compare(true))).toBeLessThan(0.09);
    expect(falseFindings(60, compare(false))).toBeGreaterThan(0.25);
  });
});
