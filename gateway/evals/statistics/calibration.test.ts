import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { times, uniform } from "../../../tests/statistics/simulate";
import { agreementKappa, calibrate, correctRate } from "./calibration";
import type { Decision } from "./confusion";
import { createRandom } from "./random";

/** Results of a run. People would pass 60 % of them; the evaluator has a sensitivity of 90 % and a specificity of 80 %. */
const run = (size: number, labelled: number, seed = 1): Decision[] => {
  const random = createRandom(seed);
  return times(size, (i) => {
    const label = uniform(random) < 0.6;
    const decision = label ? uniform(random) < 0.9 : uniform(random) >= 0.8;
    return { decision, label: i < labelled ? label : null, group: null };
  });
};

const inGroups = (items: readonly Decision[], size: number): Decision[] =>
  items.map((item, i) => ({ ...item, group: `group ${Math.floor(i / size)}` }));

describe("an evaluator compared with people", () => {
  test("has agreement figures, and the pass rate that people would give", () => {
    const calibration = calibrate(run(2000, 200));
    expect(calibration?.labels).toBe(200);
    expect(calibration?.sensitivity?.interval?.method).toBe("wilson");
    expect(calibration?.specificity?.interval?.method).toBe("wilson");
    expect(calibration?.kappa?.interval?.method).toBe("bca_bootstrap");
    const { value, interval } = calibration?.corrected_pass_rate ?? {};
    // The raw rate is about 0.62.
    expect(value ?? 0).toBeGreaterThan(0.5);
    expect(value ?? 1).toBeLessThan(0.7);
    expect(interval?.method).toBe("bca_bootstrap");
  });

  test("groups widen the intervals", () => {
    const copies = run(60, 60).flatMap((item) => times(4, () => item));
    const [grouped, independent] = [calibrate(inGroups(copies, 4)), calibrate(copies)];
    expect(grouped?.kappa?.interval?.method).toBe("cluster_bootstrap");
    expect(grouped?.sensitivity?.interval?.method).toBe("cluster_robust");
    expect(grouped?.corrected_pass_rate?.interval?.method).toBe("cluster_bootstrap");
    const width = (low = 0, high = 0) => high - low;
    for (const figure of ["kappa", "sensitivity", "specificity"] as const) {
      const [wide, narrow] = [grouped?.[figure], independent?.[figure]];
      expect(wide?.value).toBe(narrow?.value ?? -1);
      expect(width(wide?.interval?.low, wide?.interval?.high)).toBeGreaterThan(
        1.5 * width(narrow?.interval?.low, narrow?.interval?.high),
      );
    }
  });

  test("more labels narrow the interval of the corrected rate; a longer run hardly does", () => {
    const width = (items: readonly Decision[]) => {
      const { low = 0, high = 1 } = calibrate(items)?.corrected_pass_rate?.interval ?? {};
      return high - low;
    };
    expect(width(run(1000, 400))).toBeLessThan(0.7 * width(run(1000, 60)));
    expect(width(run(8000, 60))).toBeGreaterThan(0.6 * width(run(1000, 60)));
  });

  test("with fewer than 30 labels there are no figures", () => {
    expect(calibrate(run(500, 29))).toBeNull();
    expect(calibrate(run(500, 30))).not.toBeNull();
  });

  test("an evaluator that guesses has no corrected rate", () => {
    const random = createRandom(2);
    const guesses = times(400, (i) => ({
      decision: uniform(random) < 0.5,
      label: i < 60 ? i % 2 === 0 : null,
      group: null,
    }));
    expect(calibrate(guesses)?.corrected_pass_rate).toBeNull();
    expect(calibrate(guesses)?.kappa).not.toBeNull();
  });

  test("labels of a single class give neither a specificity nor a corrected rate", () => {
    const passed = times(40, (i) => ({ decision: i > 3, label: true, group: null }));
    expect(calibrate(passed)).toMatchObject({
      specificity: null,
      sensitivity: { value: 0.9 },
      corrected_pass_rate: null,
    });
  });

  test("perfect agreement is a kappa of 1 without an interval", () => {
    const agreed = times(40, (i) => ({ decision: i % 2 === 0, label: i % 2 === 0, group: null }));
    expect(agreementKappa(agreed)).toEqual({ value: 1, interval: null });
  });

  test("kappa of a thousand independent results has its large-sample interval", () => {
    const { value, interval } = agreementKappa(run(1000, 1000)) ?? {};
    expect(interval?.method).toBe("asymptotic");
    expect(agreementKappa(run(999, 999))?.interval?.method).toBe("bca_bootstrap");
    expect(value ?? 0).toBeGreaterThan(interval?.low ?? 1);
  });
});

test("the correction recovers a known rate from a known evaluator", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, share, (rate, found, spared) => {
      const confusion = {
        truePositives: found,
        falseNegatives: 1 - found,
        trueNegatives: spared,
        falsePositives: 1 - spared,
      };
      const raw = rate * found + (1 - rate) * (1 - spared);
      const corrected = correctRate(raw, confusion);
      if (found + spared > 1.01) expect(corrected).toBeCloseTo(rate, 8);
      if (found + spared < 1) expect(corrected).toBeNull();
    }),
  );
});
