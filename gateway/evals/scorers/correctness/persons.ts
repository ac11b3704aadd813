import { isNameLike, isStopWord, type Word } from "../text/words";
import type { Occurrence, ReadText } from "./read-text";

/* A person asked for by "who" may be given by surname: "Kennedy" for "John F. Kennedy", but not "Robert Kennedy". */

const list = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

const WHO = list("who whom whose wer wen wem qui quien quienes chi quem wie");
const PARTICLES = list("van von der den de da di do dos del della du la le el al bin ibn ten ter zu");
const TITLES = list(`
  mr mrs ms dr prof professor sir dame lord lady king queen prince princess emperor pope saint st president chancellor minister senator
  governor general captain colonel madame monsieur herr frau senor don author writer poet composer painter artist actor actress
  singer director physicist scientist inventor explorer
`);

/** Matches initials: "J.", "J. F." */
const INITIALS = /^\p{Lu}(?:\.?\s?\p{Lu})*$/u;

/** Maximum number of words in a name whose last word counts as a surname. */
const MAX_WORDS = 4;

/** The surname of a person's name, if the question asks for a person; undefined for other references. */
export const surnameOf = ({ words, text }: ReadText, question: ReadText): Word | undefined => {
  const last = words.at(-1);
  const isName =
    words.length > 1 &&
    words.length <= MAX_WORDS &&
    !/,\s(?![JS]r)/.test(text) &&
    words.every(
      (word) => (isNameLike(word) && !isStopWord(word) && !/\p{Nd}/u.test(word.text)) || PARTICLES.has(word.text),
    );
  return isName && last && /^\p{Lu}\p{Ll}{2}/u.test(last.text) && question.words.some(({ norm }) => WHO.has(norm))
    ? last
    : undefined;
};

/**
 * Whether the words around a surname are a title or part of the person's name. In "Robert Kennedy", they are another
 * name.
 */
export const isSamePerson = ({ words, text }: ReadText, { at, length }: Occurrence, name: readonly Word[]): boolean => {
  const isBeside = (a: Word | undefined, b: Word | undefined) =>
    a && b && (INITIALS.test(a.text) ? /^\.?\s?$/ : /^[\s-]$/).test(text.slice(a.end, b.start));
  const [last, next] = [words[at + length - 1], words[at + length]];
  if (next && isBeside(last, next) && isNameLike(next) && !isStopWord(next) && !/^(?:[js]r|[ivx]+)$/.test(next.norm))
    return false;
  let from = at - 1;
  const isOfName = (word: Word | undefined) => name.slice(1).some(({ norm }) => norm === word?.norm);
  while (PARTICLES.has(words[from]?.text ?? "") || (isOfName(words[from]) && isBeside(words[from], words[from + 1])))
    from--;
  const before = words[from];
  if (!before || !isBeside(before, words[from + 1]) || !isNameLike(before)) return true;
  // "M." is an initial, "I" is a pronoun.
  if (isStopWord(before) && text.charAt(before.end) !== ".") return true;
  const initials = name.map(({ norm }) => norm.charAt(0)).join("");
  const isInitial = INITIALS.test(before.text) && initials.includes(before.norm);
  return isInitial || TITLES.has(before.norm) || name.some(({ norm }) => norm === before.norm);
};

/** Whether an answer has all words of a name but the first, which it replaces: "Miguel Santos" for "Elena Santos". */
export const isOtherPerson = (answer: ReadText, { words }: { words: readonly Word[] }): boolean => {
  const [first] = words;
  const rest = words.slice(1).map(({ norm }) => norm);
  if (
    !first ||
    rest.length === 0 ||
    answer.vocabulary.find(first) > 0 ||
    words.length > MAX_WORDS ||
    !words.every((word) => isNameLike(word) && !word.numeral)
  )
    return false;
  const places = answer.norms.flatMap((_, at) =>
    rest.every((norm, step) => answer.norms[at + step] === norm) ? [at] : [],
  );
  return places.length > 0 && places.every((at) => !isSamePerson(answer, { at, length: rest.length }, words));
};
