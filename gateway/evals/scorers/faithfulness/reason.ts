import type { Claim } from "../../contract";
import type { AnswerFeatures } from "./answer-features";
import type { Silence } from "./claims";
import type { ShapeModel } from "./model";
import type { Shape } from "./shape";

/** Below the threshold: nothing is supported, although nothing is made up. People rated no such answer of BEGIN as supported. */
const NO_CLAIM = 0.1;

/** Value and reason of an answer without claims. */
export const SILENCE: Readonly<Record<Silence | "expected", { value: number; reason: string }>> = {
  empty: { value: 0, reason: "The answer is empty." },
  abstention: { value: NO_CLAIM, reason: "The answer says that it has no answer. It makes no claim to check." },
  verdict: { value: NO_CLAIM, reason: "The answer is a bare yes or no. It makes no claim to check." },
  other: { value: NO_CLAIM, reason: "The answer makes no claim that could be checked against the contexts." },
  expected: { value: 1, reason: "The answer makes no claim to check, and a reference says the same." },
};

const LONGEST_QUOTE = 90;

/** The text between quotation marks on one line, cut at a character's border. */
const quote = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= LONGEST_QUOTE ? `"${line}"` : `"${line.slice(0, LONGEST_QUOTE).toWellFormed()}…"`;
};

const countOf = (claims: readonly Claim[], verdict: Claim["verdict"]): number =>
  claims.filter((claim) => claim.verdict === verdict).length;

const tally = (claims: readonly Claim[]): string => {
  const [only, ...others] = claims;
  if (only && others.length === 0)
    return `The only claim is ${only.verdict === "partly" ? "partly supported" : only.verdict}.`;
  const counts = `${countOf(claims, "supported")} supported, ${countOf(claims, "partly")} partly, ${countOf(claims, "unsupported")} not`;
  return `Of ${claims.length} claims: ${counts}.`;
};

const weakestOf = (claims: readonly Claim[]): Claim | undefined => claims.toSorted((a, b) => a.score - b.score)[0];

/** What is wrong with the weakest claim, in the answer's own words. */
const doubt = (output: string, claims: readonly Claim[]): string | undefined => {
  const [span] = weakestOf(claims)?.unsupported ?? [];
  return span ? `${quote(output.slice(span.start, span.end))}: ${span.note}` : undefined;
};

/** An answer with its value, and what the value rests on. */
export interface WeighedAnswer {
  output: string;
  claims: readonly Claim[];
  value: number;
  isFaithful: boolean;
  shape: Shape;
  features: AnswerFeatures;
  model: ShapeModel["answer"];
}

/** A value this far below the share of supported claims is explained. */
const FAR_BELOW = 0.25;

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What lowers the value most beside the verdicts on single claims, by the model's own terms in log-odds. */
const mainLoss = ({ claims, features, model: { weights } }: WeighedAnswer): string => {
  const loss = (name: keyof AnswerFeatures, best: number) => (weights[name] ?? 0) * (best - features[name]);
  const weakest = quote(weakestOf(claims)?.text ?? "");
  const losses: [number, string][] = [
    [loss("unclaimed", 0), `${percent(features.unclaimed)} of its words are outside any claim.`],
    [loss("known", 1), `${percent(1 - features.known)} of its words are in no context.`],
    [
      loss("worst", 0) + loss("threeWorst", 0) + loss("sum", 0),
      claims.length === 1
        ? "The contexts support the claim only loosely."
        : `Small doubts about ${claims.length} claims add up; the weakest is ${weakest}.`,
    ],
  ];
  return losses.reduce((most, each) => (each[0] > most[0] ? each : most))[1];
};

const RECORDS = "Answers that retell records start from lower odds, because people found a fault in 7 of 10.";

/** Why the value of the answer differs from the share of its claims that are supported. */
const balance = (answer: WeighedAnswer): string | undefined => {
  const { claims, value, isFaithful, shape } = answer;
  const supported = countOf(claims, "supported") / claims.length;
  if (supported - value > FAR_BELOW) {
    const why = shape === "record" ? `${RECORDS} ${mainLoss(answer)}` : mainLoss(answer);
    return `The score is lower than the share of supported claims: ${why}`;
  }
  return isFaithful && supported < 1 ? "The answer as a whole follows the contexts." : undefined;
};

export const faithfulnessReason = (answer: WeighedAnswer): string =>
  [tally(answer.claims), doubt(answer.output, answer.claims), balance(answer)].filter(Boolean).join(" ");

export const hallucinationReason = (claims: readonly Claim[]): string => {
  const unsupported = countOf(claims, "unsupported");
  if (unsupported === 0) return "No claim is wholly unsupported.";
  return claims.length === 1
    ? "The only claim is unsupported."
    : `${unsupported} of ${claims.length} claims ${unsupported === 1 ? "is" : "are"} unsupported.`;
};
