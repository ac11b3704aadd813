import { maskMarkers } from "../text/citations";
import { readSentences } from "../text/sentences";
import { isStopWord, readWords, type Word } from "../text/words";
import { type Timetable, timetableOf } from "./opening-hours";
import { type DataRecord, readRecord } from "./records";

/** A sentence of a context. */
interface Passage {
  text: string;
  /** Position of its context. */
  context: number;
  /** Its words are those from `from` up to, not including, `to`. */
  from: number;
  to: number;
}

/** The contexts, read once for all claims. Words are their stems' numbers. */
export interface Source {
  passages: readonly Passage[];
  /** Stems in order, over all contexts. */
  words: Int32Array;
  idOf: ReadonlyMap<string, number>;
  /** Where a stem stands in `words`, at most `MAX_PLACES` of them. */
  placesOf: readonly (readonly number[])[];
  /** In how many passages a stem stands. */
  frequencyOf: readonly number[];
  /** Passage of each word. */
  passageOf: Int32Array;
  /** Neighbours written as one: "takeout" of "take out". */
  joined: ReadonlySet<string>;
  /** Beginnings of long stems: "improv" of "improvement". */
  beginnings: ReadonlySet<string>;
  records: readonly DataRecord[];
  timetable: Timetable | undefined;
}

/** Maximum characters of the contexts that are read. */
const MAX_CHARACTERS = 4_000_000;
/** Maximum indexed positions of a frequent stem. */
const MAX_PLACES = 2000;
const BEGINNING = 5;

export const beginningOf = (stem: string): string | undefined =>
  stem.length > BEGINNING ? stem.slice(0, BEGINNING) : undefined;

interface Building {
  words: number[];
  passageOf: number[];
  idOf: Map<string, number>;
  placesOf: number[][];
  frequencyOf: number[];
  lastPassageOf: number[];
}

const addWord = (building: Building, stem: string, passage: number): void => {
  const { idOf, placesOf, frequencyOf, lastPassageOf, words, passageOf } = building;
  let id = idOf.get(stem);
  if (id === undefined) {
    id = idOf.size;
    idOf.set(stem, id);
    placesOf.push([]);
    frequencyOf.push(0);
    lastPassageOf.push(-1);
  }
  const places = placesOf[id];
  if (places && places.length < MAX_PLACES) places.push(words.length);
  if (lastPassageOf[id] !== passage) {
    lastPassageOf[id] = passage;
    frequencyOf[id] = (frequencyOf[id] ?? 0) + 1;
  }
  words.push(id);
  passageOf.push(passage);
};

const joinsOf = (words: readonly Word[], joined: Set<string>): void => {
  for (let i = 1; i < words.length; i++) {
    const [left, right] = [words[i - 1]?.norm ?? "", words[i]?.norm ?? ""];
    if (left.length + right.length <= 24) joined.add(left + right);
  }
};

export const readSource = (contexts: readonly string[]): Source => {
  const building: Building = {
    words: [],
    passageOf: [],
    idOf: new Map(),
    placesOf: [],
    frequencyOf: [],
    lastPassageOf: [],
  };
  const passages: Passage[] = [];
  const joined = new Set<string>();
  const beginnings = new Set<string>();
  const records: DataRecord[] = [];
  let left = MAX_CHARACTERS;
  for (const [context, whole] of contexts.entries()) {
    const record = readRecord(whole.slice(0, left));
    if (record) records.push(record);
    const text = (record?.text ?? maskMarkers(whole)).slice(0, left);
    left -= text.length;
    for (const sentence of readSentences(text)) {
      const from = building.words.length;
      const words = readWords(sentence.text);
      for (const word of words) {
        addWord(building, word.stem, passages.length);
        const beginning = isStopWord(word) ? undefined : beginningOf(word.stem);
        if (beginning) beginnings.add(beginning);
      }
      joinsOf(words, joined);
      passages.push({ text: sentence.text, context, from, to: building.words.length });
    }
  }
  return {
    passages,
    words: Int32Array.from(building.words),
    passageOf: Int32Array.from(building.passageOf),
    idOf: building.idOf,
    placesOf: building.placesOf,
    frequencyOf: building.frequencyOf,
    joined,
    beginnings,
    records,
    timetable: records.map(timetableOf).find(Boolean),
  };
};

/**
 * The kind of an answer; each has its own weights.
 * `record`: describes structured data; `statement`: one or two sentences; `text`: anything longer.
 */
export type Shape = "record" | "statement" | "text";

/** Maximum words of a statement. */
const LONGEST_STATEMENT = 45;

export const shapeOf = (answerWords: number, { records }: Source): Shape => {
  if (records.length > 0) return "record";
  return answerWords <= LONGEST_STATEMENT ? "statement" : "text";
};
