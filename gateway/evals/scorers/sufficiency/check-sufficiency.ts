import { type LogisticModel, logOdds } from "../logistic";
import { isNegation, readSplitWords } from "../text/negation";
import { readSentences } from "../text/sentences";
import { isStopWord, type Word, wordSet } from "../text/words";

/*
 * Whether retrieved passages say enough to answer a question. A question about a topic of the documents that they don't
 * answer finds passages that look relevant; its names, its numbers or the kind of answer it asks for are missing there.
 */

/** A question with what was retrieved for it. */
export interface AskedQuestion {
  question: string;
  /** The best passages first. */
  passages: readonly { title: string; text: string }[];
  /** Cosine of the best chunk. */
  cosine: number;
}

export interface SufficiencyFeatures {
  cosine: number;
  /** Share of the question's names and numbers in the passage closest to it; 1 if it has none. */
  names: number;
  /** 1: the sentence closest to the question has what it asks for: a number, a date or a name. Also 1 for other questions. */
  answerType: number;
  /** 1: the question has a negation that the closest sentence and its neighbours lack. */
  negation: number;
}

/** Limits on what is read, so that the check takes a millisecond or two. */
const MAX_PASSAGES = 5;
const MAX_CHARACTERS = 2000;

const QUESTION_WORDS =
  "what which who whom whose when where why how many much did do does is are was were name called type kind".split(" ");
const isAsking = ({ norm }: Word): boolean => QUESTION_WORDS.includes(norm);

const NUMBER_ASKED =
  /\bhow (?:many|much|long|old|far|tall|large|big|high|often|fast)\b|percent|\bwhat (?:number|percentage|amount|age)\b/i;
const DATE_ASKED = /\bwhen\b|\b(?:what|which) (?:years?|dates?|day|month|century|decade|time)\b/i;
const NAME_ASKED =
  /\b(?:who|whose|whom|where)\b|\b(?:what|which) (?:person|man|woman|president|king|queen|author|company|group|organi[sz]ation|team|city|country|state|river|region|town|nation|county)\b/i;

const NUMBER_WORD =
  /^(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand|million|billion|half|third|quarter|several|dozen|twice)$/;
const DATE_WORD =
  /^(?:\d{3,4}s?|january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|century)$/;
const EXCLUDING = /^(?:except|excluding|besides|instead|without|unlike)$/;

