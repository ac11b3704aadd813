import type { ClaimSpan } from "../../judge/judge";
import { maskCitations } from "../text/citations";
import { readSentences } from "../text/sentences";
import { abstains, isAbstention, saysNothing, stanceOf } from "../text/stance";

/** More claims than this are not told apart: the rest of an output is one more. */
const MOST_CLAIMS = 400;

/**
 * Sentences and list items that claim something: no questions, headings, courtesies, citations or bare verdicts, nor that
 * the contexts lack an answer. Texts and offsets are the output's own.
 */
export const claimSpans = (output: string): ClaimSpan[] => {
  const claims = readSentences(maskCitations(output)).flatMap(({ text, start, end }) => {
    const whole = output.slice(start, end);
    // "No information is given in the documents" is one only with its attribution.
    return saysNothing(text) || isAbstention(text) || isAbstention(whole) ? [] : [{ text: whole, start, end }];
  });
  const [kept, rest] = [claims.slice(0, MOST_CLAIMS), claims.slice(MOST_CLAIMS)];
  const [first, last] = [rest[0], rest.at(-1)];
  if (first && last) kept.push({ text: output.slice(first.start, last.end), start: first.start, end: last.end });
  return kept;
};

/** Why an output has no claims. */
export type Silence = "empty" | "abstention" | "verdict" | "other";

export const silenceOf = (output: string): Silence => {
  if (readSentences(output).length === 0) return "empty";
  if (abstains(output)) return "abstention";
  return stanceOf(maskCitations(output)) ? "verdict" : "other";
};
