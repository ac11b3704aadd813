import type { ScoredAnswer } from "../../scored-answer";
import type { EmbedTexts } from "../embedding";
import { probabilityOf } from "../model";
import { maskMarkers } from "../text/citations";
import { abstains, bareAnswerOf } from "../text/refusal";
import { typeAscii } from "../text/signs";
import { type CorrectnessFindings, findCorrectness } from "./features";
import { reasonFor } from "./reason";
import { CORRECTNESS_MODEL } from "./weights";

export interface CorrectnessScore {
  /** 0…1; the answer passes from 0.5. */
  value: number;
  reason: string;
}

/**
 * Scores abstentions. A reference such as "unknown" or "N/A" accepts only an answer that abstains too. Without such a
 * reference, a bare abstention is wrong. Returns undefined if abstentions don't decide the score.
 */
const compareAbstentions = ({ references, output }: ScoredAnswer): CorrectnessScore | undefined => {
  const expected = references.find((reference) => bareAnswerOf(reference) === "abstains");
  if (expected !== undefined && abstains(output))
    return {
      value: 1,
      reason: `The answer says it can't answer the question, as the reference "${expected}" expects.`,
    };
  if (expected !== undefined && references.every((reference) => bareAnswerOf(reference) === "abstains"))
    return { value: 0, reason: `The reference "${expected}" means that there is no answer, but the answer gives one.` };
  return expected === undefined && bareAnswerOf(output) === "abstains" && !references.some(isSameAs(output))
    ? { value: 0, reason: `The answer says it can't answer the question. The reference is "${references[0]}".` }
    : undefined;
};

const isSameAs = (output: string) => (reference: string) =>
  reference.trim().toLowerCase() === output.trim().replace(/\.$/, "").toLowerCase();

const isBlank = (text: string): boolean => !/[\p{L}\p{N}]/u.test(text.slice(0, MAX_CHARACTERS));
const MAX_CHARACTERS = 100_000;

/** A run of symbols, up to the next letter, digit, space or quotation mark. */
const SIGNS = /[^\p{L}\p{N}\s"'`“”‘’«»]+/gu;
/** Sentence punctuation, and brackets around a symbol. */
const AROUND = /^[([{]+(?=.)|(?<=.)[)\]}]+$|(?<=.)[.,;:!?…。]+$/gu;
const DENIED = /(?:\b(?:not|never|isn['’]t)|rather than|instead of)\s*["'`“‘]?$/iu;

const unquoted = (text: string): string =>
  typeAscii(text)
    .trim()
    .replace(/^["'`“”‘’«»]+(?=.)|(?<=.)["'`“”‘’«»]+$/gu, "");

/** Whether the answer contains a symbol on its own, such as "==" in "The operator is ==.". */
const isSaid = (sign: string, output: string): boolean => {
  if (unquoted(output) === sign) return true;
  const text = typeAscii(output.slice(0, MAX_CHARACTERS));
  return [...text.matchAll(SIGNS)].some(({ 0: stretch, index }) => {
    // Punctuation counts only after a space, a quotation mark or a bracket.
    const isApart = index === 0 || /[\s"'`“‘«([]/.test(text.charAt(index - 1));
    return isApart && [stretch, stretch.replace(AROUND, "")].includes(sign) && !DENIED.test(text.slice(0, index));
  });
};

/** Compares references without a letter or digit, such as "+", literally. */
const compareSigns = (references: readonly string[], output: string): CorrectnessScore =>
  references.some((reference) => isBlank(reference) && reference.trim() !== "" && isSaid(unquoted(reference), output))
    ? { value: 1, reason: "The answer contains a reference, symbol for symbol." }
    : { value: 0, reason: "The answer has no letters or digits and matches no reference exactly." };

/** Removes citation markers ("Paris [1]" becomes "Paris") unless a reference has them too ("x[1]"). */
const withoutMarkers = (answer: ScoredAnswer): ScoredAnswer => {
  const output = maskMarkers(answer.output);
  const isMarked = answer.references.some((reference) => maskMarkers(reference) !== reference);
  return isMarked || isBlank(output) ? answer : { ...answer, output };
};

/** Scores how well the answer matches one of its references. Equal texts and vectors give equal scores. */
export const scoreCorrectness = async (answer: ScoredAnswer, embed: EmbedTexts): Promise<CorrectnessScore> => {
  const output = answer.output.trim();
  if (output === "") return { value: 0, reason: "The answer is empty." };
  const bySigns = compareSigns(answer.references, output);
  if (isBlank(output) || bySigns.value === 1) return bySigns;
  const abstention = compareAbstentions(answer);
  if (abstention) return abstention;
  const findings: CorrectnessFindings = await findCorrectness(withoutMarkers(answer), embed);
  if (findings.matches.length === 0) return { value: 0, reason: "The references contain no words to compare with." };
  const value = probabilityOf(CORRECTNESS_MODEL, findings.features);
  return { value, reason: reasonFor(findings, value) };
};
