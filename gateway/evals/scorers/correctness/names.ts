import { isNameLike, isStopWord, type Word, wordSet } from "../text/words";
import type { Occurrence, ReadText } from "./read-text";
import { acronymPlace, keyOf } from "./word-forms";

/*
 * Names around or beside a reference that make it a different answer: "West Virginia" for "Virginia", "Toy Story 3" for
 * "Toy Story", "Kim Lee or Ana Paz" for "Kim Lee", "Anna and Ben" for "Anna, Ben and Chloe".
 */

/** What names are compared with. */
interface Reference {
  text: string;
  read: ReadText;
  words: readonly Word[];
}

const DIRECTIONS = wordSet("north south east west northern new equatorial papua");
/** Places that share their name with another place, apart from a direction or "New". */
const PLACES = wordSet(`
  virginia mexico england guinea jersey hampshire york carolina dakota sudan africa america ireland macedonia timor germany yemen
  vietnam orleans wales zealand brunswick caledonia korea
`);

/** " II", " 3", ", Part II", ": Volume 2" */
const SEQUEL =
  /^(?:\s(?:[IVX]{2,4}|IV|VI|IX)(?![\p{L}\p{N}])|[,:]?\s(?:Part|Vol\.|Volume|Chapter|Episode)\s(?:\p{Nd}|[IVX]+\b|One|Two|Three))/u;
