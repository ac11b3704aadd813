import type { Criterion } from "./contract";

type Scaled = Pick<Criterion, "scale">;

/** Steps offered on a continuous scale. Models grade coarsely, and finer steps would be noise. */
const STEPS_OF_A_CONTINUUM = 4;
/** Rounding error allowed, as a share of a step's width. */
const TOLERANCE = 1e-9;

const widthOf = ({ scale: { min, max, step } }: Scaled): number => step ?? (max - min) / STEPS_OF_A_CONTINUUM;

/** The steps of a scale, ascending from its `min`. The last one may be below its `max`. */
export const choicesOf = (criterion: Scaled): number[] => {
  const { min, max } = criterion.scale;
  const width = widthOf(criterion);
  const count = Math.floor((max - min) / width + TOLERANCE) + 1;
  return Array.from({ length: count }, (_, index) => {
    const value = min + index * width;
    return Math.abs(value) < width * TOLERANCE ? 0 : Number(value.toPrecision(12));
  });
};

/**
 * The value of a scale's step without rounding error: 0.8999999999999999 is 0.9. undefined if it is not on the scale. On
 * a continuous scale every value from min to max is valid.
 */
export const valueOn = (criterion: Scaled, value: number): number | undefined => {
  const { min, max, step } = criterion.scale;
  if (step === null) return value >= min && value <= max ? value : undefined;
  return choicesOf(criterion).find((choice) => Math.abs(choice - value) <= step * TOLERANCE);
};
