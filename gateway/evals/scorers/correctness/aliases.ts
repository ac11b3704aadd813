import { ownValue } from "../../../../lib/own-value";
import { sideOf } from "../text/negation";
import { isInFormula } from "../text/signs";
import { STOP_WORDS, type Word, wordSet } from "../text/words";
import { type Labelled, labelOf } from "./labels";
import { markOf } from "./marks";
import { surnameOf } from "./names";
import { type ReadText, readText, squeeze } from "./read-text";
import { spellOut } from "./short-forms";

/** One way to state a reference answer. */
export interface Alias {
  /** The reference as written. */
  reference: string;
  /** The part of it that is compared. */
  text: string;
  read: ReadText;
  /** The words, without stop words at either end: "the 1990s", "in Paris". */
  words: readonly Word[];
  /** The person's full name, if this alias is the surname. */
  person: readonly Word[] | undefined;
  /** The label of the whole reference: "B" for "B) Saturn". */
  label: Labelled | undefined;
  /** The letters and digits without spaces. */
  squeezed: string;
}

/** Maximum number of references, and of words per reference. The rest are ignored. */
const MAX_REFERENCES = 200;
const MAX_WORDS = 400;

const TITLES = wordSet("mr mrs ms dr prof sir dame");

const trimStopWords = (words: readonly Word[], text: string): readonly Word[] => {
  const isJoined = ({ start, end }: Word) => text.charAt(end) === "&" || text.charAt(start - 1) === "&";
  const isContent = (word: Word, at: number) =>
    !STOP_WORDS.has(word.norm) ||
    isJoined(word) ||
    sideOf(words, at) !== undefined ||
    markOf(words, at, text) !== undefined ||
    isInFormula(words, at, text);
  const first = words.findIndex(isContent);
  if (first < 0) return words;
  return words.slice(first, words.findLastIndex(isContent) + 1);
};

/** "Jesse Bennett" for "Dr. Jesse Bennett". A title on its own, or before a single initial, is kept. */
const withoutTitle = (words: readonly Word[]): readonly Word[] =>
  words.length > 2 && TITLES.has(words[0]?.norm ?? "") ? words.slice(1) : words;

/** Common names of countries other than their initials. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "united states": "USA",
  "united states of america": "United States",
  usa: "United States",
  "united kingdom": "Great Britain",
};

/** Rewrites a reference: drops a leading "Yes," and spells abbreviations such as "4 U" as they are pronounced. */
const rewritten = (reference: string): string =>
  (ownValue(SHORT_NAMES, reference.toLowerCase().replace(/^the\s|\.$/g, "")) ?? reference)
    .replace(/^v(?=\p{Nd}+(?:\.\p{Nd}+)*$)/u, "")
    .replace(/^(?:yes|no)[,.:;]\s+(?=\p{L})/iu, "")
    .replace(/(?<=\p{L})\s?&\s?(?=\p{L})/gu, " and ")
    .replace(/\s([24])\sU\b/gu, (_, digit) => (digit === "2" ? " to you" : " for you"));

/** The reference, its text outside brackets ("Blue (colour)"), and each side of a single "or". */
const variantsOf = (reference: string): string[] => {
  // "Blue (colour)", not "O(n)" or "if (a == b)".
  const outside = reference
    .replace(/(?<![\p{L}\p{N})'′″])\([^()=<>&|^]*\)|(?<![\p{L}\p{N})])\[[^[\]]*\]/gu, " ")
    .trim();
  const sides = reference.split(/\s+or\s+|\s*\/\s*(?=\p{L})/u);
  // "5 mg/kg", "12.4 or later": a value is not separated from its unit or bound.
  const isOneValue = new Set(sides.map((side) => /\p{N}/u.test(side))).size > 1;
  const isChoice =
    sides.length === 2 && reference.length < 80 && !isOneValue && sides.every((side) => /\p{L}{3}/u.test(side));
  const isLettered = /[\p{L}\p{N}]/u.test(outside);
  return [...new Set([reference, rewritten(reference), ...(isLettered ? [outside] : []), ...(isChoice ? sides : [])])];
};

const toAlias = (
  { reference, label, person }: Pick<Alias, "reference" | "label" | "person">,
  variant: string,
  question: string,
): Alias => {
  const read = readText(spellOut(variant, question), false);
  const words = withoutTitle(trimStopWords(read.words, read.text)).slice(0, MAX_WORDS);
  return { reference, text: read.text, read, words, label, person, squeezed: squeeze(words) };
};

/** Every way to state one of the references, except those without words. */
export const readAliases = (references: readonly string[], question: ReadText): Alias[] => {
  const known = new Set<string>();
  return references.slice(0, MAX_REFERENCES).flatMap((reference) => {
    const label = labelOf(reference, question.text);
    const variants = variantsOf(label?.text ?? reference.slice(0, MAX_WORDS * 10));
    const whole = [...(label?.isOption ? [label.label] : []), ...variants].map((text) =>
      toAlias({ reference, label, person: undefined }, text, question.text),
    );
    const surnames = whole.flatMap(({ read }) => {
      const surname = surnameOf(read, question);
      return surname ? [toAlias({ reference, label, person: read.words }, surname.text, question.text)] : [];
    });
    return [...whole, ...surnames].filter(({ words, squeezed, text }) => {
      // "x+1" and "x-1" are different aliases.
      const key = /^[\p{L}\p{M}\s]*$/u.test(text) ? squeezed : `${squeezed}|${text}`;
      if (words.length === 0 || known.has(key)) return false;
      known.add(key);
      return true;
    });
  });
};
