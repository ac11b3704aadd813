import type { Interval } from "../statistics-contract";

/** The default level of intervals. */
export const DEFAULT_LEVEL = 0.95;

/** The smallest and the largest possible value. */
export type Range = readonly [low: number, high: number];

/** Tail probability on each side of an interval of this level: 0.025 for 0.95. */
export const tailOf = (level: number): number => (1 - level) / 2;

/** Limits an interval to the possible values. */
export const clip = (interval: Interval, [lowest, highest]: Range): Interval => ({
  ...interval,
  low: Math.max(interval.low, lowest),
  high: Math.min(interval.high, highest),
});

/** A value with its uncertainty. */
export interface Figure {
  /** null if undefined for the data. */
  value: number | null;
  /** null if the data doesn't allow an interval. */
  interval: Interval | null;
}
