import { STOP_WORDS } from "../../evals/scorers/text/words";
import { Postings } from "./postings";
import { grown, type Slots } from "./slots";
import { stemOf, tokensOf } from "./tokens";
import { WordTable } from "./word-table";

/**
 * BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", section 3.2), with the
 * inverse document frequency of Lucene, which is never negative. A higher K1 gives repeated words more weight; a higher B
 * gives long chunks less. These values are Anserini's. For passages of similar length they work better than the usual 1.2
 * and 0.75 (docs/rag.md).
 */
const K1 = 0.9;
const B = 0.4;

/** Maximum terms of a search. Of a longer question, the rarest terms are used. */
const MAX_QUERY_TERMS = 100;

/** Words in more than this fraction of the chunks say little about a topic, and their lists take long to read. */
const COMMON_SHARE = 0.1;
const MIN_COMMON = 1000;

const NO_POSTINGS = new Uint32Array(0);

interface QueryTerm {
  /** undefined: no chunk contains it. */
  term: number | undefined;
  /** How often the query contains it. */
  count: number;
  /** Chunks that contain it. */
  frequency: number;
  rarity: number;
}

interface IndexedText {
  text: string;
  title: string;
  heading: string;
}

/** How many extra times each word of the title and heading counts (BM25F with one length). */
export interface FieldCounts {
  title: number;
  heading: number;
}

/** Keyword scores of chunks by slot. The index reads from `slots` which chunks exist, and never changes it. */
export class KeywordIndex {
  readonly #postings = new Postings();
  /** Number of the posting list by stem. */
  readonly #terms = new WordTable();
  /** Caches stems, so that each word is stemmed once. */
  readonly #termOfWord = new WordTable();
  /** By term: `slots.removals` when the list was last purged. */
  readonly #purgedAt: number[] = [];
  #lengths = new Float32Array(0);
  #totalLength = 0;
  #scores = new Float32Array(0);
  /** By slot: position among the chunks whose coverage is computed, from 1; 0 for all others. */
  #places = new Uint8Array(0);

  constructor(
    private readonly slots: Slots,
    private readonly fieldCounts: FieldCounts = { title: 0, heading: 0 },
  ) {}

  add(slot: number, { text, title, heading }: IndexedText): void {
    const counts = new Map<number, number>();
    const length =
      this.#count(counts, text, 1) +
      this.#count(counts, title, this.fieldCounts.title) +
      this.#count(counts, heading, this.fieldCounts.heading);
    for (const [term, count] of counts) this.#postings.add(term, slot, count);
    if (slot >= this.#lengths.length) {
      this.#lengths = grown(this.#lengths, slot);
      this.#places = grown(this.#places, slot);
    }
    this.#lengths[slot] = length;
    this.#totalLength += length;
  }

  /** Call it for each removed slot. Its postings stay until their list is used or `purge` is called. */
  remove(slot: number): void {
    this.#totalLength -= this.#lengths[slot] ?? 0;
    this.#lengths[slot] = 0;
  }

