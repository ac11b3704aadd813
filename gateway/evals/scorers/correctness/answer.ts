import { type DateMention, readDates } from "../text/dates";
import { type Quantity, readNumbers } from "../text/numbers";
import { readSentences, type Sentence } from "../text/sentences";
import { type ClockTime, readTimes } from "../text/times";
import { readWords, type Word } from "../text/words";
import { keyOf } from "./key";
import { squeeze } from "./reference";
import { typeSigns, unglue } from "./unglue";
import { Vocabulary } from "./vocabulary";

/** A text, read once for all that looks at it. */
export interface ReadText {
  text: string;
  words: readonly Word[];
  /** What each word is compared by. */
  keys: readonly string[];
  norms: readonly string[];
  /** Norms and keys as one text each, with a space around every word. */
  joinedNorms: string;
  joinedKeys: string;
  /** All letters and digits, and for each of them the word it belongs to. */
  squeezed: string;
  wordAt: Int32Array;
  /** Where each word begins in `squeezed`, and where the last one ends. */
  squeezedAt: Int32Array;
  sentences: readonly Sentence[];
  dates: readonly DateMention[];
  times: readonly ClockTime[];
  /** Numbers that are not part of a date or time. */
  numbers: readonly Quantity[];
  vocabulary: Vocabulary;
}

/** Of a longer text only the beginning is read. */
const MAX_CHARACTERS = 40_000;
/** Dates, and numbers, of a text that are compared. */
const MAX_FACTS = 200;

/** Words with a space around each. */
export const joined = (words: readonly string[]): string => ` ${words.join(" ")} `;

/** Whether a time is the midnight of an ISO date, which is ignored: "2021-01-05T00:00:00.000Z". */
const isMidnightOfDate = ({ minutes, start }: ClockTime, text: string): boolean =>
  minutes === 0 && /\d-\d{2}[Tt ]$/.test(text.slice(0, start).slice(-5));

/** Reads a text. Answers may lack spaces and contain footnote marks. */
export const readText = (source: string, isAnswer = true): ReadText => {
  const whole = typeSigns(source.slice(0, MAX_CHARACTERS).toWellFormed());
  const text = isAnswer ? unglue(whole) : whole;
  const words = readWords(text);
  const squeezed = squeeze(words);
  const wordAt = new Int32Array(squeezed.length);
  const squeezedAt = new Int32Array(words.length + 1);
  let place = 0;
  for (const [index, { norm }] of words.entries()) {
    wordAt.fill(index, place, place + norm.length);
    place += norm.length;
    squeezedAt[index + 1] = place;
  }
  const dates = readDates(text, words).slice(0, MAX_FACTS);
  const moments = readTimes(text).slice(0, MAX_FACTS);
  const taken = [...dates, ...moments];
  const keys = words.map(keyOf);
  const norms = words.map(({ norm }) => norm);
  return {
    text,
    words,
    keys,
    norms,
    joinedNorms: joined(norms),
    joinedKeys: joined(keys),
    squeezed,
    wordAt,
    squeezedAt,
    sentences: readSentences(text),
    dates,
    times: moments.filter((time) => !isMidnightOfDate(time, text)),
    numbers: readNumbers(text, words)
      .slice(0, 2 * MAX_FACTS)
      .filter((number) => !taken.some((moment) => overlaps(number, moment)))
      .slice(0, MAX_FACTS),
    vocabulary: new Vocabulary(words),
  };
};

interface Place {
  start: number;
  end: number;
}

export const overlaps = (a: Place, b: Place): boolean => a.start < b.end && b.start < a.end;

export const isInside = (part: Place, whole: Place): boolean => part.start >= whole.start && part.start < whole.end;

/** The place, from 0, of the sentence that a word is in. */
export const sentenceOf = ({ words, sentences }: ReadText, at: number): number => {
  const start = words[at]?.start ?? 0;
  let [low, high] = [0, sentences.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((sentences[middle]?.start ?? 0) <= start) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
};
