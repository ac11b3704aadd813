import { canonicalJson } from "../../../lib/canonical-json";
import type { KeyedContent, SampleContent } from "../content";
import { Fingerprints } from "./fingerprints";

/** How a sample relates to those before it. */
export type Likeness =
  | { kind: "new" | "near" | "exact" }
  /** Another content has this key. */
  | { kind: "sameKey"; line: number };

/** Compares each sample with all before it that were not refused, in little memory. */
export class Duplicates {
  readonly #contents = new Fingerprints();
  readonly #nearContents = new Fingerprints();
  readonly #keys = new Fingerprints();

  /** Compares a sample, and remembers it when it is `new` or `near`. */
  add(sample: KeyedContent & { hash: string }, line: number): Likeness {
    if (this.#contents.find(sample.hash) !== undefined) return { kind: "exact" };
    const sameKey = this.#keys.findOrAdd(sample.key, line);
    if (sameKey !== undefined) return { kind: "sameKey", line: sameKey };
    this.#contents.findOrAdd(sample.hash, line);
    const near = this.#nearContents.findOrAdd(nearText(sample), line);
    return { kind: near === undefined ? "new" : "near" };
  }
}

/** The same for contents that differ in case, spaces or punctuation only. */
const nearText = ({ input, references, contexts, output, group, tags, metadata }: SampleContent): string =>
  canonicalJson([squeeze([input, references, contexts, output]), group, tags.toSorted(), metadata]);

const IGNORED = /[\s\p{P}]+/gu;

const squeeze = (value: unknown): unknown => {
  if (typeof value === "string") return value.toLowerCase().replace(IGNORED, "");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(squeeze);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, squeeze(inner)]));
};
