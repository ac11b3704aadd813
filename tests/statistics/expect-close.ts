import { expect } from "bun:test";

/** Relative to what is expected, so that a small number counts as much as a large one; null only equals null. */
export const expectClose = (actual: number | null, expected: number | null, tolerance = 1e-9): void => {
  if (expected === null || actual === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
};
