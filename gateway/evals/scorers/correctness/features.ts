import { ARTICLES } from "../text/stop-words";
import type { EmbedTexts, ScoredAnswer } from "../types";
import { type ReadText, readText } from "./answer";
import { type Setting, settingOf } from "./context";
import { hasOtherNumbers } from "./facts";
import { keyOf } from "./key";
import { type Match, matchAliases } from "./match";
import { likestMatches, type Meaning, meaningOf } from "./meaning";
import { type Alias, readAliases } from "./reference";
import { stanceTo } from "./reversal";
import { refusalOf } from "./stance";

/** What the model of correctness looks at. */
export const CORRECTNESS_FEATURES = [
  "stated",
  "statedInQuestion",
  "recall",
  "f1",
  "spelling",
  "otherFact",
  "otherNumber",
  "otherSigns",
  "bareInside",
  "refusal",
  "denied",
  "opposite",
  "late",
  "rivals",
  "opensOtherwise",
  "earlier",
  "cosAnswer",
  "cosStatement",
  "gain",
] as const;
export type CorrectnessFeature = (typeof CORRECTNESS_FEATURES)[number];

/** Everything found out about an answer. */
export interface CorrectnessFindings {
  answer: ReadText;
  /** The likest first; empty where no reference has a word. */
  matches: readonly Match[];
  setting: Setting;
  refusal: number;
  meaning: Meaning;
  features: Readonly<Record<CorrectnessFeature, number>>;
}

const best = <T>(items: readonly T[], value: (item: T) => number): number => Math.max(0, ...items.map(value));

/** A short answer that has nothing but words of a reference: "Cartier" for "Jacques Cartier". */
const bareInside = (answer: ReadText, matches: readonly Match[]): number => {
  if (answer.words.length > 6) return 0;
  return best(matches, ({ f1, isStated, alias, fact }) =>
    !isStated && !fact && f1 > 0 && isWithin(answer, alias) ? 1 : 0,
  );
};

/** Other dates or numbers before the expected one, at most 1; 0 where one reference comes first. */
const earlierOf = (stated: readonly Match[]): number =>
  stated.length > 0 ? Math.min(1, ...stated.map(({ fact }) => (fact?.earlier ?? 0) / 2)) : 0;

/** All words of the answer are the alias's, and no number of the alias is left out: "World War" is not "World War II". */
const isWithin = (answer: ReadText, { words }: Alias): boolean => {
  const known = new Set(words.map(keyOf));
  const isNumberTold = [...known].every((key) => !/^\d/.test(key) || answer.keys.includes(key));
  return isNumberTold && answer.words.every(({ norm }, at) => known.has(answer.keys[at] ?? "") || ARTICLES.has(norm));
};

/** Every reference is a date or number, and the answer gives another one. */
const givesOther = (matches: readonly Match[]): boolean =>
  matches.length > 0 && matches.every(({ fact }) => fact?.verdict === "other");

/** The likest reference has a number among its words, and the answer has another one in its place. */
const hasOther = (answer: ReadText, question: ReadText, [likest]: readonly Match[]): boolean =>
  likest !== undefined && !likest.fact && hasOtherNumbers(likest.alias, answer, question);

export const findCorrectness = async (scored: ScoredAnswer, embed: EmbedTexts): Promise<CorrectnessFindings> => {
  const answer = readText(scored.output);
  const question = readText(scored.question ?? "");
  const matches = likestMatches(matchAliases({ answer, question }, readAliases(scored.references)));
  const setting = settingOf(answer, question, matches);
  const refusal = refusalOf(answer.text);
  const meaning = await meaningOf(answer, scored.question ?? "", matches, embed);
  const stated = matches.filter(({ isStated }) => isStated);
  const [likest] = matches;
  const stance = likest && stanceTo(answer, question, likest.alias);
  const isRestated = stance === "restated";
  const isStated = stated.length > 0 || isRestated;
  return {
    answer,
    matches,
    setting,
    refusal,
    meaning,
    features: {
      stated: Number(isStated),
      statedInQuestion: Number(stated.length > 0 && stated.every(({ isAsked }) => isAsked)),
      recall: isRestated ? 1 : best(matches, ({ recall }) => recall),
      f1: best(matches, ({ f1 }) => f1),
      spelling: isRestated ? 1 : best(matches, ({ spelling }) => spelling),
      otherFact: Number(!isStated && givesOther(matches)),
      otherNumber: Number(!isStated && hasOther(answer, question, matches)),
      otherSigns: Number(!isStated && matches.some(({ hasOtherSigns }) => hasOtherSigns)),
      bareInside: bareInside(answer, matches),
      refusal: isStated ? 0 : refusal,
      denied: Number(setting.isDenied),
      opposite: Number(matches.some(({ isOpposite }) => isOpposite) || stance === "reversed"),
      late: Math.min(1, (setting.sentence ?? 0) / 3),
      rivals: Math.min(1, setting.rivals.length / 3),
      opensOtherwise: Number(setting.opensOtherwise),
      earlier: earlierOf(stated),
      cosAnswer: meaning.answer,
      cosStatement: meaning.statement,
      gain: meaning.gain,
    },
  };
};
