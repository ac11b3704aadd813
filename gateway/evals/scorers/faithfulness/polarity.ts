import { isNegation, SIDE_OF } from "../text/negation";
import { isStopWord, readWords, type Word } from "../text/words";
import type { Span } from "./span";

/** Longer ones say too much for one polarity. */
const LONGEST = 60;
/** What follows them may well be the other way round. */
const CONTRASTS = new Set("while whereas but although unlike rather instead except until unless only".split(" "));

const isPlain = (words: readonly Word[]): boolean =>
  words.length <= LONGEST && !words.some(({ norm }) => CONTRASTS.has(norm));

interface Stance {
  isDenied: boolean;
  /** Stems of the content words before and behind. */
  neighbours: readonly string[];
  word: Word;
}

/** Each content word of a text; a negation covers the next one. */
const stancesOf = (words: readonly Word[]): Map<string, Stance> => {
  const stances = new Map<string, Stance>();
  const content = words.filter((word) => !isStopWord(word) && !isNegation(word));
  const denied = new Set<Word>();
  for (const word of words.filter(isNegation)) {
    const next = content.find(({ start }) => start > word.start);
    if (next) denied.add(next);
  }
  for (const [at, word] of content.entries()) {
    const neighbours = [content[at - 1], content[at + 1]].flatMap((other) => (other ? [other.stem] : []));
    if (!stances.has(word.stem)) stances.set(word.stem, { isDenied: denied.has(word), neighbours, word });
  }
  return stances;
};

/** A word of a claim that is the opposite of the word a passage has between the same neighbours: "open" for "closed". */
const findOpposite = (words: readonly Word[], others: readonly Word[]): Span | undefined => {
  const [claimed, known] = [stancesOf(words), stancesOf(others)];
  const sides = new Set(others.flatMap(({ norm }) => SIDE_OF.get(norm) ?? []));
  for (const { word, neighbours } of claimed.values()) {
    const side = SIDE_OF.get(word.norm);
    if (side === undefined || sides.has(side) || !sides.has(-side)) continue;
    const isInPlace = [...known.values()].some(
      (other) =>
        SIDE_OF.get(other.word.norm) === -side && neighbours.every((neighbour) => other.neighbours.includes(neighbour)),
    );
    if (isInPlace && neighbours.length > 0) return { start: word.start, end: word.end };
  }
  return undefined;
};

/**
 * Finds a word that the claim denies and a passage affirms, or the other way round, between the same neighbours. If both
 * or neither contain a negation, finds the word that is the opposite of the passage's. Ignores long and contrasting
 * sentences.
 */
export const findReversal = (words: readonly Word[], passage: string, isSameMatter: boolean): Span | undefined => {
  const others = readWords(passage);
  if (!isPlain(words) || !isPlain(others)) return undefined;
  if (words.some(isNegation) === others.some(isNegation)) return findOpposite(words, others);
  if (!isSameMatter) return undefined;
  const expected = stancesOf(others);
  for (const [stem, { isDenied, neighbours, word }] of stancesOf(words)) {
    const other = expected.get(stem);
    if (other === undefined || other.isDenied === isDenied) continue;
    if (neighbours.some((neighbour) => other.neighbours.includes(neighbour)))
      return { start: word.start, end: word.end };
  }
  return undefined;
};
