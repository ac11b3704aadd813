import { createRandom, type Random } from "../../gateway/evals/statistics/random";
import type { Interval } from "../../gateway/evals/statistics-contract";

/** A random number above 0 and below 1. */
export const uniform = (random: Random): number => (random.nextUint32() + 0.5) / 2 ** 32;

/** A standard normal random number (Box and Muller 1958). */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * uniform(random));

/** How often intervals from simulated data contain the true value. */
export interface Coverage {
  /** Fraction of the intervals that contain the true value. */
  covered: number;
  /** Number of simulations without an interval. */
  without: number;
}

/** Runs `trials` simulations with one seed, so that the figures are reproducible. */
export const simulateCoverage = (
  truth: number,
  trials: number,
  simulate: (random: Random) => Interval | null,
): Coverage => {
  const random = createRandom(20261126);
  let held = 0;
  let without = 0;
  for (let trial = 0; trial < trials; trial++) {
    const interval = simulate(random);
    if (!interval) without++;
    else if (interval.low <= truth && truth <= interval.high) held++;
  }
  return { covered: held / (trials - without), without };
};

/** Calls `make` for each of `count` items. */
export const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
