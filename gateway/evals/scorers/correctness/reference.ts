import { indexOfRun } from "../text/overlap";
import { STOP_WORDS } from "../text/stop-words";
import { readWords, type Word } from "../text/words";

/** One way to say a reference answer. */
export interface Alias {
  /** As a person wrote it. */
  reference: string;
  /** The part that is compared. */
  text: string;
  /** Without stop words at both ends: "the 1990s", "in Paris". */
  words: readonly Word[];
  /** Its letters and digits without spaces. */
  squeezed: string;
}

/** References beyond these, and words of one beyond those, are not looked at. */
const MOST_REFERENCES = 200;
const MOST_WORDS = 400;

const TITLES = new Set("mr mrs ms dr prof sir dame".split(" "));

const trimStopWords = (words: readonly Word[]): readonly Word[] => {
  const first = words.findIndex(({ norm }) => !STOP_WORDS.has(norm));
  if (first < 0) return words;
  return words.slice(first, words.findLastIndex(({ norm }) => !STOP_WORDS.has(norm)) + 1);
};

/** "Dr. Jesse Bennett" without the title; a title alone, or before one initial, stays. */
const withoutTitle = (words: readonly Word[]): readonly Word[] =>
  words.length > 2 && TITLES.has(words[0]?.norm ?? "") ? words.slice(1) : words;

/** A reference, what is outside its brackets ("Blue (colour)"), and each side of its one "or". */
const variantsOf = (reference: string): string[] => {
  const outside = reference.replace(/\([^()]*\)|\[[^[\]]*\]/g, " ").trim();
  const sides = reference.split(/\s+or\s+|\s*\/\s*(?=\p{L})/u);
  const isChoice = sides.length === 2 && reference.length < 80 && sides.every((side) => /\p{L}{3}/u.test(side));
  const isLettered = /[\p{L}\p{N}]/u.test(outside);
  return [...new Set([reference, ...(isLettered ? [outside] : []), ...(isChoice ? sides : [])])];
};

export const squeeze = (words: readonly Word[]): string => words.map(({ norm }) => norm).join("");

const toAlias = (reference: string, text: string): Alias => {
  const words = withoutTitle(trimStopWords(readWords(text))).slice(0, MOST_WORDS);
  return { reference, text, words, squeezed: squeeze(words) };
};

/** Every way to say one of the references, without those that have no word. */
export const readAliases = (references: readonly string[]): Alias[] => {
  const known = new Set<string>();
  return references.slice(0, MOST_REFERENCES).flatMap((reference) =>
    variantsOf(reference.slice(0, MOST_WORDS * 10))
      .map((text) => toAlias(reference, text))
      .filter(({ words, squeezed }) => {
        if (words.length === 0 || known.has(squeezed)) return false;
        known.add(squeezed);
        return true;
      }),
  );
};

/** Whether the alias stands in the question already: then repeating it says little. */
export const isInQuestion = ({ words }: Alias, question: readonly Word[]): boolean =>
  indexOfRun(
    question.map(({ stem }) => stem),
    words.map(({ stem }) => stem),
  ) >= 0;
