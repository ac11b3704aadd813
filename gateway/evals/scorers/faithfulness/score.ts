import type { Claim } from "../../contract";
import type { EmbedTexts, ScoredAnswer } from "../types";
import { answerFeatures } from "./answer-features";
import { silenceOf } from "./claims";
import { logOdds, type ShapeModel, sigmoid } from "./model";
import { type ReadAnswer, type ReadClaim, readAnswer } from "./reading";
import { faithfulnessReason, hallucinationReason, SILENCE } from "./reason";
import type { Shape } from "./shape";
import { contradictions, unsupportedSpans } from "./unsupported";
import { FAITHFULNESS_MODEL } from "./weights";

export interface FaithfulnessScores {
  faithfulness: { value: number; reason: string };
  hallucination: { value: number; reason: string };
  claims: Claim[];
}

/** From this score on a claim is supported, and below the other one unsupported. */
export const SUPPORTED_FROM = 0.5;
export const UNSUPPORTED_BELOW = 0.25;
/** An answer with this value or more is faithful. */
const FAITHFUL_FROM = 0.5;

/**
 * Log-odds at which a claim's score is 0.5. Of ten sentences of a longer answer nine are supported, so that a doubt has
 * to be strong before one is marked; of statements about half are.
 */
export const CLAIM_CENTRE: Readonly<Record<Shape, number>> = { record: 0.8, text: 0.8, statement: 0 };

const verdictOf = (score: number): Claim["verdict"] => {
  if (score >= SUPPORTED_FROM) return "supported";
  return score < UNSUPPORTED_BELOW ? "unsupported" : "partly";
};

const judgeClaim = (read: ReadClaim, score: number, { source }: ReadAnswer): Claim => {
  const { claim, windows } = read.evidence;
  const verdict = verdictOf(score);
  const context = source.passages[windows[0]?.passage ?? -1]?.context ?? null;
  const spans = verdict === "supported" ? [] : unsupportedSpans(read);
  const unsupported = spans.map(({ start, end, note }) => ({
    start: claim.start + start,
    end: claim.start + end,
    note,
  }));
  return { ...claim, verdict, score, context, unsupported };
};

/** Just below the score of a supported claim. */
const DOUBTED = SUPPORTED_FROM - 0.01;

/** What speaks against a claim by itself leaves it partly supported at most. */
const claimScore = (claim: ReadClaim, logit: number, shape: Shape): number => {
  const score = sigmoid(logit - CLAIM_CENTRE[shape]);
  return contradictions(claim).length > 0 ? Math.min(score, DOUBTED) : score;
};

const valueOfAnswer = (
  read: ReadAnswer,
  { answer }: ShapeModel,
  logits: readonly number[],
  hasQuestion: boolean,
): number =>
  sigmoid(
    logOdds(
      answer,
      answerFeatures({
        logits,
        lengths: read.claims.map(({ evidence }) => evidence.words.length),
        answerWords: read.answerWords,
        hasQuestion,
        knownShare: read.knownShare,
      }),
    ),
  );

/**
 * Faithfulness of an answer to its contexts, 0…1, higher is better, and hallucination: the share of its claims that is
 * unsupported, lower is better. Equal texts and vectors give equal scores. Throws what `embed` throws.
 */
export const scoreFaithfulness = async (answer: ScoredAnswer, embed: EmbedTexts): Promise<FaithfulnessScores> => {
  const read = await readAnswer(answer, embed);
  if (read.claims.length === 0) {
    const { value, reason } = SILENCE[silenceOf(answer.output)];
    return { faithfulness: { value, reason }, hallucination: { value: 0, reason }, claims: [] };
  }
  const model = FAITHFULNESS_MODEL[read.shape];
  const logits = read.claims.map(({ features }) => logOdds(model.claim, features));
  const value = valueOfAnswer(read, model, logits, answer.question !== null);
  const claims = read.claims.map((claim, at) =>
    judgeClaim(claim, claimScore(claim, logits[at] ?? 0, read.shape), read),
  );
  const unsupported = claims.filter(({ verdict }) => verdict === "unsupported").length;
  return {
    faithfulness: { value, reason: faithfulnessReason(answer.output, claims, value >= FAITHFUL_FROM) },
    hallucination: { value: unsupported / claims.length, reason: hallucinationReason(claims) },
    claims,
  };
};