const isCapitalised = ({ text }: Word): boolean => /^\p{Lu}/u.test(text);
/** "I", "I'm", "I’ve". */
const isPronoun = ({ text }: Word): boolean => /^I(?:['’ʼ`]\p{L}+)?$/u.test(text);
const isAcronym = ({ text }: Word): boolean => /^\p{Lu}{2,}$/u.test(text) && text !== "OK";
const SMALL_IN_TITLES = wordSet("a an the of in on at by for and or to with from as");
const HONORIFICS = wordSet("mr mrs ms dr prof sir madam");

/**
 * The names and numbers of a question. A capital letter does not indicate a name at the beginning of a sentence, in "I", in
 * words such as "What" and "The", or in a question that is in capitals or written like a title.
 */
const namesIn = (sentences: readonly (readonly Word[])[]): Word[] => {
  const isFunctional = (word: Word) => isStopWord(word) || isAsking(word) || HONORIFICS.has(word.norm);
  const later = sentences.flatMap((words) => words.slice(1));
  const letters = sentences.flat().filter(({ numeral }) => !numeral);
  const isShouted = letters.length > 1 && letters.every(({ text }) => text === text.toUpperCase());
  const telling = later.filter((word) => !SMALL_IN_TITLES.has(word.norm) && !isPronoun(word) && !word.numeral);
  const isTitled = telling.every(isCapitalised) && telling.some((word) => isFunctional(word) && !isAcronym(word));
  const isName = (word: Word) =>
    isCapitalised(word) && !isPronoun(word) && !isShouted && (isAcronym(word) || !(isTitled || isFunctional(word)));
  const firsts = sentences.flatMap((words) => words.slice(0, 1));
  return [...firsts.filter(({ numeral }) => numeral), ...later.filter((word) => word.numeral || isName(word))];
};
const isDenying = (word: Word): boolean => isNegation(word) || EXCLUDING.test(word.norm);

/** A kind of answer that a question asks for, and whether a word could be that answer. */
interface AnswerKind {
  name: string;
  isMatch(word: Word, position: number): boolean;
}

/** undefined for questions whose answers have no recognisable form. */
const answerKindOf = (question: string): AnswerKind | undefined => {
  if (NUMBER_ASKED.test(question))
    return { name: "number", isMatch: ({ numeral, norm }) => numeral !== undefined || NUMBER_WORD.test(norm) };
  if (DATE_ASKED.test(question)) return { name: "date", isMatch: ({ norm }) => DATE_WORD.test(norm) };
  const isName = (word: Word, position: number) =>
    position > 0 && isCapitalised(word) && !isStopWord(word) && !isPronoun(word);
  return NAME_ASKED.test(question) ? { name: "name", isMatch: isName } : undefined;
};

interface ReadPassage {
  stems: ReadonlySet<string>;
  sentences: {
    words: Word[];
    /** Stems of the sentence, the sentence before it and the title. */
    near: ReadonlySet<string>;
    /** The sentence or one next to it has a negation. */
    isDenying: boolean;
  }[];
}

const stemsOf = (words: readonly Word[]): string[] => words.map(({ stem }) => stem);

const readPassage = ({ title, text }: AskedQuestion["passages"][number]): ReadPassage => {
  const titleStems = stemsOf(readSplitWords(title));
  const read = readSentences(text.slice(0, MAX_CHARACTERS)).map((sentence) => readSplitWords(sentence.text));
  const sentences = read.map((words, at) => ({
    words,
    near: new Set([...stemsOf(words), ...stemsOf(read[at - 1] ?? []), ...titleStems]),
    isDenying: read.slice(Math.max(0, at - 1), at + 2).some((near) => near.some(isDenying)),
  }));
  return { stems: new Set([...titleStems, ...read.flatMap(stemsOf)]), sentences };
};

/** The item with the highest value, or the first such item. */
const highest = <T>(items: readonly T[], measure: (item: T) => number): T | undefined => {
  let best: { item: T; value: number } | undefined;
  for (const item of items) {
    const value = measure(item);
    if (!best || value > best.value) best = { item, value };
  }
  return best?.item;
};

interface Comparison {
  features: SufficiencyFeatures;
  /** Descriptions of what the passages lack. */
  missing: string[];
}

/** Computes the features of a question and its passages. `bench/sufficiency.ts` fits the model to them. */
export const compareWithPassages = ({ question, passages, cosine }: AskedQuestion): Comparison => {
  const asking = readSentences(question.slice(0, MAX_CHARACTERS)).map(({ text }) => readSplitWords(text));
  const words = asking.flat();
  const content = words.filter((word) => !isStopWord(word) && !isAsking(word));
  const asked = content.length > 0 ? content : words;
  const read = passages.slice(0, MAX_PASSAGES).map(readPassage);
  const sentences = read.flatMap((passage) => passage.sentences);
  // A stem that few sentences contain says more about a sentence.
  const weights = new Map(
    stemsOf(asked).map((stem) => [stem, 1 / Math.log2(2 + sentences.filter(({ near }) => near.has(stem)).length)]),
  );
  const shareIn = (stems: ReadonlySet<string>) =>
    [...weights].reduce((sum, [stem, weight]) => sum + (stems.has(stem) ? weight : 0), 0);

  const passage = highest(read, ({ stems }) => shareIn(stems));
  const sentence = highest(sentences, ({ near }) => shareIn(near));
  const names = namesIn(asking);
  const unknown = names.filter(({ stem }) => !passage?.stems.has(stem));
  const given = new Set(stemsOf(words));
  const kind = answerKindOf(question);
  const hasAnswer =
    !kind || (sentence?.words.some((word, at) => kind.isMatch(word, at) && !given.has(word.stem)) ?? false);
  return {
    features: {
      cosine,
      names: names.length > 0 ? 1 - unknown.length / names.length : 1,
      answerType: Number(hasAnswer),
      negation: Number(words.some(isDenying) && !sentence?.isDenying),
    },
    missing: [...unknown.map(({ text }) => `"${text}"`), ...(hasAnswer ? [] : [`a ${kind?.name}`])],
  };
};

/** The embedding model of the fit. Cosines of other models have a different scale. */
export const FITTED_TO = "all-minilm-l6-v2";

/** Fitted and measured by `bench/sufficiency.ts`; docs/evaluation.md has the figures. */
const MODEL: LogisticModel<keyof SufficiencyFeatures> = {
  bias: -0.5802,
  weights: { cosine: 0.5515, names: 0.171, answerType: 0.1464, negation: -0.2675 },
};
/** One in ten answerable questions and one in three unanswerable ones are below this. */
const DOUBTFUL_BELOW = -0.07;

/** A warning for a question that the passages may not answer, or null. */
export const checkSufficiency = (asked: AskedQuestion): string | null => {
  const { features, missing } = compareWithPassages(asked);
  if (logOdds(MODEL, features) >= DOUBTFUL_BELOW) return null;
  const reason =
    missing.length > 0 ? `the closest passage lacks ${missing.join(", ")}` : "no passage is close to what it asks";
  return `The documents may not answer this question: ${reason}.`;
};
