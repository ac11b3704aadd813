import { canonicalJson } from "../../../../lib/canonical-json";
import type { KeyedContent, SampleContent } from "../../content";

/** How a sample relates to earlier ones. */
type Likeness =
  | { kind: "new" | "near" | "exact" }
  /** The key is already used with different content. */
  | { kind: "sameKey"; line: number };

/** Compares each sample with all accepted earlier ones, using little memory. */
export class Duplicates {
  readonly #contents = new Fingerprints();
  readonly #nearContents = new Fingerprints();
  readonly #keys = new Fingerprints();

  /** Compares a sample with earlier ones. Remembers it if it is `new` or `near`. */
  add(sample: KeyedContent & { hash: string }, line: number): Likeness {
    if (this.#contents.find(sample.hash) !== undefined) return { kind: "exact" };
    const sameKey = this.#keys.findOrAdd(sample.key, line);
    if (sameKey !== undefined) return { kind: "sameKey", line: sameKey };
    this.#contents.findOrAdd(sample.hash, line);
    const near = this.#nearContents.findOrAdd(nearText(sample), line);
    return { kind: near === undefined ? "new" : "near" };
  }
}

/** The same for contents that differ only in case, spaces or punctuation. */
const nearText = ({ input, references, contexts, output, group, tags, metadata, ...rest }: SampleContent): string => {
  const { expected_tool_calls: calls, tools, tool_choice: choice } = rest;
  const exact = [group, tags.toSorted(), metadata, calls, tools, choice];
  return canonicalJson([squeeze([input, references, contexts, output]), ...exact]);
};

const IGNORED = /[\s\p{P}]+/gu;

const squeeze = (value: unknown): unknown => {
  if (typeof value === "string") return value.toLowerCase().replace(IGNORED, "");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(squeeze);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, squeeze(inner)]));
};

const digest = new Uint8Array(32);
const words = new DataView(digest.buffer);

/** 53 bits of the text's sha256. A collision occurs in one of a million files with 100,000 texts each. */
const fingerprintOf = (text: string): number => {
  Bun.SHA256.hash(text, digest);
  return words.getUint32(0) * 2 ** 21 + (words.getUint32(4) >>> 11);
};

/** Remembers a number for each text, in 40 bytes per text. A Map of strings would take several times as much. */
export class Fingerprints {
  readonly #numbers = new Map<number, number>();

  /** The number stored with the text. */
  find(text: string): number | undefined {
    return this.#numbers.get(fingerprintOf(text));
  }

  /** Like `find`, but also adds a new text. */
  findOrAdd(text: string, number: number): number | undefined {
    const fingerprint = fingerprintOf(text);
    const found = this.#numbers.get(fingerprint);
    if (found === undefined) this.#numbers.set(fingerprint, number);
    return found;
  }
}