  /** BM25 by slot: 0 if the chunk has none of the words or is not allowed. Valid until the next call. */
  scores(query: string, allowed: Uint8Array): Float32Array {
    if (this.#scores.length !== allowed.length) this.#scores = new Float32Array(allowed.length);
    else this.#scores.fill(0);
    const averageLength = this.#totalLength / Math.max(1, this.slots.count);
    const known = this.#termsOf(tokensOf(query)).filter(({ term }) => term !== undefined);
    for (const { term, count, rarity } of known.slice(0, MAX_QUERY_TERMS)) {
      // A word counts as often as the question contains it.
      this.#accumulate(term as number, count * rarity * (K1 + 1), averageLength, allowed);
    }
    return this.#scores;
  }

  /**
   * The largest fraction of the question's words, weighted by rarity, that one of these chunks (at most 255) contains,
   * from 0 to 1. Words that the index doesn't contain count most. Stop words, and in a large index words in more than a
   * tenth of its chunks, only count if there are no others.
   */
  coverage(query: string, slots: ArrayLike<number>): number {
    const words = tokensOf(query);
    const content = words.filter((word) => !STOP_WORDS.has(word));
    const all = this.#termsOf(content.length > 0 ? content : words);
    const common = Math.max(MIN_COMMON, COMMON_SHARE * this.slots.count);
    const rare = all.filter(({ frequency }) => frequency <= common);
    const terms = (rare.length > 0 ? rare : all).slice(0, MAX_QUERY_TERMS);
    const covered = new Float64Array(slots.length + 1);
    const places = this.#places;
    for (let i = 0; i < slots.length; i++) places[slots[i] as number] = i + 1;
    for (const { term, rarity } of terms) {
      const list = term === undefined ? NO_POSTINGS : this.#postings.list(term);
      for (let at = 0; at < list.length; at++) {
        const place = places[(list[at] as number) >>> 8] as number;
        if (place > 0) covered[place] = (covered[place] as number) + rarity;
      }
    }
    for (let i = 0; i < slots.length; i++) places[slots[i] as number] = 0;
    const total = terms.reduce((sum, { rarity }) => sum + rarity, 0);
    return total === 0 ? 0 : Math.max(...covered) / total;
  }

  /** Removes the postings of removed slots, so that the slots can be reused, and terms without postings. */
  purge(): void {
    this.#terms.keep((term) => {
      if (this.#postings.lengthOf(this.#purged(term)) > 0) return true;
      this.#postings.drop(term);
      return false;
    });
    this.#termOfWord.clear();
  }

  #accumulate(term: number, weight: number, averageLength: number, allowed: Uint8Array): void {
    const list = this.#postings.list(term);
    const [scores, lengths] = [this.#scores, this.#lengths];
    const base = K1 * (1 - B);
    const perWord = (K1 * B) / averageLength;
    for (let at = 0; at < list.length; at++) {
      const posting = list[at] as number;
      const slot = posting >>> 8;
      const count = posting & 255;
      // Multiplies by 0 or 1, because the CPU would mispredict half of the branches of an `if`.
      const counted = (allowed[slot] as number) * weight * count;
      scores[slot] = (scores[slot] as number) + counted / (count + base + perWord * (lengths[slot] as number));
    }
  }

  /** The terms of these words, rarest first. */
  #termsOf(words: readonly string[]): QueryTerm[] {
    const counts = new Map<string, number>();
    for (const word of words) {
      const stem = stemOf(word);
      counts.set(stem, (counts.get(stem) ?? 0) + 1);
    }
    const terms = Array.from(counts, ([stem, count]) => {
      const term = this.#terms.get(stem);
      const frequency = term === undefined ? 0 : this.#postings.lengthOf(this.#purged(term));
      return { term, count, frequency, rarity: Math.log(1 + (this.slots.count - frequency + 0.5) / (frequency + 0.5)) };
    });
    return terms.sort((a, b) => b.rarity - a.rarity);
  }

  /** Adds `times` to the count of each word, and returns the sum of what it added. */
  #count(counts: Map<number, number>, text: string, times: number): number {
    if (times === 0) return 0;
    const words = tokensOf(text);
    for (const word of words) {
      const term = this.#termOf(word);
      counts.set(term, (counts.get(term) ?? 0) + times);
    }
    return words.length * times;
  }

  #termOf(word: string): number {
    const known = this.#termOfWord.get(word);
    if (known !== undefined) return known;
    const stem = stemOf(word);
    let term = this.#terms.get(stem);
    if (term === undefined) {
      term = this.#postings.create();
      this.#terms.set(stem, term);
      this.#purgedAt[term] = this.slots.removals;
    }
    this.#termOfWord.set(word, term);
    return term;
  }

  /** Purges removed slots from the term's list, and returns the term. */
  #purged(term: number): number {
    if (this.#purgedAt[term] !== this.slots.removals) {
      this.#postings.purge(term, this.slots.alive);
      this.#purgedAt[term] = this.slots.removals;
    }
    return term;
  }
}
