import type { Criterion } from "../contract";

/** Values between the ends of a scale without steps: models grade coarsely, and finer ones are noise. */
const STEPS_OF_A_CONTINUUM = 4;

/** The values that a judge chooses from, ascending. */
export const choicesOf = ({ scale: { min, max, step } }: Pick<Criterion, "scale">): number[] => {
  const width = step ?? (max - min) / STEPS_OF_A_CONTINUUM;
  const count = Math.floor((max - min) / width + 1e-9) + 1;
  return Array.from({ length: count }, (_, index) => Number((min + index * width).toPrecision(12)));
};
