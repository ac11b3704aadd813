import { stemmer } from "stemmer";

/** ASCII words, and runs with non-ASCII characters. */
const RUN = /[a-z0-9\u0080-\uffff]+/g;
const ASCII = /^[a-z0-9]+$/;
const CJK = String.raw`[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]&&[\p{L}\p{N}]]`;
const UNSPACED = String.raw`[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]`;
const WORD = String.raw`[[\p{L}\p{N}\p{M}]--${CJK}--${UNSPACED}]`;
const PART = new RegExp(`(?<cjk>${CJK}+)|(?<unspaced>${UNSPACED}+)|${WORD}+`, "gv");
const LETTER = /[\p{L}\p{N}]/u;
const LATIN_MARKS = /(?<=\p{sc=Latin}\p{M}*)\p{M}/gu;
/** Maximum length of a word that is stemmed. Longer tokens are not English words. */
const MAX_STEMMED = 40;

/** ICU splits all four scripts by dictionary, whatever the locale. */
const words = new Intl.Segmenter("th", { granularity: "word" });

/**
 * Splits a text into search tokens: NFKC, lower case, Latin letters without accents, not stemmed. Chinese, Japanese and
 * Korean become overlapping pairs of characters; Thai, Lao, Khmer and Burmese are split by dictionary.
 */
export const tokensOf = (text: string): string[] => {
  const tokens: string[] = [];
  for (const [run] of text.normalize("NFKC").toLowerCase().matchAll(RUN)) {
    if (ASCII.test(run)) tokens.push(run);
    else pushParts(run, tokens);
  }
  return tokens;
};

/** Porter's stem of an English word (Porter 1980, "An algorithm for suffix stripping"). Other words are unchanged. */
export const stemOf = (token: string): string =>
  token.length <= MAX_STEMMED && /^[a-z]+$/.test(token) ? stemmer(token) : token;

const pushParts = (run: string, tokens: string[]): void => {
  for (const { 0: part, groups } of run.matchAll(PART)) {
    if (groups?.cjk) pushPairs(groups.cjk, tokens);
    else if (groups?.unspaced) pushWords(groups.unspaced, tokens);
    else if (LETTER.test(part)) tokens.push(withoutAccents(part));
  }
};

const withoutAccents = (word: string): string =>
  ASCII.test(word) ? word : word.normalize("NFD").replace(LATIN_MARKS, "").normalize("NFC").replaceAll("ß", "ss");

const pushPairs = (run: string, tokens: string[]): void => {
  const characters = [...run];
  if (characters.length === 1) tokens.push(run);
  for (let i = 1; i < characters.length; i++) tokens.push(`${characters[i - 1]}${characters[i]}`);
};

const pushWords = (run: string, tokens: string[]): void => {
  for (const { segment } of words.segment(run)) if (LETTER.test(segment)) tokens.push(segment);
};
