import { readSpelled } from "./number-words";
import type { Word } from "./words";

/* "No older than 21": a negation and a comparative that limit a value and deny nothing. */

export const MORE =
  "more|longer|later|older|taller|heavier|higher|greater|larger|bigger|farther|further|faster|hotter|warmer|wider|deeper";
export const LESS =
  "less|fewer|shorter|earlier|sooner|younger|lighter|lower|smaller|nearer|closer|slower|colder|cooler|narrower";

const COMPARATIVES = new Set(`${MORE}|${LESS}`.split("|"));
/** These only limit a time, in digits or not: "no later than the day before". */
const OF_TIME = new Set(["later", "earlier", "sooner"]);

const isValue = (words: readonly Word[], at: number): boolean => {
  const word = words[at];
  return (
    word !== undefined &&
    (word.numeral !== undefined ||
      readSpelled(words, at) !== undefined ||
      /^(?:an?|half|[$€£]\p{Nd}.*)$/u.test(word.norm))
  );
};

/** Whether the negation at `at` limits a value: "no older than 21", "not be older than 21", "not exceed 21". */
export const isLimit = (words: readonly Word[], at: number): boolean => {
  for (let step = at + 1; step <= at + 2; step++) {
    const norm = words[step]?.norm ?? "";
    if (/^exceed(?:ing)?$/.test(norm)) return isValue(words, step + 1);
    if (COMPARATIVES.has(norm) && words[step + 1]?.norm === "than")
      return OF_TIME.has(norm) || isValue(words, step + 2);
  }
  return false;
};
