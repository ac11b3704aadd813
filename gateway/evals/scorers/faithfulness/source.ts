import type { Span } from "../../statistics/spans";
import { maskMarkers } from "../text/citations";
import { readSplitWords } from "../text/negation";
import { readSentences } from "../text/sentences";
import { isStopWord, type Word } from "../text/words";
import { type DataRecord, readRecord } from "./records";

/** A sentence of a context. */
interface Passage {
  text: string;
  /** The index of its context. */
  context: number;
  /** UTF-16 offsets in the context; null for a record, whose text is not the context's. */
  span: Span | null;
  /** Numbers of its words' stems, in order. */
  stems: readonly number[];
}

/** The contexts, parsed once for all claims. Stems are identified by numbers. */
export interface Source {
  passages: readonly Passage[];
  idOf: ReadonlyMap<string, number>;
  /** The passages that contain each stem, in order. */
  passagesOf: readonly (readonly number[])[];
  /** Pairs of neighbouring stems, from `pairKey`. */
  pairs: ReadonlySet<number>;
  /** Neighbouring words written as one: "takeout" for "take out". */
  joined: ReadonlySet<string>;
  /** Beginnings of long stems: "improv" for "improvement". */
  beginnings: ReadonlySet<string>;
  records: readonly DataRecord[];
}

/** Maximum number of characters of the contexts that are read. */
const MAX_CHARACTERS = 4_000_000;
const BEGINNING = 5;

export const beginningOf = (stem: string): string | undefined =>
  stem.length > BEGINNING ? stem.slice(0, BEGINNING) : undefined;

/** Two stems as one number. */
export const pairKey = (first: number, second: number): number => first * 2 ** 26 + second;

const MAX_JOINED_LENGTH = 24;

/** Collects the words of the contexts. */
class SourceBuilder {
  readonly idOf = new Map<string, number>();
  readonly passagesOf: number[][] = [];
  readonly pairs = new Set<number>();
  readonly joined = new Set<string>();
  readonly beginnings = new Set<string>();
  #last: number | undefined;

  /** Returns the number of each word's stem. */
  add(words: readonly Word[], passage: number): number[] {
    return words.map((word, at) => {
      const id = this.#idOf(word.stem);
      const places = this.passagesOf[id];
      if (places && places.at(-1) !== passage) places.push(passage);
      if (this.#last !== undefined) this.pairs.add(pairKey(this.#last, id));
      this.#last = id;
      const beginning = isStopWord(word) ? undefined : beginningOf(word.stem);
      if (beginning) this.beginnings.add(beginning);
      const before = words[at - 1]?.norm ?? "";
      if (before.length > 0 && before.length + word.norm.length <= MAX_JOINED_LENGTH)
        this.joined.add(before + word.norm);
      return id;
    });
  }

  #idOf(stem: string): number {
    const known = this.idOf.get(stem);
    if (known !== undefined) return known;
    const id = this.idOf.size;
    this.idOf.set(stem, id);
    this.passagesOf.push([]);
    return id;
  }
}

export const readSource = (contexts: readonly string[]): Source => {
  const builder = new SourceBuilder();
  const passages: Passage[] = [];
  const records: DataRecord[] = [];
  let left = MAX_CHARACTERS;
  for (const [context, whole] of contexts.entries()) {
    const record = readRecord(whole.slice(0, left));
    if (record) records.push(record);
    const text = (record?.text ?? maskMarkers(whole)).slice(0, left);
    left -= text.length;
    for (const { text: sentence, start, end } of readSentences(text)) {
      const stems = builder.add(readSplitWords(sentence), passages.length);
      passages.push({ text: sentence, context, span: record ? null : { start, end }, stems });
    }
  }
  const { idOf, passagesOf, pairs, joined, beginnings } = builder;
  return { passages, idOf, passagesOf, pairs, joined, beginnings, records };
};
