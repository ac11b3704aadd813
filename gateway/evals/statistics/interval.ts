import type { Interval } from "../statistics-contract";

/** The level of every interval, unless a caller asks for another. */
export const DEFAULT_LEVEL = 0.95;

/** Smallest and largest value that is possible. */
export type Range = readonly [low: number, high: number];

/** Tail probability on each side of an interval of this level: 0.025 for 0.95. */
export const tailOf = (level: number): number => (1 - level) / 2;

/** Cuts off what is not possible. */
export const clip = (interval: Interval, [lowest, highest]: Range): Interval => ({
  ...interval,
  low: Math.max(interval.low, lowest),
  high: Math.min(interval.high, highest),
});

/** A value with what is known about its uncertainty. */
export interface Figure {
  /** null: undefined on what is there. */
  value: number | null;
  /** null: nothing can be said. */
  interval: Interval | null;
}
