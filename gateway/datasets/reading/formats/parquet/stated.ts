import { damaged } from "./file";

/** A size or count that a file states has to be a whole number from 0 to `max`. Throws dataset_invalid. */
export const checkStated = (value: number | undefined, max: number, column: string): number => {
  if (value === undefined || !Number.isInteger(value) || value < 0 || value > max) {
    throw damaged("a size in it can't be", column);
  }
  return value;
};
