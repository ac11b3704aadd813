import type { Claim } from "../../contract";
import type { ScoredAnswer } from "../../scored-answer";
import { logOdds, sigmoid } from "../logistic";
import { maskCitations } from "../text/citations";
import { abstains, bareAnswerOf, isMissing } from "../text/refusal";
import { isSameText } from "../text/same-text";
import { type ReadAnswer, type ReadClaim, readAnswer, type Silence, silenceOf } from "./claims";
import { type AnswerFeatures, answerFeatures, type FaithfulnessModel } from "./faithfulness-features";
import { FAITHFULNESS_MODEL } from "./faithfulness-model";
import { contradictions, unsupportedSpans } from "./unsupported-spans";

interface FaithfulnessScores {
  faithfulness: { value: number; reason: string };
  hallucination: { value: number; reason: string };
  claims: Claim[];
}

/** A claim is supported at or above the first score and unsupported below the second. */
export const SUPPORTED_FROM = 0.5;
export const UNSUPPORTED_BELOW = 0.25;
/** An answer is faithful at or above this score. */
const FAITHFUL_FROM = 0.5;

/**
 * Log-odds at which a claim scores 0.5. In answers with several claims, nine of ten claims are supported, so a claim is
 * only marked if the evidence against it is strong. In answers with one claim, about half are supported.
 */
export const CLAIM_CENTRE = { single: 0, several: -0.75 } as const;

const verdictOf = (score: number): Claim["verdict"] => {
  if (score >= SUPPORTED_FROM) return "supported";
  return score < UNSUPPORTED_BELOW ? "unsupported" : "partly";
};

const judgeClaim = (output: string, read: ReadClaim, score: number, { source }: ReadAnswer): Claim => {
  const { claim, passages } = read.evidence;
  const verdict = verdictOf(score);
  const context = source.passages[passages[0] ?? -1]?.context ?? null;
  const spans = verdict === "supported" ? [] : unsupportedSpans(read);
  const unsupported = spans.map(({ start, end, note }) => ({
    start: claim.start + start,
    end: claim.start + end,
    note,
  }));
  return { ...claim, text: output.slice(claim.start, claim.end), verdict, score, context, unsupported };
};

/** The maximum score of a claim that is not supported. */
const DOUBTED = SUPPORTED_FROM - 0.01;

/** A contradicted claim is at most partly supported. */
const claimScore = (claim: ReadClaim, logit: number, centre: number): number => {
  const score = sigmoid(logit - centre);
  return contradictions(claim).length > 0 ? Math.min(score, DOUBTED) : score;
};

const bareKindOf = (text: string) =>
  isMissing(text) || abstains(text) ? "abstains" : bareAnswerOf(maskCitations(text));

/** Whether a reference and the answer are the same text, abstention or bare yes or no. */
const isExpected = ({ output, references }: ScoredAnswer): boolean => {
  const given = bareKindOf(output);
  return references.some(
    (reference) => isSameText(reference, output.trim()) || (given !== undefined && bareKindOf(reference) === given),
  );
};

/**
 * Scores an answer against its contexts. Faithfulness: 0…1, higher is better. Hallucination: the fraction of
 * unsupported claims, lower is better. The same texts always give the same scores.
 */
export const scoreFaithfulness = (answer: ScoredAnswer): FaithfulnessScores => scoreRead(answer, readAnswer(answer));

/** The same for an answer that has been compared with its contexts. */
export const scoreRead = (answer: ScoredAnswer, read: ReadAnswer): FaithfulnessScores => {
  if (read.claims.length === 0) {
    const { value, reason } = SILENCE[isExpected(answer) ? "expected" : silenceOf(answer.output)];
    return { faithfulness: { value, reason }, hallucination: { value: 0, reason }, claims: [] };
  }
  const model = FAITHFULNESS_MODEL;
  const logits = read.claims.map(({ features }) => logOdds(model.claim, features));
  const features = answerFeatures({
    logits,
    lengths: read.claims.map(({ evidence }) => evidence.words.length),
    answerWords: read.answerWords,
    hasQuestion: answer.question !== null,
  });
  const value = sigmoid(logOdds(model.answer, features));
  const centre = CLAIM_CENTRE[read.claims.length === 1 ? "single" : "several"];
  const claims = read.claims.map((claim, at) =>
    judgeClaim(answer.output, claim, claimScore(claim, logits[at] ?? 0, centre), read),
  );
  const unsupported = claims.filter(({ verdict }) => verdict === "unsupported").length;
  return {
    faithfulness: {
      value,
      reason: faithfulnessReason({
        output: answer.output,
        claims,
        value,
        isFaithful: value >= FAITHFUL_FROM,
        features,
        model: model.answer,
      }),
    },
    hallucination: { value: unsupported / claims.length, reason: hallucinationReason(claims) },
    claims,
  };
};

