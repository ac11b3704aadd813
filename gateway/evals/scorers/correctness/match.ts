import { countWords, inCommon } from "../text/overlap";
import { hasSameSigns, isFormula } from "../text/signs";
import { contentWords, isNameLike, isSpaceless, STOP_WORDS, type Word } from "../text/words";
import type { Alias } from "./aliases";
import { contradictsLabel, readLabel } from "./labels";
import { hasFlag, hasOtherCase, isLiteral, literalPlaces } from "./literal";
import { hasSymbol, marksGiven } from "./marks";
import { isOtherName, isOtherPerson, isSamePerson, lacksItem, lacksQualifier } from "./names";
import { findGivenWord, isCommonWord, isOfFamily, occurrencesOf, runs } from "./occurrences";
import { type Occurrence, placeOf, type ReadText, squeeze } from "./read-text";
import { verdictOfStatement } from "./reversal";
import { isSwapped, pairsOf } from "./reversed-values";
import { checkValue, isRefuted, lacksMark, replacesValue, type ValueCheck } from "./value-check";
import { bareVerdictOf, verdictOf } from "./verdict";
import { acronymPlace, familyOf, keyOf } from "./word-forms";

/** How an answer compares with one alias. Fractions are 0…1. */
export interface Match {
  alias: Alias;
  occurrences: readonly Occurrence[];
  check: ValueCheck | undefined;
  /** The answer states the alias: in the same words, as the same date or number, or as the same yes or no. */
  isMatched: boolean;
  /** The alias is a bare yes or no. */
  isVerdict: boolean;
  /** The alias is a yes or no, and the answer says the opposite. */
  isOpposite: boolean;
  /**
   * The answer lacks a number, letter or symbol of the alias, so it can't mean the same: "World War I" for "World War
   * II", "x-1" for "x+1".
   */
  isExcluded: boolean;
  /**
   * The fraction of the alias's words that the answer contains. Similar words count partially; names and numbers count
   * more, and words of the question less.
   */
  recall: number;
  /** F1 of the alias's and the answer's words, without the question's words. */
  f1: number;
}

const NAME_WEIGHT = 2;
const ASKED_WEIGHT = 0.3;
/** Weight of distinguishing words: numbers, a person's surname, and the place itself in "Paris, France". */
const HEAD_WEIGHT = 3;
/** Maximum number of words in a name that has such a part. */
const MAX_NAMES = 4;

/** Index of the surname in a short name, which is the last word before a comma; -1 for other aliases. */
const headOf = (words: readonly Word[], text: string): number => {
  if (words.length < 2 || words.length > MAX_NAMES || !words.every(isNameLike)) return -1;
  const comma = words.findIndex((word, at) => text.slice(word.end, words[at + 1]?.start).includes(","));
  return comma < 0 ? words.length - 1 : comma;
};

const weightOf = (word: Word, isHead: boolean, asked: ReadonlySet<string>): number => {
  const weight = isHead || /^\d/.test(keyOf(word)) ? HEAD_WEIGHT : isNameLike(word) ? NAME_WEIGHT : 1;
  return weight * (asked.has(word.stem) ? ASKED_WEIGHT : 1);
};

/** Whether a Chinese or Japanese character is next to one of its neighbours in the answer: "本日" is not "日本". */
const isInPair = (words: readonly Word[], at: number, { squeezed }: ReadText): boolean =>
  words.length === 1 ||
  [at - 1, at].some(
    (from) => from >= 0 && from + 1 < words.length && squeezed.includes(squeeze(words.slice(from, from + 2))),
  );

const weightedRecall = (alias: Alias, answer: ReadText, asked: ReadonlySet<string>): number => {
  let [found, whole] = [0, 0];
  const words = contentWords(alias.words);
  const head = headOf(words, alias.text);
  for (const [at, word] of words.entries()) {
    const weight = weightOf(word, at === head, asked);
    const hasPlace = !isSpaceless(word) || isInPair(words, at, answer);
    whole += weight;
    found += hasPlace ? weight * answer.vocabulary.find(word) : 0;
  }
  return whole > 0 ? found / whole : 0;
};

const newStems = (words: readonly Word[], asked: ReadonlySet<string>): string[] =>
  words.filter(({ norm, stem }) => !STOP_WORDS.has(norm) && !asked.has(stem)).map(({ stem }) => stem);

/** Where the answer uses a different name for a country whose short name is a common word: "USA" for "US". */
const relativesOf = ({ words }: ReadText, { words: [name, ...others], text }: Alias): Occurrence[] => {
  const family = name && others.length === 0 && /^\p{Lu}{2}$/u.test(text.trim()) ? familyOf(name.norm) : undefined;
  if (family === undefined) return [];
  const isRelative = ({ norm, text }: Word, at: number) =>
    norm !== name?.norm && isOfFamily(words, at, family) && /^\p{Lu}/u.test(text);
  return words.flatMap((word, at) => (isRelative(word, at) ? [{ at, length: 1 }] : []));
};

