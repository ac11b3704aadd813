import type { ScoredAnswer } from "../../scored-answer";
import { isRefusal } from "../text/refusal";
import { readAliases } from "./aliases";
import { type Match, matchAliases } from "./match";
import { type ReadText, readText } from "./read-text";
import { compareStatement } from "./reversal";
import { type Setting, settingOf } from "./setting";
import { spellOut } from "./short-forms";
import { inWordingOf } from "./value-check";

/** The inputs of the correctness model. */
export type CorrectnessFeature =
  | "matched"
  | "recall"
  | "f1"
  | "otherFact"
  | "refusal"
  | "denied"
  | "opposite"
  | "rivals";

/** What the scorer finds in an answer. */
export interface CorrectnessFindings {
  answer: ReadText;
  /** Closest match first; empty if no reference contains words. */
  matches: readonly Match[];
  setting: Setting;
  features: Readonly<Record<CorrectnessFeature, number>>;
}

const best = <T>(items: readonly T[], value: (item: T) => number): number => Math.max(0, ...items.map(value));

/** Whether the answer's date, number, letter or symbol differs from that of every reference. */
const givesOther = (matches: readonly Match[]): boolean =>
  matches.length > 0 && matches.every(({ check, isExcluded }) => isExcluded || check?.verdict === "other");

export const findCorrectness = (scored: ScoredAnswer): CorrectnessFindings => {
  const question = readText(scored.question ?? "");
  const aliases = readAliases(scored.references, question);
  const answer = inWordingOf(aliases, readText(spellOut(scored.output, question.text)), question);
  const matches = closestMatches(matchAliases({ answer, question }, aliases));
  const setting = settingOf(answer, question, matches);
  const isDeclined = isRefusal(answer.text);
  const [closest] = matches;
  // "21 or older" is "no younger than 21".
  const isLimit = closest?.check && closest.alias.read.numbers.some(({ bound }) => bound);
  const stance = closest && !isLimit && compareStatement(answer, question, closest.alias);
  const isRestated = stance === "restated" && closest?.isExcluded === false;
  const isMatched = isRestated || matches.some((match) => match.isMatched);
  return {
    answer,
    matches,
    setting,
    features: {
      matched: Number(isMatched),
      recall: isRestated ? 1 : best(matches, ({ recall }) => recall),
      f1: best(matches, ({ f1 }) => f1),
      otherFact: Number(!isMatched && givesOther(matches)),
      refusal: Number(!isMatched && isDeclined),
      denied: Number(setting.isDenied),
      opposite: Number(matches.some(({ isOpposite }) => isOpposite) || stance === "reversed"),
      rivals: Math.min(1, setting.rivals.length / 3),
    },
  };
};

const closestMatches = (matches: readonly Match[]): Match[] =>
  matches.toSorted((a, b) => b.recall - a.recall || b.f1 - a.f1);
