import type { Claim } from "../../contract";
import type { ScoredAnswer } from "../../scored-answer";
import type { EmbedTexts } from "../embedding";
import { maskCitations } from "../text/citations";
import { abstains, bareAnswerOf } from "../text/refusal";
import { answerFeatures } from "./answer-features";
import { silenceOf } from "./claims";
import { logOdds, sigmoid } from "./model";
import { type ReadAnswer, type ReadClaim, readAnswer } from "./reading";
import { faithfulnessReason, hallucinationReason, SILENCE } from "./reason";
import type { Shape } from "./shape";
import { contradictions, unsupportedSpans } from "./unsupported";
import { FAITHFULNESS_MODEL } from "./weights";

interface FaithfulnessScores {
  faithfulness: { value: number; reason: string };
  hallucination: { value: number; reason: string };
  claims: Claim[];
}

/** A claim is supported from the first score and unsupported below the second. */
export const SUPPORTED_FROM = 0.5;
export const UNSUPPORTED_BELOW = 0.25;
/** An answer is faithful from this score. */
const FAITHFUL_FROM = 0.5;

/**
 * Log-odds at which a claim scores 0.5. In longer answers nine of ten sentences are supported, so a sentence is marked
 * only on strong doubt; about half of all statements are supported.
 */
export const CLAIM_CENTRE: Readonly<Record<Shape, number>> = { record: 0.8, text: 0.8, statement: 0 };

const verdictOf = (score: number): Claim["verdict"] => {
  if (score >= SUPPORTED_FROM) return "supported";
  return score < UNSUPPORTED_BELOW ? "unsupported" : "partly";
};

const judgeClaim = (output: string, read: ReadClaim, score: number, { source }: ReadAnswer): Claim => {
  const { claim, windows } = read.evidence;
  const verdict = verdictOf(score);
  const context = source.passages[windows[0]?.passage ?? -1]?.context ?? null;
  const spans = verdict === "supported" ? [] : unsupportedSpans(read);
  const unsupported = spans.map(({ start, end, note }) => ({
    start: claim.start + start,
    end: claim.start + end,
    note,
  }));
  return { ...claim, text: output.slice(claim.start, claim.end), verdict, score, context, unsupported };
};

/** The highest score of a claim that is not supported. */
const DOUBTED = SUPPORTED_FROM - 0.01;

/** A contradicted claim is partly supported at best. */
const claimScore = (claim: ReadClaim, logit: number, shape: Shape): number => {
  const score = sigmoid(logit - CLAIM_CENTRE[shape]);
  return contradictions(claim).length > 0 ? Math.min(score, DOUBTED) : score;
};

/** Whether a reference is the same abstention or the same bare yes or no as the answer. */
const isExpected = ({ output, references }: ScoredAnswer): boolean => {
  const stance = abstains(output) ? "abstains" : bareAnswerOf(maskCitations(output));
  return stance !== undefined && references.some((reference) => bareAnswerOf(reference) === stance);
};

/**
 * Scores an answer against its contexts. Faithfulness: 0…1, higher is better. Hallucination: the share of unsupported
 * claims, lower is better. Equal texts and vectors give equal scores. Throws what `embed` throws.
 */
export const scoreFaithfulness = async (answer: ScoredAnswer, embed: EmbedTexts): Promise<FaithfulnessScores> => {
  const read = await readAnswer(answer, embed);
  if (read.claims.length === 0) {
    const { value, reason } = SILENCE[isExpected(answer) ? "expected" : silenceOf(answer.output)];
    return { faithfulness: { value, reason }, hallucination: { value: 0, reason }, claims: [] };
  }
  const model = FAITHFULNESS_MODEL[read.shape];
  const logits = read.claims.map(({ features }) => logOdds(model.claim, features));
  const features = answerFeatures({
    logits,
    lengths: read.claims.map(({ evidence }) => evidence.words.length),
    answerWords: read.answerWords,
    hasQuestion: answer.question !== null,
    knownShare: read.knownShare,
  });
  const value = sigmoid(logOdds(model.answer, features));
  const claims = read.claims.map((claim, at) =>
    judgeClaim(answer.output, claim, claimScore(claim, logits[at] ?? 0, read.shape), read),
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
        shape: read.shape,
        features,
        model: model.answer,
      }),
    },
    hallucination: { value: unsupported / claims.length, reason: hallucinationReason(claims) },
    claims,
  };
};
