import { overlaps } from "../../statistics/spans";
import { isNegation, readSplitWords, SIDE_OF, withoutPrefix } from "../text/negation";
import { isSameNumber, type Quantity } from "../text/numbers";
import { isNameLike, isStopWord, type Word, wordMap } from "../text/words";
import { MAX_SENTENCE_CHARACTERS, MAX_SENTENCE_WORDS, type UnsupportedSpan } from "./contradictions";
import { compareFacts, findSwapped, readFacts, valuesOf } from "./exchanges";

/*
 * A claim that repeats a passage with a word replaced: "Lyon is the capital" for "Paris is the capital". Both are aligned
 * by their longest common subsequence; where they differ between the same neighbours, the two parts are compared.
 */

/** A word, or a number with its unit. */
interface Token {
  word: Word;
  quantity: Quantity | undefined;
  start: number;
  end: number;
}

const tokensOf = (text: string, words: readonly Word[]): Token[] => {
  // Times of day are compared elsewhere.
  const quantities = valuesOf(text, words).flatMap(({ quantity }) => quantity ?? []);
  return words.flatMap((word): Token[] => {
    const quantity = quantities.find((each) => overlaps(each, word));
    if (!quantity) return [{ word, quantity, start: word.start, end: word.end }];
    // The end of a range such as "2018–19" is not a separate number.
    const isFirst = word.start <= quantity.start && !/\p{Nd}[-–]$/u.test(text.slice(0, quantity.start).slice(-2));
    return isFirst ? [{ word, quantity, start: quantity.start, end: quantity.end }] : [];
  });
};

const isSame = (a: Token, b: Token): boolean =>
  a.word.stem === b.word.stem
    ? a.quantity === undefined || b.quantity === undefined || isSameNumber(a.quantity, b.quantity)
    : a.quantity !== undefined && b.quantity !== undefined && isSameNumber(a.quantity, b.quantity);

/** Index pairs of the longest common subsequence. */
const align = (claim: readonly Token[], passage: readonly Token[]): [number, number][] => {
  const width = passage.length + 1;
  const lengths = new Uint16Array((claim.length + 1) * width);
  const equal = claim.map((token) => passage.map((other) => isSame(token, other)));
  const lengthAt = (at: number, place: number) => lengths[at * width + place] ?? 0;
  for (let at = claim.length - 1; at >= 0; at--)
    for (let place = passage.length - 1; place >= 0; place--)
      lengths[at * width + place] = equal[at]?.[place]
        ? lengthAt(at + 1, place + 1) + 1
        : Math.max(lengthAt(at + 1, place), lengthAt(at, place + 1));
  const pairs: [number, number][] = [];
  for (let [at, place] = [0, 0]; at < claim.length && place < passage.length; ) {
    if (equal[at]?.[place]) pairs.push([at++, place++]);
    else if (lengthAt(at + 1, place) >= lengthAt(at, place + 1)) at++;
    else place++;
  }
  return pairs;
};

/** Units of time after "per" and "a", and the adverbs for them. */
const PERIODS = wordMap(
  "second|minute|hour hourly|day daily|week weekly|month monthly|quarter quarterly|year yearly annually annual annum"
    .split("|")
    .map((names) => [names, names]),
);

/** German nouns are capitalised too, but names seldom have an article. */
const ARTICLE = /^(?:der|die|das|den|dem|des|ein\p{L}{0,2}|kein\p{L}{0,2}|im|am|zum|zur|vom|beim|ins)$/u;
/** A capitalised first word is not a name if one of these words follows: "However,", "Although the", "Stir in". */
const AFTER_OTHER_WORDS = /^(?:a|an|the|this|that|these|those|some|its|his|her|their|in|of|on|at|to|for|with|and)$/;

/** A token, and where it is in its sentence. */
interface Place {
  tokens: readonly Token[];
  at: number;
}

const isName = ({ tokens, at }: Place): boolean => {
  const [before, token, after] = [tokens[at - 1], tokens[at], tokens[at + 1]];
  if (!token || token.quantity || token.word.norm.length < 2 || !isNameLike(token.word) || isStopWord(token.word))
    return false;
  if (before) return !ARTICLE.test(before.word.norm);
  return after !== undefined && after.start - token.end === 1 && !AFTER_OTHER_WORDS.test(after.word.norm);
};