/**
 * Where the answer states the alias. A date or number may be written differently; a common word must be given as the
 * answer.
 */
const placesOf = (answer: ReadText, alias: Alias, check: ValueCheck | undefined): Occurrence[] => {
  const { verdict, given } = check ?? {};
  if (!check && isCommonWord(alias)) {
    const acronym = acronymPlace(answer.words, alias.words);
    return acronym && acronym.length > 1 ? [acronym] : [...findGivenWord(answer, alias), ...relativesOf(answer, alias)];
  }
  if (!check && isLiteral(alias)) return literalPlaces(answer, alias);
  if (!check && alias.person)
    return runs(answer, alias).filter((place) => isSamePerson(answer, place, alias.person ?? []));
  // "5" also occurs in "5 %" and "March 5".
  if (!given || verdict !== "same") return check ? [] : occurrencesOf(answer, alias);
  return [placeOf(answer, given)];
};

/** Whether an alias is a number, letter or word next to digits, all of which must match exactly: "5-10", "1:2", "H2O". */
const isCode = ({ words }: Alias): boolean =>
  words.some(({ norm }) => /[\p{N}+#]/u.test(norm)) && words.every(({ norm }) => /[\p{N}+#]|^[a-z]$/u.test(norm));

/** Maximum number of words in a formula that must match exactly. */
const MAX_FORMULA_WORDS = 12;

/** What matching needs from both texts, computed once for all aliases. */
interface MatchInput {
  answer: ReadText;
  question: ReadText;
}

/** Compares the answer with each alias. */
export const matchAliases = ({ answer, question }: MatchInput, aliases: readonly Alias[]): Match[] => {
  const asked = new Set(question.words.filter(({ norm }) => !STOP_WORDS.has(norm)).map(({ stem }) => stem));
  const news = newStems(answer.words, asked);
  const counts = countWords(news);
  const label = readLabel(answer.text);
  const given = verdictOf(answer, question);
  const pairs = pairsOf(answer);
  const references = new Set(aliases.flatMap(({ read }) => read.words.map(keyOf)));
  const marks = marksGiven(answer, question);
  const checks = new Map(aliases.map((alias) => [alias, checkValue(alias, answer, question)]));
  const known = [...checks.values()].filter((check) => check !== undefined);
  return aliases.map((alias) => {
    const verdict = bareVerdictOf(alias, answer);
    const stated = verdict === undefined && given !== undefined ? verdictOfStatement(alias.read, question) : undefined;
    const checked = checks.get(alias);
    const check = checked && isRefuted(checked, known) ? { ...checked, verdict: "other" as const } : checked;
    const isCited = !check && isLiteral(alias);
    const lacks =
      contradictsLabel(label, alias.label, alias.text) ||
      (!check &&
        (lacksItem(alias, answer, question) ||
          lacksQualifier(alias, answer) ||
          isOtherPerson(answer, alias) ||
          hasOtherCase(alias.text, answer.text, question.text) ||
          lacksMark(alias, answer, question, marks) ||
          replacesValue(alias, answer, question) ||
          isSwapped(alias.read, pairs)));
    const places = lacks ? [] : placesOf(answer, alias, check);
    const expected = { text: alias.text, words: alias.words, at: 0, length: alias.words.length };
    const occurrences =
      check || isCited
        ? places
        : places.filter(
            (place) =>
              hasSameSigns(expected, { text: answer.text, words: answer.words, ...place }) &&
              !hasFlag(alias, answer, place) &&
              !isOtherName(answer, place, alias, references) &&
              (place.length === alias.words.length || !isFormula(expected)),
          );
    const isExact =
      isCited || (!check && (isCode(alias) || (alias.words.length <= MAX_FORMULA_WORDS && isFormula(expected))));
    const isMatched =
      verdict === undefined ? occurrences.length > 0 || (stated !== undefined && stated === given) : verdict === given;
    const isExcluded = !isMatched && (verdict !== undefined || lacks || isExact || places.length > 0);
    const words = newStems(alias.words, asked);
    // No partial credit: the right month in a wrong date, "x-1" for "x+1", or a common word that is not given as the
    // answer.
    const mayShare =
      !isExcluded &&
      !(check?.verdict === "none" && hasSymbol(answer.text)) &&
      check?.verdict !== "other" &&
      (isMatched || !alias.person) &&
      (isMatched || check !== undefined || !isCommonWord(alias));
    return {
      alias,
      occurrences,
      check,
      isMatched,
      isVerdict: verdict !== undefined,
      isOpposite: given === !(verdict ?? stated ?? given),
      isExcluded,
      recall: isMatched ? 1 : !mayShare ? 0 : weightedRecall(alias, answer, asked),
      f1: !mayShare ? 0 : (2 * inCommon(words, counts)) / Math.max(1, words.length + news.length),
    };
  });
};