const NUMBER = /^\s\p{Nd}{1,2}(?=[.,;:!?)"”’*]*(?:\s\p{Ll}|\s*$))/u;
/** "Toy Story 3 is", not "Toy Story 3 times". */
const COUNTED = /^\s\p{Nd}{1,2}\s(?!is\b|was\b|and\b|came\b|by\b|from\b|in\b|has\b|had\b)\p{Ll}/u;

/** An alternative after a name, and before one. */
const OR_BEHIND = /^(?:,?\s(?:or|oder|ou)\s|\s\/\s)(?:maybe\s|perhaps\s|possibly\s|else\s)?(?:the\s)?$/u;
const OR_BEFORE = /^(?:,?\s(?:or|oder|ou)\s|\s\/\s)(?:maybe\s|perhaps\s|possibly\s)?(?:the\s)?$/u;
const MAX_GAP = 24;

/** Whether a word is a name that no reference contains. */
const isNew = (word: Word | undefined, references: ReadonlySet<string>): boolean =>
  word !== undefined && isNameLike(word) && !isStopWord(word) && !word.numeral && !references.has(keyOf(word));

const isKnown = (word: Word | undefined, references: ReadonlySet<string>): boolean =>
  word !== undefined && isNameLike(word) && references.has(keyOf(word));

const isAlternative = (
  { words, text }: ReadText,
  { at, length }: Occurrence,
  references: ReadonlySet<string>,
): boolean => {
  // A surname is found without the given name before it.
  let from = at;
  while (/^\s$/.test(text.slice(words[from - 1]?.end ?? 0, words[from]?.start)) && isKnown(words[from - 1], references))
    from--;
  const [first, last] = [words[from], words[at + length - 1]];
  if (!first || !last) return false;
  const behind = words.slice(at + length, at + length + 4).find((word) => isNew(word, references));
  const before = words.slice(Math.max(0, from - 4), from).findLast((word) => isNew(word, references));
  return (
    (behind !== undefined && OR_BEHIND.test(text.slice(last.end, behind.start).slice(0, MAX_GAP))) ||
    (before !== undefined && OR_BEFORE.test(text.slice(before.end, first.start).slice(-MAX_GAP)))
  );
};

/** The direction in "West Virginia". */
const directionAt = ({ words, text }: Pick<ReadText, "words" | "text">, at: number): string => {
  const [before, word] = [words[at - 1], words[at]];
  if (!before || !word || !PLACES.has(word.norm) || !/^\p{Lu}/u.test(before.text)) return "";
  return DIRECTIONS.has(before.norm) && /^[\s-]$/.test(text.slice(before.end, word.start)) ? before.norm : "";
};

/** Whether the words around an occurrence make it the name of something else, or one of several alternatives. */
export const isOtherName = (
  answer: ReadText,
  place: Occurrence,
  alias: Reference,
  references: ReadonlySet<string>,
): boolean => {
  const { at, length } = place;
  const [first, last] = [answer.words[at], answer.words[at + length - 1]];
  const own = alias.words.at(-1);
  if (!first || !last || !own || !alias.words.some(isNameLike)) return false;
  if (alias.words.length === 1 && directionAt(answer, at) !== directionAt(alias.read, alias.read.words.indexOf(own)))
    return true;
  const behind = answer.text.slice(last.end, last.end + 40);
  const isSequel = SEQUEL.test(behind) || (alias.words.length > 1 && NUMBER.test(behind) && !COUNTED.test(behind));
  const isTitle = alias.words.every((word) => isNameLike(word) && !word.numeral);
  if (isTitle && isSequel && !/\p{Nd}/u.test(alias.text)) return true;
  return isAlternative(answer, place, references);
};

/** Whether an answer lacks the direction of a place: "Virginia" for "West Virginia". */
export const lacksQualifier = ({ words, read }: Reference, answer: ReadText): boolean => {
  const last = words.at(-1);
  const direction = last && words.length === 2 ? directionAt(read, read.words.indexOf(last)) : "";
  const places = answer.words.flatMap(({ norm }, at) => (norm === last?.norm ? [at] : []));
  return direction !== "" && places.length > 0 && places.every((at) => directionAt(answer, at) !== direction);
};

const LONGEST_ITEM = 3;
/** Questions whose answer may be a list without "and". */
const ASKS_WHO = /\b(?:who|whom|whose)\b/iu;
const ASKS_LIST = /\b(?:who|which|what|list|name)\b/iu;
const ITEM_MARK = /^,?\s(?:and|und|et|y|e|en)\s$|^,\s$|^\s?&\s?$/u;
const AND = /\s(?:and|und|et|y|e|en)\s|&/u;

/** The items of a list such as "Anna, Ben and Chloe"; empty for any other text. */
const itemsOf = ({ words, text }: ReadText): Word[][] => {
  const items: Word[][] = [[]];
  for (const [at, word] of words.entries()) {
    const gap = text.slice(words[at - 1]?.end ?? word.start, word.start);
    if (/^(?:and|und|et|y|e|en)$/.test(word.norm)) continue;
    const from = at > 0 && /^(?:and|und|et|y|e|en)$/.test(words[at - 1]?.norm ?? "") ? words[at - 2]?.end : undefined;
    if (at > 0 && ITEM_MARK.test(from === undefined ? gap : text.slice(from, word.start))) items.push([]);
    items.at(-1)?.push(word);
  }
  const isList = items.length > 1 && items.every((item) => item.length > 0 && item.length <= LONGEST_ITEM);
  return isList && items.every((item) => item.every((word) => !isStopWord(word) && !word.numeral)) ? items : [];
};

/** Whether an answer leaves out items of a list: "Anna and Ben" for "Anna, Ben and Chloe". */
export const lacksItem = ({ read, words }: Reference, answer: ReadText, question: ReadText): boolean => {
  const items = itemsOf(read);
  // "Space and Time" may be one name.
  const isMeant =
    items.length > 2 ? AND.test(read.text) || ASKS_LIST.test(question.text) : ASKS_WHO.test(question.text);
  return (
    isMeant &&
    items.some((item) => item.every((word) => answer.vocabulary.find(word) === 0)) &&
    acronymPlace(answer.words, words) === undefined
  );
};

/* A person asked for by "who" may be given by surname: "Kennedy" for "John F. Kennedy", but not "Robert Kennedy". */

const WHO = wordSet("who whom whose wer wen wem qui quien quienes chi quem wie");
const PARTICLES = wordSet("van von der den de da di do dos del della du la le el al bin ibn ten ter zu");
const TITLES = wordSet(`
  mr mrs ms dr prof professor sir dame lord lady king queen prince princess emperor pope saint st president chancellor minister senator
  governor general captain colonel madame monsieur herr frau senor don author writer poet composer painter artist actor actress
  singer director physicist scientist inventor explorer
`);

/** Matches initials: "J.", "J. F." */
const INITIALS = /^\p{Lu}(?:\.?\s?\p{Lu})*$/u;

/** Maximum number of words in a name whose last word counts as a surname. */
const MAX_NAME_WORDS = 4;

/** The surname of a person's name, if the question asks for a person; undefined for other references. */
export const surnameOf = ({ words, text }: ReadText, question: ReadText): Word | undefined => {
  const last = words.at(-1);
  const isName =
    words.length > 1 &&
    words.length <= MAX_NAME_WORDS &&
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
    words.length > MAX_NAME_WORDS ||
    !words.every((word) => isNameLike(word) && !word.numeral)
  )
    return false;
  const places = answer.norms.flatMap((_, at) =>
    rest.every((norm, step) => answer.norms[at + step] === norm) ? [at] : [],
  );
  return places.length > 0 && places.every((at) => !isSamePerson(answer, { at, length: rest.length }, words));
};
