import { ARTICLES, STOP_WORDS } from "../text/words";
import type { ReadText } from "./read-text";

/** Two things in an order: "from X to Y", "3 to 2", "3:2", "12 vs 15". */
type Pair = readonly [string, string];

/** The words around a number that are no part of it in a pair: "from 5.7 percent to". */
const MAX_BETWEEN = 3;

/** The pairs of a text, by the form in which words are compared. */
const pairsOf = ({ words, keys, norms, text }: ReadText): Pair[] => {
  const contentFrom = (at: number): string | undefined =>
    keys.slice(at, at + 2).find((_, step) => !ARTICLES.has(norms[at + step] ?? ""));
  const numberBefore = (at: number): string | undefined =>
    keys.slice(Math.max(0, at - MAX_BETWEEN), at).findLast((key) => /^\d/.test(key));
  return words.flatMap((word, at): Pair[] => {
    const next = contentFrom(at + 1);
    const gap = text.slice(word.end, words[at + 1]?.start);
    if (gap === ":" || gap === " : ") return [[keys[at] ?? "", keys[at + 1] ?? ""]];
    if (!next || !/^(?:to|until|till|vs|versus)$/.test(word.norm)) return [];
    const from = norms.lastIndexOf("from", at);
    const back = norms.indexOf("from", at);
    const first =
      from >= 0
        ? contentFrom(from + 1)
        : (numberBefore(at) ?? (back > 0 && back <= at + 2 + MAX_BETWEEN ? contentFrom(back + 1) : undefined));
    return first && !STOP_WORDS.has(next) ? [[first, next]] : [];
  });
};

/** Whether the answer gives two things of a reference in the opposite order: "from 5.2 % to 5.7 %" for "from 5.7 % to 5.2 %". */
export const isSwapped = (expected: ReadText, given: ReadText): boolean => {
  const pairs = pairsOf(given);
  const has = (first: string, second: string) => pairs.some(([a, b]) => a === first && b === second);
  return pairsOf(expected).some(([first, second]) => first !== second && has(second, first) && !has(first, second));
};
