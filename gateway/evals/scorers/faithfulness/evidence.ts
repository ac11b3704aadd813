import type { ClaimSpan } from "../../judge/judge";
import type { Span } from "../../statistics/spans";
import { readWords, type Word } from "../text/words";
import type { UnsupportedSpan } from "./contradictions";
import { findAltered, findReversal } from "./contradictions";
import { lookUpNumbers, type NumberLookup } from "./number-index";
import { checkHours, type HoursFinding } from "./opening-hours";
import { type AttributeFinding, checkAttributes } from "./records";
import type { Source } from "./source";
import { knownShare, newNamesIn, type Reading, weightOf } from "./word-support";

/** The parts of a claim that the contexts have, and the parts that they lack. Offsets count from the claim's start. */
export interface Evidence {
  /** The text has its citations masked. */
  claim: ClaimSpan;
  words: readonly Word[];
  /** Stems' numbers in the contexts; -1: no context has it. */
  ids: readonly number[];
  /** Weight of each word, 0 for stop words. */
  weights: readonly number[];
  /** How well the contexts support each word, 0…1. */
  known: readonly number[];
  /** Length of the longest context fragment that contains each word, and of the one that ends with it. */
  fragments: readonly number[];
  ends: readonly number[];
  windows: readonly Window[];
  numbers: NumberLookup;
  /** Places of names that no context has. */
  newNames: readonly number[];
  attributes: readonly AttributeFinding[];
  hours: readonly HoursFinding[];
  /** Values that a context has with a different sign, unit or bound. */
  altered: readonly UnsupportedSpan[];
  /** The part of the claim that says the opposite of the passage with the same words. */
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
  const ends = fragmentsEnding(ids, source);
  const windows = bestWindows(byStem, total, source);
  const [best] = windows;
  return {
    claim,
    words,
    ids,
    weights,
    known,
    ends,
    fragments: fragmentsOfWords(ends),
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

/** A passage about the same subject as a claim. */
interface Window {
  passage: number;
  /** Weighted share of the claim's words that the passage has. */
  alone: number;
  /** The same share for the passage with its neighbours. */
  around: number;
}

/** Number of windows per claim that are compared in detail. */
const MAX_WINDOWS = 8;

const coverage = (ids: ReadonlyMap<number, number>, total: number, { words }: Source, from: number, to: number) => {
  const found = new Set<number>();
  let weight = 0;
  for (let place = from; place < to; place++) {
    const id = words[place] ?? -1;
    const own = ids.get(id);
    if (own !== undefined && !found.has(id)) {
      found.add(id);
      weight += own;
    }
  }
  return total > 0 ? weight / total : 0;
};

/** Only the beginning of longer passages is compared. */
const LONGEST_PASSAGE = 400;

/** The passages most similar to a claim, best first. `weights` are those of the claim's stems, `total` is their sum. */
const bestWindows = (weights: ReadonlyMap<number, number>, total: number, source: Source): Window[] => {
  const scores = new Map<number, number>();
  for (const [id, weight] of weights) {
    let last = -1;
    for (const place of source.placesOf[id] ?? []) {
      const passage = source.passageOf[place] ?? 0;
      if (passage !== last) scores.set(passage, (scores.get(passage) ?? 0) + weight);
      last = passage;
    }
  }
  const best = [...scores].sort(([a, x], [b, y]) => y - x || a - b).slice(0, MAX_WINDOWS);
  return best.map(([passage, score]) => {
    const context = source.passages[passage]?.context;
    const near = (place: number) => {
      const other = source.passages[place];
      return other?.context === context ? other : source.passages[passage];
    };
    const [before, after] = [near(passage - 1), near(passage + 1)];
    const from = Math.max(before?.from ?? 0, (source.passages[passage]?.from ?? 0) - LONGEST_PASSAGE);
    const to = Math.min(
      after?.to ?? 0,
      (source.passages[passage]?.to ?? 0) + LONGEST_PASSAGE,
      from + 3 * LONGEST_PASSAGE,
    );
    return { passage, alone: total > 0 ? score / total : 0, around: coverage(weights, total, source, from, to) };
  });
};

/** Maximum positions compared for all words of a claim together. */
const MAX_STEPS = 2_000_000;

/**
 * For each word of a claim, the length of the longest fragment that ends with it. A fragment is a run of words that a
 * context has (Grusky et al. 2018, "Newsroom").
 */
const fragmentsEnding = (ids: readonly number[], { placesOf }: Source): number[] => {
  const most = Math.max(1, Math.floor(MAX_STEPS / Math.max(1, ids.length)));
  let before = new Map<number, number>();
  return ids.map((id) => {
    const current = new Map<number, number>();
    let longest = 0;
    for (const place of (placesOf[id] ?? []).slice(0, most)) {
      const length = (before.get(place - 1) ?? 0) + 1;
      current.set(place, length);
      if (length > longest) longest = length;
    }
    before = current;
    return longest;
  });
};

/** Length of the fragment that contains each word. */
const fragmentsOfWords = (ends: readonly number[]): number[] => {
  const fragments = [...ends];
  for (let i = fragments.length - 1; i >= 0; i--) {
    const length = ends[i] ?? 0;
    for (let j = i - length + 1; j < i; j++) if (j >= 0 && (fragments[j] ?? 0) < length) fragments[j] = length;
    // The words of this fragment are done; the next fragment ends before it.
    if (length > 1) i -= length - 1;
  }
  return fragments;
};
