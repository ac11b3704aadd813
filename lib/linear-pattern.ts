import { RE2JS } from "re2js";

/** RE2's limit for the product of nested repetitions. */
const MAX_REPEATS = 1000;

/** An upper bound of the steps that RE2 compiles a pattern to. RE2 expands repetitions. 250,000 steps take 30 MB. */
export const stepsOf = (pattern: string): number => {
  const repeats = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, least, most]) => Number(most || least));
  return (
    pattern.length *
    Math.min(
      MAX_REPEATS,
      repeats.reduce((all, count) => all * Math.max(1, count), 1),
    )
  );
};

/**
 * Compiles a pattern that runs in linear time. JavaScript's own regular expressions can run forever on a crafted text and
 * can't be stopped. Throws an Error that says what is wrong with the pattern.
 */
export const compileLinear = (pattern: string): RE2JS => RE2JS.compile(RE2JS.translateRegExp(pattern));
