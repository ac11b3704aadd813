import { type DateMention, readDates } from "../text/dates";
import { type Quantity, readNumbers } from "../text/numbers";
import { readSentences, type Sentence } from "../text/sentences";
import { readWords, type Word } from "../text/words";
import { keyOf } from "./key";
import { squeeze } from "./reference";
import { unglue } from "./unglue";
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
  numbers: readonly Quantity[];
  vocabulary: Vocabulary;
}

/** Of a longer text only the beginning is read. */
const MOST_CHARACTERS = 40_000;
/** Dates, and numbers, of a text that are compared. */
const MOST_FACTS = 200;

/** Words with a space around each. */
export const joined = (words: readonly string[]): string => ` ${words.join(" ")} `;

export const readText = (source: string): ReadText => {
  const text = unglue(source.slice(0, MOST_CHARACTERS).toWellFormed());
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
  const dates = readDates(text, words).slice(0, MOST_FACTS);
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
    numbers: readNumbers(text, words)
      .slice(0, 2 * MOST_FACTS)
      .filter((number) => !dates.some((date) => isInside(number, date)))
      .slice(0, MOST_FACTS),
    vocabulary: new Vocabulary(words),
  };
};

export const isInside = (part: { start: number; end: number }, whole: { start: number; end: number }): boolean =>
  part.start >= whole.start && part.start < whole.end;

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
