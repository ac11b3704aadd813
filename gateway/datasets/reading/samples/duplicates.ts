import { canonicalJson } from "../../../../lib/canonical-json";
import type { KeyedContent, SampleContent } from "../../content";

/** How a sample relates to those before it. */
type Likeness =
  | { kind: "new" | "near" | "exact" }
  /** The key is already used with different content. */
  | { kind: "sameKey"; line: number };

/** Compares each sample with all earlier accepted ones, in little memory. */
export class Duplicates {
  readonly #contents = new Fingerprints();
  readonly #nearContents = new Fingerprints();
  readonly #keys = new Fingerprints();

  /** Compares a sample, and stores it if it is `new` or `near`. */
  add(sample: KeyedContent & { hash: string }, line: number): Likeness {
    if (this.#contents.find(sample.hash) !== undefined) return { kind: "exact" };
    const sameKey = this.#keys.findOrAdd(sample.key, line);
    if (sameKey !== undefined) return { kind: "sameKey", line: sameKey };
    this.#contents.findOrAdd(sample.hash, line);
    const near = this.#nearContents.findOrAdd(nearText(sample), line);
    return { kind: near === undefined ? "new" : "near" };
  }
}

/** Equal for contents that only differ in case, spaces or punctuation. */
const nearText = ({ input, references, contexts, output, group, tags, metadata }: SampleContent): string =>
  canonicalJson([squeeze([input, references, contexts, output]), group, tags.toSorted(), metadata]);

const IGNORED = /[\s\p{P}]+/gu;

const squeeze = (value: unknown): unknown => {
  if (typeof value === "string") return value.toLowerCase().replace(IGNORED, "");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(squeeze);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, squeeze(inner)]));
};

const FIRST_SLOTS = 1024;
/** Share of the slots that may be taken: 100,000 texts fit into 131,072. */
const MAX_LOAD = 0.8;

/**
 * Remembers which texts have come, each with a number, in 15 to 30 bytes; a Map of strings takes ten times as much. Of
 * their sha256 64 bits count: one in a thousand million files of 100,000 texts takes two different ones for the same.
 */
export class Fingerprints {
  /** Two words a slot. */
  #words = new Uint32Array(FIRST_SLOTS * 2);
  /** 0 is a free slot. */
  #numbers = new Uint32Array(FIRST_SLOTS);
  #size = 0;
  readonly #digest = new Uint8Array(32);
  readonly #digestWords = new DataView(this.#digest.buffer);

  /** The number that the text came with. */
  find(text: string): number | undefined {
    Bun.SHA256.hash(text, this.#digest);
    return this.#numbers[this.#slotOf(this.#digestWords.getUint32(0), this.#digestWords.getUint32(4))] || undefined;
  }

  /** Like `find`, and remembers a text that is new. `number` is 1 or more. */
  findOrAdd(text: string, number: number): number | undefined {
    const found = this.find(text);
    if (found !== undefined) return found;
    this.#size++;
    if (this.#size > this.#numbers.length * MAX_LOAD) this.#grow();
    this.#put(this.#digestWords.getUint32(0), this.#digestWords.getUint32(4), number);
    return undefined;
  }

  #put(first: number, second: number, number: number): void {
    const slot = this.#slotOf(first, second);
    this.#words[slot * 2] = first;
    this.#words[slot * 2 + 1] = second;
    this.#numbers[slot] = number;
  }

  /** Where these words are, or would be: the slot that the first word names, or the nearest after it. */
  #slotOf(first: number, second: number): number {
    const last = this.#numbers.length - 1;
    let slot = first & last;
    while (this.#numbers[slot] !== 0 && (this.#words[slot * 2] !== first || this.#words[slot * 2 + 1] !== second)) {
      slot = (slot + 1) & last;
    }
    return slot;
  }

  #grow(): void {
    const [words, numbers] = [this.#words, this.#numbers];
    this.#words = new Uint32Array(words.length * 2);
    this.#numbers = new Uint32Array(numbers.length * 2);
    for (let slot = 0; slot < numbers.length; slot++) {
      const number = numbers[slot] ?? 0;
      if (number !== 0) this.#put(words[slot * 2] ?? 0, words[slot * 2 + 1] ?? 0, number);
    }
  }
}
