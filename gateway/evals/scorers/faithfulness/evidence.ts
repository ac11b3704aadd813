import { firstIndex } from "../../../../lib/first-index";
import type { ClaimSpan } from "../../judge/judge";
import type { Span } from "../../statistics/spans";
import { readSplitWords } from "../text/negation";
import { isNameLike, isStopWord, type Word } from "../text/words";
import type { UnsupportedSpan } from "./contradictions";
import { findAltered, findReversal, withSubject } from "./contradictions";
import { lookUpNumbers, type NumberLookup } from "./number-index";
import { type AttributeFinding, checkAttributes } from "./records";
import { findReplaced } from "./replacements";
import type { Source } from "./source";
import { knownShare, type Reading, weightOf } from "./word-support";

/** The parts of a claim that the contexts contain, and those that they don't. Offsets count from the claim's start. */
export interface Evidence {
  /** The claim. Citations in its text are masked. */
  claim: ClaimSpan;
  words: readonly Word[];
  /** The number of each word's stem in the contexts; -1 if no context contains the stem. */
  ids: readonly number[];
  /** The weight of each word, 0 for stop words. */
  weights: readonly number[];
  /** How well the contexts support each word, 0…1. */
  known: readonly number[];
  /** Indexes of the passages most similar to the claim, best first. */
  passages: readonly number[];
  numbers: NumberLookup;
  /** Indexes of names that no context contains. */
  newNames: readonly number[];
  attributes: readonly AttributeFinding[];
  /** Values that a context contains with a different sign, unit or bound, and words that replace others. */
  altered: readonly UnsupportedSpan[];
  /** The part of the claim that says the opposite of the passage with the same words. */
  reversal: Span | undefined;
}

/** Marks the words between two offsets as known. Words are in text order. */
const markKnown = (words: readonly Word[], known: number[], start: number, end: number): void => {
  const first = firstIndex(words.length, (at) => (words[at]?.end ?? 0) > start);
  for (let at = first; (words[at]?.start ?? end) < end; at++) known[at] = 1;
};

/** A passage with this fraction of a claim's words is about the same subject. */
const SAME_MATTER = 0.6;
/** A negation weighs as much as a word that the passage lacks. So the minimum for a reversal is lower. */
const RELATED_MATTER = 0.3;

/** Maximum number of passages that a claim is compared with in detail. */
const MAX_PASSAGES = 5;

/** Searches the contexts for a claim. */
export const findEvidence = (claim: ClaimSpan, reading: Reading): Evidence => {
  const { source } = reading;
  const words = readSplitWords(claim.text);
  const ids = words.map(({ stem }) => source.idOf.get(stem) ?? -1);
  const weights = words.map((_, at) => weightOf(words, at, ids[at] ?? -1, reading));
  const attributes = checkAttributes(claim.text, words, reading.attributes, (stems) =>
    stems.every((stem) => source.idOf.has(stem)),
  );
  const numbers = lookUpNumbers(claim.text, words, reading.numbers);
  const known = words.map((_, at) => knownShare(words, at, reading));
  for (const { start, end } of numbers.found) markKnown(words, known, start, end);
  for (const { from, to, verdict } of attributes) {
    for (let at = from; at < to; at++) known[at] = verdict === "right" ? 1 : (known[at] ?? 0);
  }
  const taken = new Set(
    attributes.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, step) => from + step)),
  );
  const knownStems = new Set(words.flatMap(({ stem }, at) => ((known[at] ?? 0) > 0 ? [stem] : [])));
  const isKnown = (stem: string) => source.idOf.has(stem) || knownStems.has(stem);
  const near = closestPassages(ids, weights, source);
  const [best] = near;
  const texts = near.map(({ passage }) => {
    const [before, found] = [source.passages[passage - 1], source.passages[passage]];
    return withSubject(found?.text ?? "", before && before.context === found?.context ? before.text : "");
  });
  const related = texts.filter((_, at) => (near[at]?.share ?? 0) >= RELATED_MATTER);
  return {
    claim,
    words,
    ids,
    weights,
    known,
    passages: near.map(({ passage }) => passage),
    reversal:
      best && best.share >= RELATED_MATTER
        ? findReversal(claim.text, words, texts, best.share >= SAME_MATTER)
        : undefined,
    numbers,
    altered: [
      ...findAltered(claim.text, words, reading.numbers, numbers.missing, texts, isKnown),
      ...findReplaced(claim.text, words, related, isKnown),
    ],
    newNames: newNamesIn(words, known, claim.text, taken),
    attributes,
  };
};

/** Maximum number of passages considered per stem. A stem that occurs in more passages says little. */
const MAX_PASSAGES_OF_STEM = 2000;

/** The weighted share of a text's stems in each passage that has one. */
export const sharesOf = (
  ids: readonly number[],
  weights: readonly number[],
  source: Pick<Source, "passagesOf">,
): Map<number, number> => {
  const scores = new Map<number, number>();
  const seen = new Set<number>();
  let total = 0;
  for (const [at, weight] of weights.entries()) {
    const id = ids[at] ?? -1;
    if (weight === 0 || seen.has(id)) continue;
    total += weight;
    if (id === -1) continue;
    seen.add(id);
    for (const passage of source.passagesOf[id]?.slice(0, MAX_PASSAGES_OF_STEM) ?? [])
      scores.set(passage, (scores.get(passage) ?? 0) + weight);
  }
  for (const [passage, score] of scores) scores.set(passage, total > 0 ? score / total : 0);
  return scores;
};

/** The passages with the largest weighted share of the claim's stems, best first. */
const closestPassages = (ids: readonly number[], weights: readonly number[], source: Source) => {
  const shares = [...sharesOf(ids, weights, source)].sort(([a, x], [b, y]) => y - x || a - b);
  return shares.slice(0, MAX_PASSAGES).map(([passage, share]) => ({ passage, share }));
};

/** Indexes of names that no context contains. The first word of a sentence is skipped: it is always capitalised. */
const newNamesIn = (
  words: readonly Word[],
  known: readonly number[],
  text: string,
  taken: ReadonlySet<number>,
): number[] =>
  words.flatMap((word, at) => {
    if (taken.has(at)) return [];
    if (at === 0 || (known[at] ?? 0) > 0 || isStopWord(word) || !isNameLike(word) || /^\p{Nd}/u.test(word.text))
      return [];
    // The same is true after a line break, colon or quotation mark.
    const before = text.slice(words[at - 1]?.end ?? 0, word.start);
    return /[.!?:\n"“*]/.test(before) ? [] : [at];
  });
