import { inOrder } from "../../../lib/in-order";
import type { Span } from "../statistics/spans";
import type { AgreementEntry, Prediction } from "./format";
import type { LabelledRow } from "./labelled-file";
import { type AgreementReport, reportAgreement } from "./report";

/** An evaluator's result for one row; a `ScoreRow` returns undefined if it could not score the row. */
type Verdict = Pick<Prediction, "score" | "decision" | "spans">;
export type ScoreRow = (row: LabelledRow) => Promise<Verdict | undefined>;
/** A simple scorer to compare with: higher is better. */
export type SimpleScore = (row: LabelledRow) => Promise<number>;

interface Comparison {
  evaluator: { name: string; score: ScoreRow };
  /** The evaluator predicts label 1 from this score. */
  threshold: number;
  simple: Readonly<Record<string, SimpleScore>>;
  /** Number of rows scored in parallel. */
  parallel: number;
  /** Called after each row. */
  onRow(): void;
}

export interface Compared {
  /** The evaluator first. */
  entries: AgreementEntry[];
  predictions: Prediction[];
  /** Number of rows that the evaluator could not score. They are excluded from all its figures. */
  unscored: number;
}

/** How an evaluator and simple scorers agree with the labels of a file's rows. Simple scorers get their best threshold. */
export const compareRows = async (
  rows: readonly LabelledRow[],
  { evaluator, threshold, simple, parallel, onRow }: Comparison,
): Promise<Compared> => {
  const scored = await inOrder(rows, parallel, async (row) => {
    const verdict = await evaluator.score(row);
    const others = await Promise.all(Object.values(simple).map((score) => score(row)));
    onRow();
    return { row, verdict, others };
  });
  const judged = scored.flatMap(({ row, verdict }) => (verdict ? [{ row, verdict }] : []));
  const entries: AgreementEntry[] = [];
  if (judged.length > 0) {
    const report = reportAgreement(
      judged.map(({ row, verdict }) => ({ ...common(row), score: verdict.score, spans: spansOf(row, verdict.spans) })),
      threshold,
    );
    entries.push({ name: evaluator.name, report });
  }
  for (const [index, name] of Object.keys(simple).entries()) {
    const report: AgreementReport = reportAgreement(
      scored.map(({ row, others }) => ({ ...common(row), score: others[index] ?? 0 })),
      "best",
    );
    entries.push({ name, report });
  }
  return {
    entries,
    predictions: judged.map(({ row, verdict }) => ({ id: row.id, answer: row.answer, ...verdict })),
    unscored: scored.length - judged.length,
  };
};

const common = ({ id, group, label }: LabelledRow) => ({ id, group, label });

const spansOf = (row: LabelledRow, predicted: readonly Span[] | undefined) =>
  row.task === "faithfulness" && row.spans && predicted ? { expected: row.spans, predicted } : undefined;
