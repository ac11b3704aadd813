import { join } from "node:path";
import type { LabelledFile } from "../../gateway/evals/agreement/labelled-file";
import type { ScoredAnswer } from "../../gateway/evals/scored-answer";
import { CORRECTNESS_BASELINES } from "../../gateway/evals/scorers/baselines";
import {
  CORRECTNESS_FEATURES,
  type CorrectnessFeature,
  findCorrectness,
} from "../../gateway/evals/scorers/correctness/correctness-features";
import { scoreByRule, withoutMarkers } from "../../gateway/evals/scorers/correctness/score-correctness";
import { readCases } from "./cases";
import { fitLogistic, logit, type Sign, toSource } from "./logistic";
import { NEAR_MISSES } from "./near-misses";
import { answerOf, type FitRow, type Task, thresholdOf } from "./task";

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

/** Weights set by hand: too few of the labelled answers deny the reference to learn them from. */
const GIVEN: Readonly<Partial<Record<CorrectnessFeature, number>>> = { denied: -3, opposite: -4 };

const L2 = 0.2;

const readRow = (answer: ScoredAnswer, at: { set: string; group: string; label: 0 | 1 }) => {
  const simple: Record<string, number> = {};
  for (const [name, score] of Object.entries(CORRECTNESS_BASELINES)) simple[name] = score(answer);
  return { ...at, simple, features: findCorrectness(withoutMarkers(answer)).features };
};

const fit: Task<CorrectnessRow>["fit"] = (rows, chosen) => {
  const names = CORRECTNESS_FEATURES.filter((name) => chosen.has(name));
  const valuesOf = ({ features }: CorrectnessRow) => names.map((name) => features[name]);
  const free = fitLogistic(
    rows.map((row) => ({ features: valuesOf(row), label: row.label })),
    { signs: names.map((name) => SIGNS[name]), given: names.map((name) => GIVEN[name]), l2: L2 },
  );
  const threshold = thresholdOf(
    rows,
    rows.map((row) => logit(free, valuesOf(row))),
  );
  const model = { ...free, bias: free.bias - threshold };
  const weights = Object.fromEntries(names.map((name, at) => [name, model.weights[at] ?? 0]));
  return {
    logitOf: (row) => logit(model, valuesOf(row)),
    source: `import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by \`bun bench/reference/fit.ts FOLDER\`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = ${toSource({ bias: model.bias, weights })} satisfies LogisticModel<CorrectnessFeature>;
`,
  };
};

export const correctnessTask = async (
  folder: string,
  files: readonly LabelledFile[],
): Promise<Task<CorrectnessRow>> => {
  const labelled = files.flatMap(({ name, rows }) => rows.map((row) => ({ name, row })));
  const cases = (await readCases(folder)).flatMap(({ input, output, references, shouldPass }) => {
    const answer = { question: input, references: references ?? [], contexts: [], output };
    return references === undefined || scoreByRule(answer) ? [] : [{ answer, shouldPass }];
  });
  return {
    name: "correctness",
    out: join(import.meta.dir, "../../gateway/evals/scorers/correctness/correctness-model.ts"),
    features: CORRECTNESS_FEATURES,
    rows: labelled.flatMap(({ name, row }) =>
      row.task === "correctness"
        ? [readRow(answerOf(row), { set: row.source ?? name, group: row.group, label: row.label })]
        : [],
    ),
    probe: {
      name: "near misses",
      rows: await Promise.all(
        NEAR_MISSES.map(({ question, reference, output, label }) =>
          readRow(
            { question, references: [reference], contexts: [], output },
            { set: "near misses", group: "", label },
          ),
        ),
      ),
    },
    cases: cases.map(({ answer, shouldPass }) => ({
      row: readRow(answer, { set: "cases", group: "", label: 1 }),
      shouldPass,
    })),
    fit,
  };
};