/**
 * The score of an answer without claims. It is below the threshold: nothing is made up, but nothing is supported
 * either. The annotators of BEGIN rated no such answer as supported.
 */
const NO_CLAIM = 0.1;

/** Scores and reasons for answers without claims. */
export const SILENCE: Readonly<Record<Silence | "expected", { value: number; reason: string }>> = {
  empty: { value: 0, reason: "The answer is empty." },
  abstention: { value: NO_CLAIM, reason: "The answer says it can't answer the question. It makes no claim to check." },
  verdict: { value: NO_CLAIM, reason: "The answer is only a yes or no. It makes no claim to check." },
  other: { value: NO_CLAIM, reason: "The answer makes no claim that can be checked against the contexts." },
  expected: { value: 1, reason: "The answer makes no claim to check, and it matches a reference." },
};

const MAX_QUOTE_LENGTH = 90;

/** Quotes the text on one line and shortens it without splitting a character. */
const quote = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= MAX_QUOTE_LENGTH ? `"${line}"` : `"${line.slice(0, MAX_QUOTE_LENGTH).toWellFormed()}…"`;
};

const countOf = (claims: readonly Claim[], verdict: Claim["verdict"]): number =>
  claims.filter((claim) => claim.verdict === verdict).length;

const tally = (claims: readonly Claim[]): string => {
  const [only, ...others] = claims;
  if (only && others.length === 0)
    return `The only claim is ${only.verdict === "partly" ? "partly supported" : only.verdict}.`;
  const counts = `${countOf(claims, "supported")} supported, ${countOf(claims, "partly")} partly supported, ${countOf(claims, "unsupported")} unsupported`;
  return `${claims.length} claims: ${counts}.`;
};

const weakestOf = (claims: readonly Claim[]): Claim | undefined => claims.toSorted((a, b) => a.score - b.score)[0];

/** The first unsupported span of the weakest claim, quoted, with its note. */
const doubt = (output: string, claims: readonly Claim[]): string | undefined => {
  const [span] = weakestOf(claims)?.unsupported ?? [];
  return span ? `${quote(output.slice(span.start, span.end))}: ${span.note}` : undefined;
};

/** An answer, its score, and everything the score is computed from. */
interface WeighedAnswer {
  output: string;
  claims: readonly Claim[];
  value: number;
  isFaithful: boolean;
  features: AnswerFeatures;
  model: FaithfulnessModel["answer"];
}

/** The reason explains a score that is further than this below the fraction of supported claims. */
const FAR_BELOW = 0.25;

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** The term of the model that lowers the score most, worded as a clause. Terms are compared in log-odds. */
const mainLoss = ({ claims, features, model: { weights } }: WeighedAnswer): string => {
  const loss = (name: keyof AnswerFeatures, best: number) => (weights[name] ?? 0) * (best - features[name]);
  const weakest = weakestOf(claims);
  const quoted = quote(weakest?.text ?? "");
  const losses: [number, string][] = [
    [loss("unclaimed", 0), `${percent(features.unclaimed)} of the answer's words are not part of any claim`],
    [
      loss("worst", 0),
      claims.length === 1
        ? `the support of the claim is only ${weakest?.score.toFixed(2)}`
        : weakest?.verdict === "supported"
          ? `small doubts about ${claims.length} claims add up; the weakest is ${quoted}`
          : `it depends most on the weakest claim: the support of ${quoted} is ${weakest?.score.toFixed(2)}`,
    ],
  ];
  return losses.reduce((most, each) => (each[0] > most[0] ? each : most))[1];
};

/** Explains why the score differs from the fraction of supported claims. */
const balance = (answer: WeighedAnswer): string | undefined => {
  const { claims, value, isFaithful } = answer;
  const supported = countOf(claims, "supported") / claims.length;
  if (supported - value > FAR_BELOW)
    return `The score is lower than the share of supported claims, because ${mainLoss(answer)}.`;
  return isFaithful && supported < 1 ? "The answer as a whole follows the contexts." : undefined;
};

const faithfulnessReason = (answer: WeighedAnswer): string =>
  [tally(answer.claims), doubt(answer.output, answer.claims), balance(answer)].filter(Boolean).join(" ");

const hallucinationReason = (claims: readonly Claim[]): string => {
  const unsupported = countOf(claims, "unsupported");
  if (unsupported === 0) return "No claim is completely unsupported.";
  return claims.length === 1
    ? "The only claim is unsupported."
    : `${unsupported} of ${claims.length} claims ${unsupported === 1 ? "is" : "are"} unsupported.`;
};
