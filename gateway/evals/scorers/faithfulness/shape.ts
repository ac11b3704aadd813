import type { Source } from "./source";

/**
 * What an answer is to its contexts; each shape has weights of its own.
 * `record`: it tells what data says; `statement`: a sentence or two; `text`: anything longer.
 */
export type Shape = "record" | "statement" | "text";

/** Words of a statement at most. */
const LONGEST_STATEMENT = 45;

export const shapeOf = (answerWords: number, { records }: Source): Shape => {
  if (records.length > 0) return "record";
  return answerWords <= LONGEST_STATEMENT ? "statement" : "text";
};