const ACRONYM = /^\p{Lu}{2,5}$/u;
/** Whether one word may stand for the other: "Rob" for "Robert", "USA" for "United States". */
const areAkin = (a: Word, b: Word): boolean =>
  a.norm.slice(0, 3) === b.norm.slice(0, 3) || (ACRONYM.test(a.text) && !ACRONYM.test(b.text));

/** Whether a word is the negated form of another: "unsafe" for "safe", "небезопасно" for "безопасно". */
const isNegatedForm = (word: string, other: string): boolean => word !== other && withoutPrefix(word) === other;

/** After these words, a number may differ slightly: "about four euros" for 4.20. */
const APPROXIMATE = /^(?:about|around|approximately|roughly|nearly|almost|circa)$/;
const MAX_APPROXIMATION = 0.1;

/** Whether two values differ. Values that differ only in their unit are compared elsewhere. */
const areDifferent = (a: Quantity, b: Quantity): boolean => !isSameNumber({ ...a, unit: null }, { ...b, unit: null });

const isBetweenNumbers = ({ tokens, at }: Place): boolean =>
  tokens[at - 1]?.quantity !== undefined && tokens[at + 1]?.quantity !== undefined;

/** Whether a token and the one before it spell the word together: "non-profit" for "nonprofit". */
const isEndOf = ({ tokens, at }: Place, word: string): boolean =>
  `${tokens[at - 1]?.word.norm}${tokens[at]?.word.norm}` === word;

const isDenied = ({ tokens, at }: Place): boolean =>
  tokens.slice(Math.max(0, at - 2), at).some(({ word }) => isNegation(word));

/** Why a word of the claim contradicts the word in the same place of the passage; undefined if it doesn't. */
const compare = (own: Place, other: Place, isKnown: (stem: string) => boolean): string | undefined => {
  const [given, expected] = [own.tokens[own.at], other.tokens[other.at]];
  if (!given || !expected) return undefined;
  if (given.quantity && expected.quantity) {
    const [value, otherValue] = [given.quantity.value, expected.quantity.value];
    const isNear = Math.abs(value - otherValue) <= MAX_APPROXIMATION * Math.abs(otherValue);
    if (isNear && APPROXIMATE.test(own.tokens[own.at - 1]?.word.norm ?? "")) return undefined;
    return areDifferent(given.quantity, expected.quantity) ? "A context has a different number here." : undefined;
  }
  const [period, otherPeriod] = [PERIODS.get(given.word.stem), PERIODS.get(expected.word.stem)];
  if (period && otherPeriod && period !== otherPeriod) return "A context has a different unit of time here.";
  // "not uncommon" means "common".
  if (isDenied(own) !== isDenied(other)) return undefined;
  const side = SIDE_OF.get(given.word.norm) ?? Number.NaN;
  const [word, otherWord] = [given.word.norm, expected.word.norm];
  if (isEndOf(own, otherWord) || isEndOf(other, word)) return undefined;
  if (SIDE_OF.get(otherWord) === -side || isNegatedForm(word, otherWord) || isNegatedForm(otherWord, word))
    return "A context says the opposite here.";
  if (isKnown(given.word.stem) || areAkin(given.word, expected.word)) return undefined;
  if (isName(own) && isName(other)) return "A context has a different name here.";
  const isMonth = isBetweenNumbers(own) && isBetweenNumbers(other) && word.length > 2;
  return isMonth ? "A context has a different date here." : undefined;
};

/** Maximum number of words in a part that is compared. */
const MAX_PART_WORDS = 3;
/** The minimum fraction of the claim's words that the passage must contain in the same order. */
const MIN_ALIGNED_FRACTION = 0.6;

/** Whether the other sentence contains the token in a different position. */
const isElsewhere = (token: Token, own: readonly Token[], others: readonly Token[]): boolean => {
  const count = (tokens: readonly Token[]) => tokens.filter((each) => isSame(each, token)).length;
  return count(own) <= count(others);
};

