import { probabilityOf } from "../model";
import { maskMarkers } from "../text/citations";
import { typeAscii } from "../text/signs";
import { abstains, stanceOf } from "../text/stance";
import type { EmbedTexts, ScoredAnswer } from "../types";
import { type CorrectnessFindings, findCorrectness } from "./features";
import { reasonFor } from "./reason";
import { CORRECTNESS_MODEL } from "./weights";

export interface CorrectnessScore {
  /** 0…1; from 0.5 on the answer is held to be correct. */
  value: number;
  reason: string;
}

/**
 * A reference such as "unknown" or "N/A" is met by an answer that says there is none, and by nothing else. Without such a
 * reference a bare abstention is wrong. undefined: abstentions decide nothing here.
 */
const compareAbstentions = ({ references, output }: ScoredAnswer): CorrectnessScore | undefined => {
  const expected = references.find((reference) => stanceOf(reference) === "abstains");
  if (expected !== undefined && abstains(output))
    return { value: 1, reason: `The answer says that there is no answer, and so does the reference "${expected}".` };
  if (expected !== undefined && references.every((reference) => stanceOf(reference) === "abstains"))
    return { value: 0, reason: `The answer gives an answer; the reference "${expected}" says that there is none.` };
  return expected === undefined && stanceOf(output) === "abstains" && !references.some(isSameAs(output))
    ? { value: 0, reason: `The answer says that it has no answer; the reference is "${references[0]}".` }
    : undefined;
};

const isSameAs = (output: string) => (reference: string) =>
  reference.trim().toLowerCase() === output.trim().replace(/\.$/, "").toLowerCase();

const isBlank = (text: string): boolean => !/[\p{L}\p{N}]/u.test(text.slice(0, MOST_CHARACTERS));
const MOST_CHARACTERS = 100_000;

/** A stretch of signs, as far as the next letter, digit, space or quotation mark. */
const SIGNS = /[^\p{L}\p{N}\s"'`“”‘’«»]+/gu;
/** Marks of a sentence, and brackets around a sign. */
const AROUND = /^[([{]+(?=.)|(?<=.)[)\]}]+$|(?<=.)[.,;:!?…。]+$/gu;
const DENIED = /(?:\b(?:not|never|isn['’]t)|rather than|instead of)\s*["'`“‘]?$/iu;

const unquoted = (text: string): string =>
  typeAscii(text)
    .trim()
    .replace(/^["'`“”‘’«»]+(?=.)|(?<=.)["'`“”‘’«»]+$/gu, "");

/** Where an answer has a sign alone, such as "==" in "The operator is ==.". */
const isSaid = (sign: string, output: string): boolean => {
  if (unquoted(output) === sign) return true;
  const text = typeAscii(output.slice(0, MOST_CHARACTERS));
  return [...text.matchAll(SIGNS)].some(({ 0: stretch, index }) => {
    // A sign of punctuation is said between spaces or quotation marks only.
    const isApart = index === 0 || /[\s"'`“‘«([]/.test(text.charAt(index - 1));
    return isApart && [stretch, stretch.replace(AROUND, "")].includes(sign) && !DENIED.test(text.slice(0, index));
  });
};

/** References without a letter or digit, such as "+", are compared as they are. */
const compareSigns = (references: readonly string[], output: string): CorrectnessScore =>
  references.some((reference) => isBlank(reference) && reference.trim() !== "" && isSaid(unquoted(reference), output))
    ? { value: 1, reason: "The answer gives a reference, sign for sign." }
    : { value: 0, reason: "The answer has neither a letter nor a digit, and is no reference as it stands." };

/** "Paris [1]" is "Paris", unless a reference has markers too, such as "x[1]". */
const withoutMarkers = (answer: ScoredAnswer): ScoredAnswer => {
  const output = maskMarkers(answer.output);
  const isMarked = answer.references.some((reference) => maskMarkers(reference) !== reference);
  return isMarked || isBlank(output) ? answer : { ...answer, output };
};

/** How far the answer says the same as one of its references. Equal texts and vectors give equal scores. */
export const scoreCorrectness = async (answer: ScoredAnswer, embed: EmbedTexts): Promise<CorrectnessScore> => {
  const output = answer.output.trim();
  if (output === "") return { value: 0, reason: "The answer is empty." };
  const bySigns = compareSigns(answer.references, output);
  if (isBlank(output) || bySigns.value === 1) return bySigns;
  const abstention = compareAbstentions(answer);
  if (abstention) return abstention;
  const findings: CorrectnessFindings = await findCorrectness(withoutMarkers(answer), embed);
  if (findings.matches.length === 0) return { value: 0, reason: "No reference has a word to compare with." };
  const value = probabilityOf(CORRECTNESS_MODEL, findings.features);
  return { value, reason: reasonFor(findings, value) };
};
