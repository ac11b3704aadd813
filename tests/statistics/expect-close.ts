import { expect } from "bun:test";

/** Compares with a relative tolerance, so that small numbers are checked as closely as large ones. null equals only null. */
export const expectClose = (actual: number | null, expected: number | null, tolerance = 1e-9): void => {
  if (expected === null || actual === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
};
