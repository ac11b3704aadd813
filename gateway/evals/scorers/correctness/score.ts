import { probabilityOf } from "../model";
import type { EmbedTexts, ScoredAnswer } from "../types";
import { type CorrectnessFindings, findCorrectness } from "./features";
import { reasonFor } from "./reason";
import { CORRECTNESS_MODEL } from "./weights";

export interface CorrectnessScore {
  /** 0…1; from 0.5 on the answer is held to be correct. */
  value: number;
  reason: string;
}

const isBlank = (text: string): boolean => !/[\p{L}\p{N}]/u.test(text.slice(0, 100_000));

/** An answer without a letter or digit, such as "+", is compared as it is. */
const compareSigns = (references: readonly string[], output: string): CorrectnessScore =>
  references.some((reference) => reference.trim() === output)
    ? { value: 1, reason: "The answer is a reference, sign for sign." }
    : { value: 0, reason: "The answer has neither a letter nor a digit, and is no reference as it stands." };

/** How far the answer says the same as one of its references. Equal texts and vectors give equal scores. */
export const scoreCorrectness = async (answer: ScoredAnswer, embed: EmbedTexts): Promise<CorrectnessScore> => {
  const output = answer.output.trim();
  if (output === "") return { value: 0, reason: "The answer is empty." };
  if (isBlank(output)) return compareSigns(answer.references, output);
  const findings: CorrectnessFindings = await findCorrectness(answer, embed);
  if (findings.matches.length === 0) return { value: 0, reason: "No reference has a word to compare with." };
  const value = probabilityOf(CORRECTNESS_MODEL, findings.features);
  return { value, reason: reasonFor(findings, value) };
};
