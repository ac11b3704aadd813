import type { ScoredAnswer } from "../../scored-answer";
import { logOdds, sigmoid } from "../logistic";
import { maskMarkers, maskReasoning } from "../text/citations";
import { abstains, bareAnswerOf, isMissing } from "../text/refusal";
import { isSameText } from "../text/same-text";
import { type CorrectnessFindings, findCorrectness } from "./correctness-features";
import { CORRECTNESS_MODEL } from "./correctness-model";
import { findLiteral, hasOtherCase, isCasedAmount } from "./literal";
import type { Match } from "./match";

interface CorrectnessScore {
  /** 0…1; the answer passes from 0.5. */
  value: number;
  reason: string;
}

/**
 * Scores abstentions. A reference such as "unknown" or "N/A" only accepts an answer that abstains too. Without such a
 * reference, a bare abstention is wrong. Returns undefined if abstentions don't decide the score.
 */
const compareAbstentions = ({ references, output }: ScoredAnswer): CorrectnessScore | undefined => {
  const expected = references.find((reference) => bareAnswerOf(reference) === "abstains");
  if (expected !== undefined && (abstains(output) || isMissing(output)))
    return {
      value: 1,
      reason: `The answer says it can't answer the question, as the reference "${expected}" expects.`,
    };
  if (expected !== undefined && references.every((reference) => bareAnswerOf(reference) === "abstains"))
    return { value: 0, reason: `The reference "${expected}" means that there is no answer, but the answer gives one.` };
  return expected === undefined && bareAnswerOf(output) === "abstains"
    ? { value: 0, reason: `The answer says it can't answer the question. The reference is "${references[0]}".` }
    : undefined;
};

const isBlank = (text: string): boolean => !/[\p{L}\p{N}]/u.test(text.slice(0, MAX_CHARACTERS));
const MAX_CHARACTERS = 100_000;

