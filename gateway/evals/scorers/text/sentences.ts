import { isMonthName } from "./dates";
import { wordSet } from "./words";

/** A sentence or list item. */
export interface Sentence {
  text: string;
  /** UTF-16 offsets, without surrounding whitespace and list marks. */
  start: number;
  end: number;
}

/** Abbreviations, in lower case. Their full stop doesn't end a sentence. */
const ABBREVIATIONS = wordSet(`
  mr mrs ms dr prof rev hon sr jr st gen col sgt capt lt cmdr gov sen rep pres vs etc eg ie cf al ed eds
  inc ltd co corp dept univ assn bros approx est ca c jan feb mar apr jun jul aug sep sept oct nov dec mt ft ave blvd
  hr fr frau bzw usw vgl evtl ggf inkl zzgl ggü sog geb gest str hl sra srta ud uds mme mlle env av
`);

/** Abbreviations that count only before a number: "No. 5". */
const BEFORE_NUMBERS = wordSet("no nos nr vol p pp s fig op art ch sec abs abb bd kap ziff tab num núm pág");

/** Words that precede ordinals, in languages that write ordinals with a full stop: "am 3. Oktober", "der 2. Bundesliga". */
const BEFORE_ORDINALS = wordSet(`
  am im zum zur vom beim der die das den dem des ein eine einen einem einer seit bis ab und vor nach ihr ihre sein
  seine jeder jeden jedes fra til og på dne od dnia
`);
/** The rest of a date: "3. 10. 1990". */
const REST_OF_DATE = /^\s\p{Nd}{1,2}\.\s?\p{Nd}/u;
const BEGINNING_OF_DATE = /(?<!\p{Nd})\p{Nd}{1,2}\.$/u;

const ENDING = /[.!?…]+["'”’»)\]]*(?=\s|$)|[。！？｡]+[」』”’）]*|[\r\n]+/gu;
const LIST_MARK = /^(?:[-*+•‣◦–]\s+|\(?\p{Nd}{1,3}[.)]\s+|\(?[a-z][.)]\s+|#{1,6}\s+|>\s?)+/u;
/** Maximum length of an abbreviation. */
const MAX_ABBREVIATION_LENGTH = 8;

/**
 * Whether the number from `start` to the full stop before `next` is a list number ("1. Paris") or an ordinal ("am 3.
 * Oktober").
 */
const isOrdinal = (text: string, from: number, start: number, next: number): boolean => {
  const before = text.slice(Math.max(from, start - 20), start).trimEnd();
  const word = /\p{L}+$/u.exec(before)?.[0].toLowerCase() ?? "";
  const behind = text.slice(next, next + 20);
  const noun = /^\s*(\p{L}+)/u.exec(behind)?.[1] ?? "";
  if (before === "" || BEFORE_ORDINALS.has(word) || isMonthName(noun) || noun === "Jahrhundert") return true;
  return REST_OF_DATE.test(behind) || (BEGINNING_OF_DATE.test(before) && /^\s\p{Nd}{4}/u.test(behind));
};

/**
 * Whether a full stop is inside a sentence: after an abbreviation, an initial or a list number, or before a lower-case
 * letter.
 */
const isInside = (text: string, from: number, mark: number, next: number): boolean => {
  if (text[mark] !== "." || text[mark + 1] === ".") return false;
  const word = /[\p{L}\p{Nd}.]+$/u.exec(text.slice(Math.max(from, mark - MAX_ABBREVIATION_LENGTH), mark))?.[0] ?? "";
  const following = /^[\s]*(\S)/u.exec(text.slice(next, next + 40))?.[1];
  if (following && /\p{Ll}/u.test(following)) return true;
  if (/^\p{Lu}$/u.test(word) || /^(?:\p{L}\.)+\p{L}$/u.test(word)) return following !== undefined;
  // Abbreviations such as "z. B." and "u. a.".
  const start = mark - word.length;
  if (
    /^\p{L}$/u.test(word) &&
    (/^\s?\p{L}\./u.test(text.slice(next, next + 4)) ||
      /\p{L}\.\s?$/u.test(text.slice(Math.max(from, start - 3), start)))
  )
    return true;
  if (/^\p{Nd}{1,3}$/u.test(word)) return isOrdinal(text, from, start, next);
  const plain = word.toLowerCase().replaceAll(".", "");
  return ABBREVIATIONS.has(plain) || (BEFORE_NUMBERS.has(plain) && /^\p{Nd}$/u.test(following ?? ""));
};

const trimmed = (text: string, start: number, end: number): Sentence | undefined => {
  const raw = text.slice(start, end);
  const blank = raw.length - raw.trimStart().length;
  const mark = LIST_MARK.exec(raw.slice(blank, blank + 200))?.[0].length ?? 0;
  const part = raw.slice(blank + mark);
  const inner = part.trim();
  if (!/[\p{L}\p{N}]/u.test(inner)) return undefined;
  const from = start + blank + mark + (part.length - part.trimStart().length);
  return { text: inner, start: from, end: from + inner.length };
};

/** The sentences and list items of a text, in order, except those without a letter or digit. */
export const readSentences = (text: string): Sentence[] => {
  const sentences: Sentence[] = [];
  let from = 0;
  const take = (end: number) => {
    const sentence = trimmed(text, from, end);
    if (sentence) sentences.push(sentence);
    from = end;
  };
  for (const match of text.matchAll(ENDING)) {
    const end = match.index + match[0].length;
    if (!isInside(text, from, match.index, end)) take(end);
  }
  take(text.length);
  return sentences;
};

/* A negative verdict before a statement: "No, batteries are not included." It denies nothing after it. */

const REGRET =
  "unfortunately|regrettably|sadly|sorry|leider|malheureusement|lamentablemente|desafortunadamente|infelizmente|purtroppo|helaas";
const NO = "no|nope|nah|nein|non|não|nao|nee";
/** "they aren't", "you can't" */
const ECHO = String.raw`(?:it|this|that|he|she|they|there|you|we|i)\s(?:(?:is|are|was|were|does|do|did|has|have|had|could|would|should|must)(?:n['’]t|\snot)|can['’]t|cannot|won['’]t)`;
const MARK = String.raw`[\s*_]*(?:[,;:.!]|\s[-–—]|—)[\s*_]*`;

const LEAD = new RegExp(
  [
    String.raw`^[\s*_"“]*(?:`,
    String.raw`(?:(?:${REGRET}),?\s)?(?:${NO})${MARK}(?:${ECHO}${MARK})?(?:(?:${REGRET}),?\s)?`,
    String.raw`|(?:${REGRET}),?\s(?:not|nicht|pas|niet)${MARK}`,
    String.raw`|(?:of course|absolutely|certainly|definitely)\snot${MARK}|not\s(?:really|at all)${MARK}`,
    String.raw`)(?=[*_"“]*[\p{L}\p{N}€$£])`,
  ].join(""),
  "iu",
);
/** "No. 5" */
const NUMBER = /^\W*no\.\s?\p{Nd}/iu;

/** The length of the "no" with which a sentence starts, with the punctuation after it; 0 if it starts with none. */
export const verdictLead = (sentence: string): number =>
  NUMBER.test(sentence) ? 0 : (LEAD.exec(sentence)?.[0].length ?? 0);
