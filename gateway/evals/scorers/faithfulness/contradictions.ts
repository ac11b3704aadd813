import type { Span } from "../../statistics/spans";
import { compareDates, type DateMention, readDates } from "../text/dates";
import { negatedWords, readSplitWords, withoutPrefix } from "../text/negation";
import { isAltered, readNumbers } from "../text/numbers";
import { hasSameSigns, type Stretch } from "../text/signs";
import { type ClockTime, isSameTime, readTimes } from "../text/times";
import { isStopWord, type Word, wordSet } from "../text/words";
import type { NumberIndex } from "./number-index";

/** A part of a text that no context supports, and the reason. */
export interface UnsupportedSpan extends Span {
  note: string;
}

/** Symbols that turn a word into a different name: "C", "C++", "C#". */
const NAME_SIGNS = ["", "+", "++", "#", "-", "*"];

const bareName = (norm: string): string => norm.replace(/(?:\+{1,2}|[#*-])$/u, "");

/** Names that the contexts only contain with a different symbol: "A+" for "A-". */
const alteredNames = (words: readonly Word[], isKnown: (stem: string) => boolean): UnsupportedSpan[] =>
  words.flatMap((word) => {
    const bare = bareName(word.norm);
    const isSigned = bare !== word.norm || /^\p{Lu}$/u.test(word.text);
    if (!isSigned || isKnown(word.stem) || !NAME_SIGNS.some((sign) => isKnown(bare + sign))) return [];
    return [{ start: word.start, end: word.end, note: "A context has this name with a different symbol." }];
  });

const alteredNumbers = (
  text: string,
  words: readonly Word[],
  { sorted }: NumberIndex,
  missing: readonly { start: number }[],
): UnsupportedSpan[] =>
  readNumbers(text, words)
    .filter(({ start }) => missing.some((number) => number.start === start))
    .filter((number) => sorted.some(({ quantity }) => isAltered(number, quantity)))
    .map(({ start, end }) => ({ start, end, note: "A context has this number with a different sign, bound or unit." }));

/** Times that are twelve hours off, and dates with one of three parts changed, unless a context contains them unchanged. */
const alteredMoments = (text: string, words: readonly Word[], { times, dates }: NumberIndex): UnsupportedSpan[] => {
  const isHalfDayOff = (time: ClockTime) =>
    times.some((other) => isSameTime({ ...time, isHalfDayUnknown: true }, other)) &&
    !times.some((other) => isSameTime(time, other));
  const isPartOff = (date: DateMention) =>
    dates.some(
      (other) => DATE_PARTS.filter((part) => date[part] !== null && date[part] === other[part]).length === 2,
    ) &&
    DATE_PARTS.every((part) => date[part] !== null) &&
    dates.every((other) => compareDates(date, other) === "conflict" || compareDates(date, other) === "unrelated");
  return [...readTimes(text).filter(isHalfDayOff), ...readDates(text, words).filter(isPartOff)].map(
    ({ start, end }) => ({ start, end, note: "A context has a different date or time." }),
  );
};

const DATE_PARTS = ["year", "month", "day"] as const;

/** All pairs of neighbouring words. */
const pairsOf = (text: string, words: readonly Word[]): Stretch[] =>
  words.slice(1).map((_, at) => ({ text, words, at, length: 2 }));

const keyOf = ({ words, at }: Stretch): string => `${words[at]?.norm} ${words[at + 1]?.norm}`;

const OPERATOR = /[-+*/=<>^±−–×÷≤≥≠]/;

/** Parts of a formula that a passage contains with a different operator: "x+1" for "x-1". */
const alteredFormulas = (text: string, words: readonly Word[], passages: readonly string[]): UnsupportedSpan[] => {
  const parts = pairsOf(text, words).filter(({ at }) =>
    OPERATOR.test(text.slice(words[at]?.end, words[at + 1]?.start)),
  );
  if (parts.length === 0) return [];
  const known = passages.flatMap((passage) => pairsOf(passage, readSplitWords(passage)));
  return parts.flatMap((part) => {
    const same = known.filter((other) => keyOf(other) === keyOf(part));
    const [first, last] = [words[part.at], words[part.at + 1]];
    if (!first || !last || same.length === 0 || same.some((other) => hasSameSigns(other, part))) return [];
    return [{ start: first.start, end: last.end, note: "A context has this with a different operator." }];
  });
};

/**
 * Values that a claim takes from the contexts with a different sign, unit or bound. Offsets count from the start of the
 * claim.
 */
export const findAltered = (
  text: string,
  words: readonly Word[],
  index: NumberIndex,
  missing: readonly { start: number }[],
  passages: readonly string[],
  isKnown: (stem: string) => boolean,
): UnsupportedSpan[] => [
  ...alteredNames(words, isKnown),
  ...alteredNumbers(text, words, index, missing),
  ...alteredMoments(text, words, index),
  ...alteredFormulas(text, words, passages),
];

/** Maximum number of words in a subject that replaces a pronoun. */
const MAX_SUBJECT_WORDS = 6;

/** Sentences longer than this are not compared word by word. */
export const MAX_SENTENCE_WORDS = 60;
export const MAX_SENTENCE_CHARACTERS = 1000;

/** Words after which the opposite may be meant. */
const CONTRASTS = "while whereas but although aber sondern jedoch pero sino mais ma mas maar но а".split(" ");
const CLAUSE_STARTS = new Set([
  ...CONTRASTS,
  ..."because since when which so though where weil obwohl da porque car perche".split(" "),
]);
/** Words that deny what follows, or only suppose it. */
const EXCEPTIONS = wordSet("unlike rather instead except if unless until whether wenn falls si se als");
const CONTRARY = new Set([...CONTRASTS, "unlike", "rather", "instead", "except", "until", "unless"]);
/** A clause that starts with one of these words shares the subject of the previous clause. */
const SUBJECTLESS = wordSet(`
  is are was were has have had does do did can could will would may must should cannot not never no
  it they he she er sie es
`);

/** The content words before the verb, if it is an auxiliary; otherwise the first content word. */
const subjectOf = (clause: readonly Word[]): Word[] => {
  const content = (words: readonly Word[]) => words.filter((word) => !isStopWord(word));
  const verb = clause.findIndex(({ norm }) => SUBJECTLESS.has(norm));
  return verb > 0 ? content(clause.slice(0, verb)) : content(clause).slice(0, 1);
};

const PRONOUN = /^(?:it|they|he|she|es|sie|er)(?=\s)/iu;

/** Replaces a pronoun at the start of a sentence with the previous sentence's subject. */
export const withSubject = (text: string, before: string): string => {
  if (!PRONOUN.test(text)) return text;
  const words = readSplitWords(before.slice(0, MAX_SENTENCE_CHARACTERS));
  const verb = words.findIndex(({ norm }) => SUBJECTLESS.has(norm));
  return verb > 0 && verb <= MAX_SUBJECT_WORDS
    ? text.replace(PRONOUN, before.slice(0, words[verb]?.start).trim())
    : text;
};

/** The words with only one side of each "and": "theft and floods" without "and floods", and without "theft and". */
const partsOf = (words: readonly Word[]): Word[][] => {
  const at = words.findIndex(({ norm }) => norm === "and");
  const sides = [words[at - 1], words[at + 1]];
  if (at < 1 || sides.some((side) => !side || isStopWord(side))) return [[...words]];
  return [
    words.filter((_, place) => place !== at && place !== at + 1),
    words.filter((_, place) => place !== at && place !== at - 1),
  ];
};

/** The clauses that a sentence asserts. */
const clausesOf = (text: string, words: readonly Word[]): Word[][] => {
  const clauses: Word[][] = [[]];
  for (const [at, word] of words.entries()) {
    const next = words[at + 1]?.norm ?? "";
    const isMark = /[,;:()–—，、；：،]/u.test(text.slice(words[at - 1]?.end ?? word.start, word.start));
    const isStart = CLAUSE_STARTS.has(word.norm) || EXCEPTIONS.has(word.norm);
    const isJoint = /^(?:and|or)$/.test(word.norm) && SUBJECTLESS.has(next);
    if (isMark || isStart || isJoint) clauses.push([]);
    if (!isJoint && !CLAUSE_STARTS.has(word.norm)) clauses.at(-1)?.push(word);
  }
  return clauses
    .filter(([first]) => first && !EXCEPTIONS.has(first.norm))
    .map((clause, at, all) =>
      SUBJECTLESS.has(clause[0]?.norm ?? "") ? [...subjectOf(all[at - 1] ?? []), ...clause] : clause,
    );
};

interface WordInPlace {
  isDenied: boolean;
  /** Whether the word is denied in one place and not in another. */
  isMixed: boolean;
  /** Forms of the content words before and after this word. */
  neighbours: readonly string[];
  word: Word;
}

/** The stem; in Korean the first two syllables, in Arabic without the accusative ending. */
const formOf = ({ stem }: Word): string =>
  /^\p{sc=Hangul}/u.test(stem) ? stem.slice(0, 2) : stem.replace(/(?<=\p{sc=Arabic}{3})ا$/u, "");

/** A sentence, with its content words in order. */
interface Statement {
  /** The number of negations, including negating prefixes. */
  negations: number;
  places: ReadonlyMap<string, WordInPlace>;
}

/** `isKnown` says whether one of the compared sentences contains a form. Only then is "unsafe" read as "not safe". */
const statementOf = (text: string, words: readonly Word[], isKnown: (form: string) => boolean): Statement => {
  const { content, negations, negated } = negatedWords(text, words, isStopWord);
  let prefixes = 0;
  const places = new Map<string, WordInPlace>();
  for (const [at, word] of content.entries()) {
    const neighbours = [content[at - 1], content[at + 1]].flatMap((other) => (other ? [formOf(other)] : []));
    const bare = withoutPrefix(formOf(word));
    const isPrefixed = bare !== formOf(word) && isKnown(bare);
    if (isPrefixed) prefixes++;
    const [form, isDenied] = [isPrefixed ? bare : formOf(word), negated.has(word) !== isPrefixed];
    const first = places.get(form);
    if (first) first.isMixed ||= first.isDenied !== isDenied;
    else places.set(form, { isDenied, isMixed: false, neighbours, word });
  }
  return { negations: negations.size + prefixes, places };
};

/** A passage with this fraction of a claim's content words is about the same subject, whatever their weights. */
const MOSTLY_SAME = 0.75;

const shareOf = ({ places }: Statement, { places: others }: Statement): number =>
  [...places.keys()].filter((form) => others.has(form)).length / Math.max(1, places.size);

/** Whether the first statement denies everything that the second denies, and more. */
const hasOneMore = (first: Statement, second: Statement): boolean =>
  first.negations > second.negations &&
  [...second.places].every(([form, { isDenied }]) => !isDenied || first.places.get(form)?.isDenied);

/** The word that only one of two statements denies, between the same neighbours. */
const findDenied = (claimed: Statement, known: Statement, share: number): Span | undefined => {
  if (!hasOneMore(claimed, known) && !hasOneMore(known, claimed)) return undefined;
  // Either the other statement contains all words of the claim and fewer negations, or it contains no other words.
  const isAll = share === 1 && (claimed.negations > known.negations || claimed.places.size === known.places.size);
  for (const [key, { isDenied, neighbours, word }] of claimed.places) {
    const other = known.places.get(key);
    if (other === undefined || other.isMixed || other.isDenied === isDenied) continue;
    if (isAll || neighbours.some((neighbour) => other.neighbours.includes(neighbour)))
      return { start: word.start, end: word.end };
  }
  return undefined;
};

const denyTheSame = ({ places }: Statement, { places: others }: Statement): boolean =>
  [...places].some(([form, { isDenied, neighbours }]) => {
    const other = others.get(form);
    return isDenied && other?.isDenied && neighbours.some((neighbour) => other.neighbours.includes(neighbour));
  });

/** Finds a reversal of the claim in the clauses of the first sentence, unless a clause of any sentence says the same. */
const findReversedClause = (claimed: Statement, sentences: readonly (readonly Statement[])[]): Span | undefined => {
  let [best, found] = [0, undefined as Span | undefined];
  for (const clause of sentences[0] ?? []) {
    const share = shareOf(claimed, clause);
    const isClose = share * claimed.places.size >= 2 && share >= MOSTLY_SAME && share > best;
    const denied = isClose ? findDenied(claimed, clause, share) : undefined;
    if (denied) [best, found] = [share, denied];
  }
  const says = (clause: Statement) =>
    clause.negations === claimed.negations && (shareOf(claimed, clause) >= best || denyTheSame(claimed, clause));
  return found && !sentences.some((clauses) => clauses.some(says)) ? found : undefined;
};

/**
 * Finds a word that the claim denies and a passage affirms, or vice versa: in the closest passage as a whole, or in one
 * of its clauses. Ignores long sentences.
 */
export const findReversal = (
  text: string,
  words: readonly Word[],
  passages: readonly string[],
  isSameMatter: boolean,
): Span | undefined => {
  const sentences = passages
    .filter(({ length }) => length <= MAX_SENTENCE_CHARACTERS)
    .map((passage) => ({ text: passage, words: readSplitWords(passage) }))
    .filter((sentence) => sentence.words.length <= MAX_SENTENCE_WORDS && !/[?？]\W*$/u.test(sentence.text));
  const [closest] = sentences;
  if (!closest || closest.text !== passages[0] || words.length > MAX_SENTENCE_WORDS) return undefined;
  const forms = new Set([words, ...sentences.map((sentence) => sentence.words)].flat().map(formOf));
  const read = (whole: string, part: readonly Word[]) => statementOf(whole, part, (form) => forms.has(form));
  const claimed = read(text, words);
  const statements = sentences.map((each) => read(each.text, each.words));
  const known = statements.reduce((best, each) => (shareOf(claimed, each) > shareOf(claimed, best) ? each : best));
  if (claimed.negations + known.negations === 0) return undefined;
  const isContrast = [words, closest.words].some((each) => each.some(({ norm }) => CONTRARY.has(norm)));
  const share = shareOf(claimed, known);
  const whole = !isContrast && (isSameMatter || share >= MOSTLY_SAME) ? findDenied(claimed, known, share) : undefined;
  if (whole) return whole;
  const clauses = sentences.map((each) => clausesOf(each.text, each.words).map((part) => read(each.text, part)));
  for (const part of clausesOf(text, words).flatMap(partsOf)) {
    const found = findReversedClause(read(text, part), clauses);
    if (found) return found;
  }
  return undefined;
};
