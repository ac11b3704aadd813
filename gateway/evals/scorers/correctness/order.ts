import { ARTICLES, isNameLike, STOP_WORDS } from "../text/words";
import type { ReadText } from "./read-text";

/** Two values in a certain order: "from X to Y", "3 to 2", "3:2", "12 vs 15". */
type Pair = readonly [first: string, second: string];

/** Maximum number of words between "from" and "to", and between a number and "to" ("5.7 percent to"). */
const MAX_APART = 12;
const MAX_UNIT = 3;

/** The pairs in a text, in the form in which words are compared. */
export const pairsOf = ({ words, keys, norms, text }: ReadText): Pair[] => {
  const thingAt = (at: number): string | undefined =>
    keys.slice(at, at + 2).find((_, step) => !ARTICLES.has(norms[at + step] ?? ""));
  const firstOf = (at: number): string | undefined => {
    const start = Math.max(0, at - MAX_APART);
    const from = norms.slice(start, at).lastIndexOf("from");
    if (from >= 0) return thingAt(start + from + 1);
    const number = keys.slice(Math.max(0, at - MAX_UNIT), at).findLast((key) => /^\d/.test(key));
    if (number) return number;
    // "to 5.2 % from 5.7 %"
    const behind = norms.slice(at, at + 2 + MAX_UNIT).indexOf("from");
    if (behind > 0) return thingAt(at + behind + 1);
    const areNames = [at - 1, at + 1].every((place) => words[place] && isNameLike(words[place]));
    return areNames && norms[at] === "to" ? keys[at - 1] : undefined;
  };
  return words.flatMap((word, at): Pair[] => {
    const next = thingAt(at + 1);
    if (next && /^\s?:\s?$/.test(text.slice(word.end, words[at + 1]?.start))) return [[keys[at] ?? "", next]];
    const first = /^(?:to|until|till|vs|versus)$/.test(word.norm) ? firstOf(at) : undefined;
    return first && next && !STOP_WORDS.has(next) ? [[first, next]] : [];
  });
};

/** Whether pairs of an answer reverse one of a reference: "from 5.2 % to 5.7 %" for "from 5.7 % to 5.2 %". */
export const isSwapped = (expected: ReadText, given: readonly Pair[]): boolean => {
  const has = (first: string, second: string) => given.some(([a, b]) => a === first && b === second);
  return pairsOf(expected).some(([first, second]) => first !== second && has(second, first) && !has(first, second));
};
