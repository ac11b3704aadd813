import { join } from "node:path";
import { answerOf, type LabelledFile } from "../../gateway/evals/agreement/labelled-file";
import { type CorrectnessFeature, findCorrectness } from "../../gateway/evals/scorers/correctness/correctness-features";
import { withoutMarkers } from "../../gateway/evals/scorers/correctness/score-correctness";
import { logOdds } from "../../gateway/evals/scorers/logistic";
import { fitLogistic, type Sign, toSource } from "./logistic";
import { type FitRow, type Task, thresholdOf } from "./task";

interface CorrectnessRow extends FitRow {
  features: Readonly<Record<CorrectnessFeature, number>>;
}

const SIGNS: Readonly<Record<CorrectnessFeature, Sign>> = {
  matched: "positive",
  recall: "positive",
  f1: "positive",
  otherFact: "negative",
  refusal: "negative",
  denied: "negative",
  opposite: "negative",
  rivals: "negative",
};

/** Weights set by hand, because too few labelled answers contradict the reference to learn these weights. */
const GIVEN: Readonly<Partial<Record<CorrectnessFeature, number>>> = { denied: -3, opposite: -4 };

const L2 = 0.2;

const fit: Task<CorrectnessRow>["fit"] = (rows) => {
  const free = fitLogistic(rows, { signs: SIGNS, given: GIVEN, l2: L2 });
  const threshold = thresholdOf(
    rows,
    rows.map(({ features }) => logOdds(free, features)),
  );
  const model = { ...free, bias: free.bias - threshold };
  return {
    logitOf: ({ features }) => logOdds(model, features),
    source: `import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by \`bun bench/reference/fit.ts FOLDER\`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = ${toSource(model)} satisfies LogisticModel<CorrectnessFeature>;
`,
  };
};

export const correctnessTask = (files: readonly LabelledFile[]): Task<CorrectnessRow> => ({
  name: "correctness",
  out: join(import.meta.dir, "../../gateway/evals/scorers/correctness/correctness-model.ts"),
  rows: files.flatMap(({ name, rows }) =>
    rows.map((row) => ({
      set: row.source ?? name,
      group: row.group,
      label: row.label,
      features: findCorrectness(withoutMarkers(answerOf(row))).features,
    })),
  ),
  fit,
});
