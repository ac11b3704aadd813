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
  /** All letters and digits, and for each of them the word it belongs to. */
  squeezed: string;
  wordAt: Int32Array;
  sentences: readonly Sentence[];
  dates: readonly DateMention[];
  numbers: readonly Quantity[];
  vocabulary: Vocabulary;
}

/** Of a longer text only the beginning is read. */
const MOST_CHARACTERS = 40_000;

export const readText = (source: string): ReadText => {
  const text = unglue(source.slice(0, MOST_CHARACTERS).toWellFormed());
  const words = readWords(text);
  const squeezed = squeeze(words);
  const wordAt = new Int32Array(squeezed.length);
  let place = 0;
  for (const [index, { norm }] of words.entries()) {
    wordAt.fill(index, place, place + norm.length);
    place += norm.length;
  }
  const dates = readDates(text, words);
  return {
    text,
    words,
    keys: words.map(keyOf),
    norms: words.map(({ norm }) => norm),
    squeezed,
    wordAt,
    sentences: readSentences(text),
    dates,
    numbers: readNumbers(text, words).filter((number) => !dates.some((date) => isInside(number, date))),
    vocabulary: new Vocabulary(words),
  };
};

export const isInside = (part: { start: number; end: number }, whole: { start: number; end: number }): boolean =>
  part.start >= whole.start && part.start < whole.end;

/** The place, from 0, of the sentence that a word is in. */
export const sentenceOf = ({ words, sentences }: ReadText, at: number): number => {
  const start = words[at]?.start ?? 0;
  return Math.max(
    0,
    sentences.findLastIndex((sentence) => sentence.start <= start),
  );
};
