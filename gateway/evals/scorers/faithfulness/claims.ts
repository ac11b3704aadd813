import type { ClaimSpan } from "../../judge/judge";
import type { ScoredAnswer } from "../../scored-answer";
import { cosine, type EmbedTexts } from "../embedding";
import { maskCitations } from "../text/citations";
import { abstains, bareAnswerOf, isAbstention, saysNothing } from "../text/refusal";
import { readSentences } from "../text/sentences";
import { readWords } from "../text/words";
import { type Evidence, findEvidence } from "./evidence";
import { type ClaimFeatures, claimFeatures } from "./faithfulness-features";
import { indexNumbers } from "./number-index";
import { attributesOf } from "./records";
import { readSource, type Shape, type Source, shapeOf } from "./source";

/** After this many claims, the rest of the output counts as one more claim. */
const MAX_CLAIMS = 400;

/**
 * Splits an output into the sentences and list items that make a claim. Leaves out questions, headings, courtesies,
 * citations, bare verdicts and abstentions. Texts and offsets are those of the output.
 */
export const claimSpans = (output: string): ClaimSpan[] => {
  const claims = readSentences(maskCitations(output)).flatMap(({ text, start, end }) => {
    const whole = output.slice(start, end);
    // "No information is given in the documents" is an abstention only together with its attribution.
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
  if (readSentences(output).length === 0) return "empty";
  if (abstains(output)) return "abstention";
  return bareAnswerOf(maskCitations(output)) ? "verdict" : "other";
};

/** A claim with everything that is computed for it. */
export interface ReadClaim {
  evidence: Evidence;
  features: ClaimFeatures;
}

/** An answer compared with its contexts. */
export interface ReadAnswer {
  shape: Shape;
  source: Source;
  claims: readonly ReadClaim[];
  answerWords: number;
  knownShare: number;
}

/** Number of windows per claim that are compared by meaning. */
const COMPARED_WINDOWS = 3;
/** Number of claims, from the first, that are compared by meaning. */
const COMPARED_CLAIMS = 64;

const similarities = async (evidence: readonly Evidence[], source: Source, embed: EmbedTexts): Promise<number[]> => {
  const windowsOf = ({ windows }: Evidence) =>
    windows.slice(0, COMPARED_WINDOWS).map(({ passage }) => source.passages[passage]?.text ?? "");
  const compared = evidence.slice(0, COMPARED_CLAIMS).filter(({ windows }) => windows.length > 0);
  const texts = [...new Set(compared.flatMap((each) => [each.claim.text, ...windowsOf(each)]))];
  const vectors = texts.length > 0 ? await embed(texts) : [];
  const vectorOf = new Map(texts.map((text, at) => [text, vectors[at]]));
  const meant = new Map(
    compared.map((each) => {
      const own = vectorOf.get(each.claim.text);
      return [each, Math.max(0, ...windowsOf(each).map((text) => cosine(own, vectorOf.get(text))))];
    }),
  );
  const known = [...meant.values()];
  const middle = known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : 0;
  return evidence.map((each, at) => meant.get(each) ?? (at >= COMPARED_CLAIMS ? middle : 0));
};

/** Compares an answer with its contexts. Requests vectors of its claims and of the passages closest to them. */
export const readAnswer = async ({ contexts, output }: ScoredAnswer, embed: EmbedTexts): Promise<ReadAnswer> => {
  const source = readSource(contexts);
  const masked = maskCitations(output);
  const words = readWords(masked);
  const shape = shapeOf(words.length, source);
  const reading = {
    source,
    numbers: indexNumbers(source.passages.map(({ text }) => text)),
    attributes: attributesOf(source.records),
    shape,
  };
  const evidence = claimSpans(output).map(({ start, end }) =>
    findEvidence({ text: masked.slice(start, end), start, end }, reading),
  );
  const meant = await similarities(evidence, source, embed);
  const claims = evidence.map((each, at) => ({
    evidence: each,
    features: claimFeatures(each, source, meant[at] ?? 0),
  }));
  const isKnown = words.filter(({ stem }) => source.idOf.has(stem)).length;
  return { shape, source, claims, answerWords: words.length, knownShare: isKnown / Math.max(1, words.length) };
};
