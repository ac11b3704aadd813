import { join } from "node:path";
import { answerOf, type LabelledFile, type LabelledRow } from "../../gateway/evals/agreement/labelled-file";
import { type ReadAnswer, readAnswer } from "../../gateway/evals/scorers/faithfulness/claims";
import {
  type AnswerFeature,
  answerFeatures,
  type ClaimFeature,
  type ClaimFeatures,
} from "../../gateway/evals/scorers/faithfulness/faithfulness-features";
import { SILENCE } from "../../gateway/evals/scorers/faithfulness/score-faithfulness";
import { logOdds } from "../../gateway/evals/scorers/logistic";
import { fitLogistic, type Sign, toSource } from "./logistic";
import { type FitRow, type Task, thresholdOf } from "./task";

interface FaithfulnessRow extends FitRow {
  hasQuestion: boolean;
  answerWords: number;
  claims: readonly {
    features: ClaimFeatures;
    words: number;
    /** 1: supported, 0: unsupported, null: the label doesn't say which claim it is about. */
    label: 0 | 1 | null;
  }[];
}

const CLAIM_SIGNS: Readonly<Record<ClaimFeature, Sign>> = {
  known: "positive",
  aroundPassage: "positive",
  pairs: "positive",
  newNumbers: "negative",
  newNames: "negative",
  wrongFacts: "negative",
  openFacts: "negative",
  reversal: "negative",
};

const ANSWER_SIGNS: Readonly<Record<AnswerFeature, Sign>> = {
  worst: "positive",
  mean: "positive",
  unclaimed: "negative",
  question: "free",
};

/**
 * Weights set by hand, because too few labelled answers contain a single wrong number, a reversal or a slightly changed
 * copy of a sentence to learn these weights.
 */
const GIVEN: Readonly<Partial<Record<ClaimFeature, number>>> = { newNumbers: -2, reversal: -4, pairs: 0.3 };

const CLAIM_L2 = 0.1;
const ANSWER_L2 = 0.03;

type LabelledAnswer = Extract<LabelledRow, { task: "faithfulness" }>;

/** Minimum overlap of a claim and a span that people marked, in characters, for the mark to apply to the claim. */
const MIN_OVERLAP = 3;

const claimLabelOf = ({ label, spans }: LabelledAnswer, { claims }: ReadAnswer, at: number): 0 | 1 | null => {
  const { start, end } = claims[at]?.evidence.claim ?? { start: 0, end: 0 };
  if (label === 1) return 1;
  if (!spans) return claims.length === 1 ? 0 : null;
  return spans.some((span) => Math.min(span.end, end) - Math.max(span.start, start) >= MIN_OVERLAP) ? 0 : 1;
};

const readRow = (labelled: LabelledAnswer, set: string): FaithfulnessRow => {
  const answer = answerOf(labelled);
  const read = readAnswer(answer);
  return {
    set,
    group: labelled.group,
    label: labelled.label,
    hasQuestion: answer.question !== null,
    answerWords: read.answerWords,
    claims: read.claims.map(({ features, evidence }, at) => ({
      features,
      words: evidence.words.length,
      label: claimLabelOf(labelled, read, at),
    })),
  };
};

/** Log-odds of an answer without claims. */
const NO_CLAIMS_LOGIT = Math.log(SILENCE.other.value / (1 - SILENCE.other.value));

/** Fits claims first, then answers by the log-odds of their claims. */
const fit: Task<FaithfulnessRow>["fit"] = (rows) => {
  const own = rows.filter(({ claims }) => claims.length > 0);
  const claims = own.flatMap((row) =>
    row.claims.flatMap(({ features, label }) => (label === null ? [] : [{ features, label }])),
  );
  const claim = fitLogistic(claims, { signs: CLAIM_SIGNS, given: GIVEN, l2: CLAIM_L2 });
  const partsOf = (row: FaithfulnessRow) =>
    answerFeatures({
      logits: row.claims.map(({ features }) => logOdds(claim, features)),
      lengths: row.claims.map(({ words }) => words),
      answerWords: row.answerWords,
      hasQuestion: row.hasQuestion,
    });
  const examples = own.map((row) => ({ features: partsOf(row), label: row.label }));
  const free = fitLogistic(examples, { signs: ANSWER_SIGNS, l2: ANSWER_L2 });
  const threshold = thresholdOf(
    own,
    own.map((row) => logOdds(free, partsOf(row))),
  );
  const answer = { ...free, bias: free.bias - threshold };
  return {
    logitOf: (row) => (row.claims.length > 0 ? logOdds(answer, partsOf(row)) : NO_CLAIMS_LOGIT),
    source: `import type { FaithfulnessModel } from "./faithfulness-features";

/** Written by \`bun bench/reference/fit.ts FOLDER\`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = { claim: ${toSource(claim)}, answer: ${toSource(answer)} };
`,
  };
};

export const faithfulnessTask = (files: readonly LabelledFile[]): Task<FaithfulnessRow> => ({
  name: "faithfulness",
  out: join(import.meta.dir, "../../gateway/evals/scorers/faithfulness/faithfulness-model.ts"),
  rows: files.flatMap(({ name, rows }) =>
    rows.flatMap((row) => (row.task === "faithfulness" ? [readRow(row, name)] : [])),
  ),
  fit,
});
