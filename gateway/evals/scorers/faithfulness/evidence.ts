import type { ClaimSpan } from "../../judge/judge";
import { readWords, type Word } from "../text/words";
import { findAltered } from "./altered";
import { type AttributeFinding, checkAttributes } from "./facts";
import { checkHours, type HoursFinding } from "./hours";
import { lookUpNumbers, type NumberLookup } from "./number-index";
import { findReversal } from "./polarity";
import { runLengths, runsOfWords } from "./runs";
import type { Span, UnsupportedSpan } from "./span";
import { bestWindows, type Window } from "./windows";
import { knownShare, newNamesIn, type Reading, weightOf } from "./word-support";

/** What a claim shares with the contexts, and what of it they lack. Offsets count from the claim's start. */
export interface Evidence {
  /** The text has its citations masked. */
  claim: ClaimSpan;
  words: readonly Word[];
  /** Stems' numbers in the contexts; -1: no context has it. */
  ids: readonly number[];
  /** Weight of each word, 0 for stop words. */
  weights: readonly number[];
  /** How far each word is known, 0…1. */
  known: readonly number[];
  /** Longest run of each word that stands in the contexts. */
  runs: readonly number[];
  ends: readonly number[];
  windows: readonly Window[];
  numbers: NumberLookup;
  /** Places of names that no context has. */
  newNames: readonly number[];
  attributes: readonly AttributeFinding[];
  hours: readonly HoursFinding[];
  /** Values that a context has with a different sign, unit or bound. */
  altered: readonly UnsupportedSpan[];
  /** What says the opposite of the passage with the same words. */
  reversal: Span | undefined;
}

/** Marks the words between two offsets as known. Words are in the order of the text. */
const markKnown = (words: readonly Word[], known: number[], start: number, end: number): void => {
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[middle]?.end ?? 0) <= start) low = middle + 1;
    else high = middle;
  }
  for (let at = low; (words[at]?.start ?? end) < end; at++) known[at] = 1;
};

/** A passage with this share of a claim's words is about the same subject. */
const SAME_MATTER = 0.6;
/** The minimum is lower for an opposite between the same neighbours. */
const RELATED_MATTER = 0.3;

/** Number of passages searched for the formulas of a claim. */
const PASSAGES_OF_FORMULAS = 5;

/** Looks for a claim in the contexts. */
export const findEvidence = (claim: ClaimSpan, reading: Reading): Evidence => {
  const { source } = reading;
  const words = readWords(claim.text);
  const ids = words.map(({ stem }) => source.idOf.get(stem) ?? -1);
  const weights = words.map((_, at) => weightOf(words, at, ids[at] ?? -1, reading));
  const attributes = checkAttributes(claim.text, words, reading.attributes, (stems) =>
    stems.every((stem) => source.idOf.has(stem)),
  );
  const numbers = lookUpNumbers(claim.text, words, reading.numbers);
  const hours = source.timetable ? checkHours(claim.text, source.timetable) : [];
  const known = words.map((_, at) => knownShare(words, at, reading));
  for (const { start, end } of numbers.found) markKnown(words, known, start, end);
  for (const { start, end, isRight } of hours) if (isRight) markKnown(words, known, start, end);
  for (const { from, to, verdict } of attributes) {
    for (let at = from; at < to; at++) known[at] = verdict === "right" ? 1 : (known[at] ?? 0);
  }
  const taken = new Set(
    attributes.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, step) => from + step)),
  );
  const byStem = new Map<number, number>();
  let total = 0;
  for (const [at, weight] of weights.entries()) {
    const id = ids[at] ?? -1;
    if (id === -1) total += weight;
    else if (weight > 0 && !byStem.has(id)) {
      byStem.set(id, weight);
      total += weight;
    }
  }
  const ends = runLengths(ids, source);
  const windows = bestWindows(byStem, total, source);
  const [best] = windows;
  return {
    claim,
    words,
    ids,
    weights,
    known,
    ends,
    runs: runsOfWords(ends),
    windows,
    reversal:
      best && best.alone >= RELATED_MATTER
        ? findReversal(words, source.passages[best.passage]?.text ?? "", best.alone >= SAME_MATTER)
        : undefined,
    numbers,
    altered: findAltered(
      claim.text,
      words,
      reading.numbers,
      numbers.missing,
      windows.slice(0, PASSAGES_OF_FORMULAS).map(({ passage }) => source.passages[passage]?.text ?? ""),
      (stem) => source.idOf.has(stem),
    ),
    newNames: newNamesIn(words, known, claim.text, taken),
    attributes,
    hours,
  };
};
