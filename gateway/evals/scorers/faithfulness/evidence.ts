import type { ClaimSpan } from "../../judge/judge";
import { stemOf } from "../text/stem";
import { isNameLike, isStopWord, readWords, type Word } from "../text/words";
import { INTERJECTIONS } from "./claims";
import { type Attribute, type AttributeFinding, checkAttributes } from "./facts";
import { checkHours, type HoursFinding } from "./hours";
import { LIGHT_STEMS } from "./light-words";
import { type NumberIndex, type NumbersTold, untoldNumbers } from "./numbers-told";
import { findReversal, isNegation } from "./polarity";
import { runLengths, runsOfWords } from "./runs";
import type { Shape } from "./shape";
import { beginningOf, type Source } from "./source";
import type { Span } from "./span";
import { bestWindows, type Window } from "./windows";

/** What a claim shares with the contexts, and what of it they lack. Offsets count from the claim's start. */
export interface Evidence {
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
  numbers: NumbersTold;
  /** Places of names that no context has. */
  newNames: readonly number[];
  attributes: readonly AttributeFinding[];
  hours: readonly HoursFinding[];
  /** What says the opposite of the passage with the same words. */
  reversal: Span | undefined;
}

export interface Reading {
  source: Source;
  numbers: NumberIndex;
  attributes: readonly Attribute[];
  shape: Shape;
}

/** A word of the same beginning, such as "improved" for "improvement", is known by half. */
const BY_BEGINNING = 0.5;

const DAYS_AND_MONTHS =
  "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december".split(
    " ",
  );
/** "Sat" of "Saturday", "Apr" of "April", and the other way round. */
const CALENDAR: ReadonlyMap<string, string> = new Map(
  DAYS_AND_MONTHS.flatMap((name) =>
    [3, 4].flatMap((length) => {
      const short = name.slice(0, length);
      return [
        [short, name],
        [name, name.slice(0, 3)],
      ] as [string, string][];
    }),
  ),
);

const knownShare = (words: readonly Word[], at: number, { source }: Reading): number => {
  const word = words[at];
  if (!word) return 0;
  if (source.idOf.has(word.stem)) return 1;
  const [before, after] = [words[at - 1], words[at + 1]];
  const isPart =
    (before && source.idOf.has(before.norm + word.norm)) || (after && source.idOf.has(word.norm + after.norm));
  if (isPart || source.joined.has(word.norm)) return 1;
  const other = CALENDAR.get(word.norm.replace(/s$/, ""));
  if (other && source.idOf.has(stemOf(other))) return 1;
  const beginning = beginningOf(word.stem);
  return beginning && source.beginnings.has(beginning) ? BY_BEGINNING : 0;
};

/** Weight of a light word: in one or two sentences there is no room for reporting, and each word is meant. */
const LIGHT = { record: 0.25, text: 0.25, statement: 1 };

const weightOf = (
  word: Word,
  id: number | undefined,
  { source: { passages, frequencyOf }, shape }: Reading,
): number => {
  if (isStopWord(word) || isNegation(word)) return 0;
  if (LIGHT[shape] < 1 && LIGHT_STEMS.has(word.stem)) return LIGHT[shape];
  const all = Math.max(2, passages.length);
  const frequency = id === undefined ? 0 : (frequencyOf[id] ?? 0);
  return Math.max(0.2, Math.log((all + 1) / (frequency + 0.5)) / Math.log((all + 1) / 0.5));
};

const NO_NAMES = new Set(["am", "pm", "ok"]);

const newNamesIn = (
  words: readonly Word[],
  known: readonly number[],
  text: string,
  taken: ReadonlySet<number>,
): number[] =>
  words.flatMap((word, at) => {
    if (taken.has(at) || NO_NAMES.has(word.norm)) return [];
    if (at === 0 || (known[at] ?? 0) > 0 || isStopWord(word) || !isNameLike(word) || /^\p{Nd}/u.test(word.text))
      return [];
    // A sentence of several lines, or a title in capitals, has other beginnings.
    const before = text.slice(words[at - 1]?.end ?? 0, word.start);
    return /[.!?:\n"“*]/.test(before) ? [] : [at];
  });

const markKnown = (words: readonly Word[], known: number[], start: number, end: number): void => {
  for (const [at, word] of words.entries()) if (word.start < end && start < word.end) known[at] = 1;
};

/** A passage with this share of a claim's words speaks of the same matter. */
const SAME_MATTER = 0.6;

/** Looks for a claim in the contexts. */
export const findEvidence = (claim: ClaimSpan, reading: Reading): Evidence => {
  const { source } = reading;
  const words = readWords(claim.text);
  const ids = words.map(({ stem }) => source.idOf.get(stem) ?? -1);
  const weights = words.map((word, at) =>
    at === 0 && INTERJECTIONS.has(word.norm) ? 0 : weightOf(word, ids[at] === -1 ? undefined : ids[at], reading),
  );
  const attributes = checkAttributes(claim.text, words, reading.attributes, (stems) =>
    stems.every((stem) => source.idOf.has(stem)),
  );
  const numbers = untoldNumbers(claim.text, words, reading.numbers);
  const hours = source.timetable ? checkHours(claim.text, source.timetable) : [];
  const known = words.map((_, at) => knownShare(words, at, reading));
  for (const { start, end } of numbers.told) markKnown(words, known, start, end);
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
      best && best.alone >= SAME_MATTER ? findReversal(words, source.passages[best.passage]?.text ?? "") : undefined,
    numbers,
    newNames: newNamesIn(words, known, claim.text, taken),
    attributes,
    hours,
  };
};
