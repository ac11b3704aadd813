/** What the model of an answer looks at, in the order of its weights. */
export const ANSWER_FEATURES = [
  "worst",
  "threeWorst",
  "sum",
  "mean",
  "meanUnasked",
  "answerLength",
  "question",
  "questionLength",
  "known",
  "unclaimed",
] as const;
export type AnswerFeature = (typeof ANSWER_FEATURES)[number];
export type AnswerFeatures = Record<AnswerFeature, number>;

interface AnswerParts {
  /** Log-odds of its claims to be supported, and how many words each has. */
  logits: readonly number[];
  lengths: readonly number[];
  answerWords: number;
  hasQuestion: boolean;
  /** Share of the answer's words that the contexts have. */
  knownShare: number;
}

/** Log-odds beyond this say no more. */
const MOST = 12;

/** Natural logarithm of the probability of given log-odds. */
const logProbability = (logit: number): number => -Math.log1p(Math.exp(-Math.max(-MOST, Math.min(MOST, logit))));

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Features of an answer with at least one claim. Sums are of log probabilities: that of all claims being supported. */
export const answerFeatures = (parts: AnswerParts): AnswerFeatures => {
  const { logits, lengths, answerWords, hasQuestion, knownShare } = parts;
  const probabilities = logits.map(logProbability).sort((a, b) => a - b);
  const mean = total(logits.map((logit, at) => logit * (lengths[at] ?? 1))) / Math.max(1, total(lengths));
  const length = Math.log(Math.max(1, answerWords));
  return {
    worst: probabilities[0] ?? 0,
    threeWorst: total(probabilities.slice(0, 3)),
    sum: Math.max(-50, total(probabilities)),
    mean,
    meanUnasked: hasQuestion ? 0 : mean,
    answerLength: length,
    question: Number(hasQuestion),
    questionLength: hasQuestion ? length : 0,
    known: knownShare,
    unclaimed: Math.max(0, 1 - total(lengths) / Math.max(1, answerWords)),
  };
};