/**
 * A name that no context contains, in a claim whose other words are all in a passage with a different name: "The
 * capital is London."
 */
const findNewName = (
  claim: readonly Token[],
  passage: readonly Token[],
  isKnown: (stem: string) => boolean,
): UnsupportedSpan | null => {
  const has = (tokens: readonly Token[], token: Token) => tokens.some((other) => isSame(token, other));
  const [name, ...more] = claim.filter(({ word }) => !isStopWord(word)).filter((token) => !has(passage, token));
  if (!name || more.length > 0 || isKnown(name.word.stem)) return null;
  const isNewName = claim.indexOf(name) > 0 && isName({ tokens: claim, at: claim.indexOf(name) });
  const others = passage.filter((token, at) => isName({ tokens: passage, at }) && !has(claim, token));
  if (!isNewName || others.length === 0 || others.some(({ word }) => areAkin(name.word, word))) return null;
  return { start: name.start, end: name.end, note: "No context contains this name." };
};

/**
 * The first replaced word; null if the passage is about something else; undefined if it contains all of the claim's
 * words.
 */
const compareWith = (
  claim: readonly Token[],
  passage: readonly Token[],
  isKnown: (stem: string) => boolean,
  isKept: (number: Token) => boolean,
): UnsupportedSpan | null | undefined => {
  const pairs = align(claim, passage);
  if (pairs.length < Math.max(2, MIN_ALIGNED_FRACTION * claim.length)) return null;
  if (pairs.length === claim.length) return undefined;
  const edges: [number, number][] = [[-1, -1], ...pairs, [claim.length, passage.length]];
  for (const [index, [at, place]] of edges.slice(0, -1).entries()) {
    const [next = 0, nextPlace = 0] = edges[index + 1] ?? [];
    const length = next - at - 1;
    if (length === 0 || length > MAX_PART_WORDS) continue;
    // Before the first and after the last common word, compares about as many words as the claim has there.
    const from = at < 0 ? Math.max(0, nextPlace - length - 1) : place + 1;
    const to = next === claim.length ? Math.min(passage.length, place + length + 2) : nextPlace;
    if (to - from > MAX_PART_WORDS + 1) continue;
    const isSlot = length === 1 && to - from === 1 && at >= 0 && next < claim.length;
    for (let own = at + 1; own < next; own++) {
      for (let other = from; other < to; other++) {
        const [given, expected] = [claim[own], passage[other]];
        if (!given || !expected) continue;
        const isMoved = isElsewhere(given, claim, passage) || isElsewhere(expected, passage, claim);
        if (isMoved && !(isSlot && given.quantity && !isKept(given))) continue;
        const note = compare({ tokens: claim, at: own }, { tokens: passage, at: other }, isKnown);
        if (note) return { start: given.start, end: given.end, note };
      }
    }
  }
  return findNewName(claim, passage, isKnown);
};

/** A word of the claim that replaces another word, unless a passage contains the claim unchanged. */
export const findReplaced = (
  text: string,
  words: readonly Word[],
  passages: readonly string[],
  isKnown: (stem: string) => boolean,
): UnsupportedSpan[] => {
  if (words.length > MAX_SENTENCE_WORDS) return [];
  const claim = tokensOf(text, words);
  const facts = readFacts(text, words);
  let found: UnsupportedSpan | undefined;
  for (const passage of passages.filter(({ length }) => length <= MAX_SENTENCE_CHARACTERS)) {
    const others = readSplitWords(passage);
    if (others.length > MAX_SENTENCE_WORDS) continue;
    const { kept, exchanged } = compareFacts(facts, passage, others);
    const isKept = ({ start }: Token) => kept.some((value) => value.start === start);
    const replaced = compareWith(claim, tokensOf(passage, others), isKnown, isKept);
    const [first] = [...exchanged, ...findSwapped(text, words, passage, others)].map(({ start, end }) => ({
      start,
      end,
      note: "A context has a different number for this.",
    }));
    if (replaced === undefined && !first) return [];
    found ??= replaced ?? first;
  }
  return found ? [found] : [];
};
