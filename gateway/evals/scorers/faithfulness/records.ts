import type { Span } from "../../statistics/spans";
import { isAbsence } from "../text/negation";
import { stemOf } from "../text/stem";
import { STOP_WORDS, type Word, wordSet } from "../text/words";

/** A value in a structured context, and the words of its key. */
interface Fact {
  /** The words of the last key in lower case: restaurants, take, out for `RestaurantsTakeOut`. */
  key: readonly string[];
  /** The words of the parent key; empty at the top level. */
  parent: readonly string[];
  value: string | number | boolean | null;
}

/** The content of a structured context. */
export interface DataRecord {
  facts: readonly Fact[];
  /** The facts as lines of text, without negative and empty ones. */
  text: string;
}

/** Maximum number of facts compared individually. The text of all facts is compared. */
const MAX_FACTS = 5000;
const MAX_RECORD_DEPTH = 24;

/** Splits a key into words: business, stars for `businessStars`, `business_stars` or `Business stars`. */
const keyWords = (key: string): string[] =>
  key
    .slice(0, 200)
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

const parseObject = (text: string): object | null => {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
};

const collect = (value: unknown, key: string, above: string, depth: number, facts: Fact[]): void => {
  if (facts.length >= MAX_FACTS || depth > MAX_RECORD_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, key, above, depth + 1, facts);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) collect(inner, name, key, depth + 1, facts);
  } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null) {
    facts.push({ key: keyWords(key), parent: keyWords(above), value });
  }
};

const NEGATIVE_VALUES = new Set(["", "no", "none", "false", "null", "n/a", "unknown"]);

/** Whether a fact affirms its key: yes, no or unknown. A value other than yes or no means that the thing exists. */
const truthOf = ({ value }: Fact): "yes" | "no" | "unknown" => {
  if (value === null) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" && NEGATIVE_VALUES.has(value.trim().toLowerCase()) ? "no" : "yes";
};

const lineOf = ({ key, value }: Fact): string => {
  const name = key.join(" ");
  return value === true ? `${name}.` : `${name}: ${value}.`;
};

/** Parses a structured context, such as JSON; undefined for plain text. */
export const readRecord = (context: string): DataRecord | undefined => {
  const parsed = parseObject(context);
  if (!parsed) return undefined;
  const facts: Fact[] = [];
  collect(parsed, "", "", 0, facts);
  const text = facts
    .filter((fact) => truthOf(fact) === "yes")
    .map(lineOf)
    .join("\n");
  return facts.length >= MAX_FACTS ? { facts, text: context } : { facts, text };
};

/** A property that a record affirms, denies or leaves open, with the stems that name it. */
export interface Attribute {
  name: string;
  stems: readonly string[];
  truth: "yes" | "no" | "unknown";
}

const ADJECTIVES_OF_VALUES = new Set([
  "yes",
  "no",
  "none",
  "free",
  "paid",
  "true",
  "false",
  "available",
  "unavailable",
]);

const isProperty = ({ value }: Fact): boolean =>
  value === null ||
  typeof value === "boolean" ||
  (typeof value === "string" && ADJECTIVES_OF_VALUES.has(value.trim().toLowerCase()));

/** First words that several keys share. They name the record's subject: `RestaurantsTakeOut`, `RestaurantsReservations`. */
const sharedBeginnings = (facts: readonly Fact[]): Set<string> => {
  const keysOf = new Map<string, Set<string>>();
  for (const { key } of facts) {
    const [first] = key;
    if (first === undefined || key.length < 2) continue;
    const keys = keysOf.get(first) ?? new Set();
    keysOf.set(first, keys.add(key.join(" ")));
  }
  return new Set([...keysOf].filter(([, keys]) => keys.size > 1).map(([first]) => first));
};

/** The words of a key that name its property: those after "for", otherwise all but a shared first word. */
const namingWords = (key: readonly string[], shared: ReadonlySet<string>): readonly string[] => {
  const behindFor = key.slice(key.lastIndexOf("for") + 1);
  if (key.includes("for") && behindFor.length > 0) return behindFor;
  return key.length > 1 && shared.has(key[0] ?? "") ? key.slice(1) : key;
};

