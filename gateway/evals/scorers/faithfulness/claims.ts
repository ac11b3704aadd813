import type { ClaimSpan } from "../../judge/judge";
import type { ScoredAnswer } from "../../scored-answer";
import { maskCitations } from "../text/citations";
import { readSplitWords } from "../text/negation";
import { abstains, bareAnswerOf, isAbstention, maskTalk, saysNothing } from "../text/refusal";
import { readSentences } from "../text/sentences";
import { type Evidence, findEvidence } from "./evidence";
import { type ClaimFeatures, claimFeatures } from "./faithfulness-features";
import { indexNumbers } from "./number-index";
import { attributesOf } from "./records";
import { readSource, type Source } from "./source";

/** Maximum number of claims. The rest of the output counts as one more claim. */
const MAX_CLAIMS = 400;

/**
 * Replaces the parts of sentences that make no claim (citations, headings, courtesies) with spaces. The length does not
 * change.
 */
const maskUnclaimed = (output: string): string => maskTalk(maskHeadings(maskCitations(output)));

/**
 * Splits an output into the sentences and list items that make a claim. Omits questions, headings, courtesies,
 * citations, bare verdicts and abstentions. Texts and offsets refer to the original output.
 */
export const claimSpans = (output: string): ClaimSpan[] => {
  const claims = readSentences(maskUnclaimed(output)).flatMap(({ text, start, end }) => {
    const whole = output.slice(start, end);
    // Without its attribution, "No information is given in the documents" is not an abstention.
    return saysNothing(text) || isAbstention(text) || isAbstention(whole) ? [] : [{ text: whole, start, end }];
  });
  const [kept, rest] = [claims.slice(0, MAX_CLAIMS), claims.slice(MAX_CLAIMS)];
  const [first, last] = [rest[0], rest.at(-1)];
  if (first && last) kept.push({ text: output.slice(first.start, last.end), start: first.start, end: last.end });
  return kept;
};

/** Why an output has no claims. */
export type Silence = "empty" | "abstention" | "verdict" | "other";

export const silenceOf = (output: string): Silence => {
  if (output.trim() === "") return "empty";
  if (abstains(output)) return "abstention";
  return bareAnswerOf(maskCitations(output)) ? "verdict" : "other";
};

/** A claim, with everything computed for it. */
export interface ReadClaim {
  evidence: Evidence;
  features: ClaimFeatures;
}

/** An answer, with everything computed from it and its contexts. */
export interface ReadAnswer {
  source: Source;
  claims: readonly ReadClaim[];
  answerWords: number;
}

/** Compares an answer with its contexts. */
export const readAnswer = ({ contexts, output }: ScoredAnswer): ReadAnswer => {
  const source = readSource(contexts);
  const masked = maskUnclaimed(output);
  const reading = {
    source,
    numbers: indexNumbers(source.passages.map(({ text }) => text)),
    attributes: attributesOf(source.records),
  };
  const claims = claimSpans(output).map(({ start, end }) => {
    const evidence = findEvidence({ text: masked.slice(start, end), start, end }, reading);
    return { evidence, features: claimFeatures(evidence, source) };
  });
  return { source, claims, answerWords: readSplitWords(masked).length };
};

/* Headings in Markdown and the header rows of its tables. They name what follows and claim nothing. */

const HASHES = /^\s{0,3}#{1,6}\s+(?<title>.*?)[\s#]*$/u;
const BOLD = /^\s*(?:\p{Nd}{1,2}[.)]\s+)?(?<mark>\*{2,3}|__)(?<title>[^*]+?)\k<mark>\s*:?\s*$/u;
const UNDERLINE = /^\s{0,3}(?:={2,}|-{2,})\s*$/u;
const TABLE_RULE = /^\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?$/u;

/** Matches the end of a sentence, or a verb: "# 3 people died" is a claim. */
const SENTENCE =
  /[.!。！]["'”’)\]]*\s*$|(?<!\p{L})(?:is|are|was|were|has|have|had|will|can|could|should|must|may|might|does|did|became|rose|fell|grew|won|lost|ist|sind|war|wird|wurden?|hat|fue|está|sont)(?!\p{L})|\p{Ll}{2}ed(?=$|\s(?:in|on|at|by|from|to|for|with|the|an?|\p{Nd}))/u;

/** Maximum length of a heading's line. */
const MAX_LINE_CHARACTERS = 200;

/** The text of `line` if it is a heading. `next` is the line below it. */
const titleOf = (line: string, next: string): string | undefined => {
  const marked = HASHES.exec(line)?.groups?.title ?? (BOLD.test(next) ? undefined : BOLD.exec(line)?.groups?.title);
  return marked ?? (UNDERLINE.test(next) && !line.includes("|") ? line : undefined);
};

/**
 * Replaces headings and header rows with spaces. The length does not change. A line is only a heading if there is text
 * below it.
 */
const maskHeadings = (text: string): string => {
  const lines = text.split("\n");
  let below = "";
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] ?? "";
    if (line.length > MAX_LINE_CHARACTERS) {
      below = line.slice(0, MAX_LINE_CHARACTERS);
      continue;
    }
    const next = (lines[at + 1] ?? "").slice(0, MAX_LINE_CHARACTERS);
    const title = titleOf(line, UNDERLINE.test(next) ? next : below);
    const isHeading = below !== "" && title !== undefined && !SENTENCE.test(title);
    if (isHeading || (line.includes("|") && TABLE_RULE.test(next))) lines[at] = " ".repeat(line.length);
    if (/[\p{L}\p{N}]/u.test(line)) below = line;
  }
  return lines.join("\n");
};
