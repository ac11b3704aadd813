import type { Criterion } from "./contract";

type Scaled = Pick<Criterion, "scale">;

/** Values between the ends of a scale without steps: models grade coarsely, and finer ones are noise. */
const STEPS_OF_A_CONTINUUM = 4;
/** Of a step's width: what arithmetic with fractions may be off by. */
const TOLERANCE = 1e-9;

const widthOf = ({ scale: { min, max, step } }: Scaled): number => step ?? (max - min) / STEPS_OF_A_CONTINUUM;

/** The values to choose from, ascending: the steps of a scale from its `min` on, the last one perhaps below its `max`. */
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
 * A value as the scale has it: 0.8999999999999999 is the step 0.9. undefined for one that is not on it. A scale without
 * steps has every value between its ends.
 */
export const valueOn = (criterion: Scaled, value: number): number | undefined => {
  const { min, max, step } = criterion.scale;
  if (step === null) return value >= min && value <= max ? value : undefined;
  return choicesOf(criterion).find((choice) => Math.abs(choice - value) <= step * TOLERANCE);
};
