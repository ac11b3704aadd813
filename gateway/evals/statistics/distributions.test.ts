import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import {
  logBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  regularizedBeta,
  studentCdf,
  studentQuantile,
} from "./distributions";

const EXACT = 1e-10;
const probability = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });
const degrees = fc.double({ min: 0.5, max: 1e5, noNaN: true });

describe("equal to scipy", () => {
  test("the normal distribution", () => {
    for (const { x, cdf } of reference.normal) expectClose(normalCdf(x), cdf, EXACT);
    for (const { p, x } of reference.normalQuantile) expectClose(normalQuantile(p), x, EXACT);
  });

  test("Student's t distribution", () => {
    for (const { df, p, t, cdf } of reference.studentT) {
      expectClose(studentQuantile(p, df), t, EXACT);
      expectClose(studentCdf(t + 0.1, df), cdf, EXACT);
    }
  });

  test("the incomplete beta function", () => {
    for (const { a, b, x, value, logBeta: log } of reference.beta) {
      expectClose(regularizedBeta(x, a, b), value, EXACT);
      expectClose(logBeta(a, b), log, EXACT);
    }
  });
});

test("ln Γ matches factorials", () => {
  let factorial = 1;
  for (let n = 1; n <= 20; n++) {
    expectClose(Math.exp(logGamma(n)), factorial, 1e-12);
    factorial *= n;
  }
});

test("the quantile is the inverse of the distribution", () => {
  fc.assert(fc.property(probability, (p) => expectClose(normalCdf(normalQuantile(p)), p, EXACT)));
  fc.assert(
    fc.property(probability, degrees, (p, df) => expectClose(studentCdf(studentQuantile(p, df), df), p, EXACT)),
  );
});

test("the ends of the normal distribution are infinite", () => {
  expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
});

test("the incomplete beta function is 0 and 1 at its ends, increasing and symmetric", () => {
  const parameter = fc.double({ min: 0.1, max: 500, noNaN: true });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(parameter, parameter, share, share, (a, b, x, y) => {
      expect([regularizedBeta(0, a, b), regularizedBeta(1, a, b)]).toEqual([0, 1]);
      const [low, high] = [regularizedBeta(Math.min(x, y), a, b), regularizedBeta(Math.max(x, y), a, b)];
      expect(high).toBeGreaterThanOrEqual(low - 1e-12);
      expect(regularizedBeta(x, a, b, 1 - x) + regularizedBeta(1 - x, b, a, x)).toBeCloseTo(1, 10);
    }),
  );
});