/** The properties on which all records agree. */
export const attributesOf = (records: readonly DataRecord[]): Attribute[] => {
  const facts = records.flatMap((record) => record.facts.filter(isProperty));
  const shared = sharedBeginnings(records.flatMap((record) => record.facts));
  const byName = new Map<string, Attribute | null>();
  for (const fact of facts) {
    const words = namingWords(fact.key, shared);
    const name = words.join(" ");
    if (words.length === 0 || words.length > 4 || words.every((word) => STOP_WORDS.has(word))) continue;
    const truth = truthOf(fact);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, { name, stems: words.map(stemOf), truth });
    else if (known && known.truth !== truth) byName.set(name, null);
  }
  return [...byName.values()].filter((attribute) => attribute !== null);
};

export interface AttributeFinding extends Span {
  attribute: Attribute;
  isDenied: boolean;
  verdict: "right" | "wrong" | "unknown";
  /** Indexes of the words that name it. */
  from: number;
  to: number;
}

const CLAUSE_STARTS = wordSet("but while although however though yet whereas only");
const SUBJECTS = wordSet("the it they its their there customers this with offers has is he she we you");
const REACH_BACK = 12;
const REACH_AHEAD = 6;
const OPEN =
  /\b(?:not|n['’]t) (?:\w+ )?(?:specified|mentioned|provided|stated|listed|clear|known|indicated|available in)|\bunclear\b|\bunknown\b|\bno information\b/i;

/** Whether a negation before or after the words from `from` to `to` applies to them. */
const isNegated = (words: readonly Word[], from: number, to: number, text: string): boolean => {
  for (let at = from - 1; at >= Math.max(0, from - REACH_BACK); at--) {
    const [word, next] = [words[at], words[at + 1]];
    if (!word || !next) break;
    if (text.slice(word.end, next.start).includes(";") || CLAUSE_STARTS.has(next.norm)) break;
    if (text.slice(word.end, next.start).includes(",") && SUBJECTS.has(next.norm)) break;
    if (isAbsence(word) || (word.norm === "rather" && next.norm === "than")) return true;
    if (CLAUSE_STARTS.has(word.norm)) break;
  }
  for (let at = to; at < Math.min(words.length, to + REACH_AHEAD); at++) {
    const word = words[at];
    if (!word || CLAUSE_STARTS.has(word.norm) || /[,;]/.test(text.slice(words[at - 1]?.end ?? 0, word.start))) break;
    if (isAbsence(word))
      return (
        /\b(?:availab|offer|provid|allow|accept|an option|mention|specif)/i.test(
          text.slice(word.start, word.start + 60),
        ) || word.norm === "unavailable"
      );
  }
  return false;
};

/** The number of words that name a property at `at`, next to each other or written as one; 0 if none do. */
const mentionAt = (words: readonly Word[], at: number, { stems }: Attribute): number => {
  const first = words[at];
  if (!first) return 0;
  if (stems.length > 1 && first.norm === stems.join("")) return 1;
  if (stems.length > 1 && stemOf(first.norm) === stemOf(stems.join(""))) return 1;
  if (stems.every((stem, step) => words[at + step]?.stem === stem)) return stems.length;
  const joined = first.norm + (words[at + 1]?.norm ?? "");
  return stems.length === 1 && joined === stems[0] ? 2 : 0;
};

/** Compares what a claim says about properties with the records. */
export const checkAttributes = (
  text: string,
  words: readonly Word[],
  attributes: readonly Attribute[],
  isMentioned: (stems: readonly string[]) => boolean,
): AttributeFinding[] => {
  const findings: AttributeFinding[] = [];
  const isOpen = OPEN.test(text.slice(0, 2000));
  for (let at = 0; at < words.length; at++) {
    for (const attribute of attributes) {
      const length = mentionAt(words, at, attribute);
      const [first, last] = [words[at], words[at + length - 1]];
      if (length === 0 || !first || !last) continue;
      // A word of a name such as "State Street", or "lot" in "a lot of".
      if (/^\p{Lu}\p{Ll}/u.test(first.text) && at > 0 && attribute.stems.length === 1 && attribute.name.length < 8)
        continue;
      if (words[at + length]?.norm === "of" && words[at - 1]?.norm === "a") continue;
      const isDenied = isNegated(words, at, at + length, text);
      const verdict =
        attribute.truth === "unknown"
          ? isOpen || (!isDenied && isMentioned(attribute.stems))
            ? "right"
            : "unknown"
          : (attribute.truth === "yes") !== isDenied
            ? "right"
            : "wrong";
      findings.push({ start: first.start, end: last.end, attribute, isDenied, verdict, from: at, to: at + length });
    }
  }
  return findings;
};