const DENIED = /(?:\b(?:not|never|isn['’]t)|rather than|instead of)\s*["'`“‘]?$/iu;

/** Whether the answer states a symbol, such as "==" in "The operator is ==.". */
const isSaid = (sign: string, output: string): boolean => {
  const text = output.slice(0, MAX_CHARACTERS);
  const found = findLiteral(text, sign);
  return isSameText(sign, text) || (found !== null && !DENIED.test(text.slice(0, found.index)));
};

/** Compares references without a letter or digit, such as "+", literally. */
const compareSigns = (references: readonly string[], output: string): CorrectnessScore =>
  references.some((reference) => isBlank(reference) && reference.trim() !== "" && isSaid(reference, output))
    ? { value: 1, reason: "The answer contains a reference, symbol for symbol." }
    : { value: 0, reason: "The answer has no letters or digits and matches no reference exactly." };

/** Scores answers whose references are all a bare yes or no. */
const compareVerdicts = (matches: readonly Match[]): CorrectnessScore | undefined => {
  const match =
    matches.find(({ isMatched }) => isMatched) ?? matches.find(({ isOpposite }) => isOpposite) ?? matches[0];
  if (!match?.isVerdict || !matches.every(({ isVerdict }) => isVerdict)) return undefined;
  const name = quote(match.alias.reference);
  if (match.isMatched) return { value: 1, reason: `The answer says the same as the reference ${name}.` };
  const reason = match.isOpposite
    ? `The answer contradicts the reference ${name}.`
    : "The answer does not say yes or no.";
  return { value: 0, reason };
};

/**
 * Removes reasoning before the answer, and citation markers ("Paris [1]") unless a reference contains them too
 * ("x[1]").
 */
export const withoutMarkers = (answer: ScoredAnswer): ScoredAnswer => {
  const output = maskMarkers(maskReasoning(answer.output));
  const isMarked = answer.references.some((reference) => maskMarkers(reference) !== reference);
  return isMarked || isBlank(output) ? answer : { ...answer, output };
};

/** The score of an answer that is empty, consists of symbols or abstains; undefined for any other answer. */
const scoreByRule = (answer: ScoredAnswer): CorrectnessScore | undefined => {
  const output = answer.output.trim();
  if (output === "") return { value: 0, reason: "The answer is empty." };
  const same = answer.references.find(
    (reference) =>
      isSameText(reference, output) &&
      !hasOtherCase(reference, output, answer.question ?? "") &&
      (!isCasedAmount(reference) || output.includes(reference)),
  );
  if (same !== undefined) return { value: 1, reason: `The answer is the reference ${quote(same)}.` };
  const bySigns = compareSigns(answer.references, output);
  return isBlank(output) || bySigns.value === 1 ? bySigns : compareAbstentions(answer);
};

/** Scores how well the answer matches one of its references. The same texts always give the same scores. */
export const scoreCorrectness = (answer: ScoredAnswer): CorrectnessScore => {
  const decided = scoreByRule(answer);
  if (decided) return decided;
  const findings = findCorrectness(withoutMarkers(answer));
  if (findings.matches.length === 0) return { value: 0, reason: "The references contain no words to compare with." };
  const verdict = compareVerdicts(findings.matches);
  if (verdict) return verdict;
  const value = sigmoid(logOdds(CORRECTNESS_MODEL, findings.features));
  return { value, reason: reasonFor(findings, value) };
};

const MAX_QUOTE_LENGTH = 80;
/** Maximum number of words quoted in "It mentions … instead". */
const MAX_RIVALS = 3;
/** The minimum fraction that counts as most of the words. */
const MIN_MOST_FRACTION = 0.5;

const quote = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_QUOTE_LENGTH ? `"${line.slice(0, MAX_QUOTE_LENGTH - 1).toWellFormed()}…"` : `"${line}"`;
};

const spotted = (matched: Match, { setting, features }: CorrectnessFindings): string => {
  const name = quote(matched.alias.reference);
  if (features.opposite > 0) return `The answer contradicts the reference ${name}.`;
  if (setting.isDenied) return `The answer mentions the reference ${name} but denies it.`;
  if (setting.sentence !== null && setting.sentence > 0) {
    const rival = setting.rivals.slice(0, MAX_RIVALS).join(" ");
    const first = rival ? `, after ${quote(rival)}` : "";
    return `The answer mentions the reference ${name} only in sentence ${setting.sentence + 1}${first}.`;
  }
  const { given } = matched.check ?? {};
  return given && given.text !== matched.alias.text
    ? `The answer says ${given.text}, which matches the reference ${name}.`
    : `The answer contains the reference ${name}.`;
};

const missed = (closest: Match, { features, setting, matches }: CorrectnessFindings): string => {
  const name = quote(closest.alias.reference);
  const check = matches.find((match) => match.check?.verdict === "other" || match.check?.verdict === "part");
  if (check?.check?.given) {
    const part = check.check.verdict === "part" ? "only " : "";
    return `The answer says ${part}${check.check.given.text}, but the reference is ${check.alias.reference}.`;
  }
  if (features.opposite > 0) return `The answer contradicts the reference ${name}.`;
  if (closest.isExcluded && matches.every(({ isExcluded }) => isExcluded))
    return `The answer lacks a number, letter or symbol of the reference ${name}.`;
  if (features.refusal > 0 && closest.recall < MIN_MOST_FRACTION)
    return `The answer declines or says it doesn't know. The reference is ${name}.`;
  const rivals = setting.rivals.slice(0, MAX_RIVALS).join(" ");
  const instead = rivals ? ` It mentions ${quote(rivals)} instead.` : "";
  if (closest.recall >= MIN_MOST_FRACTION)
    return `The answer contains most, but not all, of the words of the reference ${name}.${instead}`;
  return closest.recall > 0
    ? `The answer shares few words with the closest reference, ${name}.${instead}`
    : `The answer shares no words with the closest reference, ${name}.${instead}`;
};

/** Explains the score to people, in one or two sentences. */
const reasonFor = (findings: CorrectnessFindings, value: number): string => {
  const [closest] = findings.matches;
  if (!closest) return "The references contain no words to compare with.";
  const matched = findings.matches.find(({ isMatched }) => isMatched);
  const said = matched ? spotted(matched, findings) : missed(closest, findings);
  const isPassed = value >= 0.5;
  if (isPassed && !matched) return `${said} Its meaning is close enough to pass.`;
  if (!isPassed && matched && !findings.setting.isDenied)
    return `${said} The rest of the answer lowers the score below the threshold.`;
  return said;
};
