import type { NamedLabelRow } from "../../db/labels";
import type { NewScoreRow, ResultRow, ScoreRow } from "../../db/results";
import type { RunRow } from "../../db/runs";
import { fromRow, toRow } from "../wire";
import { Label, type Output, type Run, type RunFigures, RunInfo, SampleResult, Score } from "./contract";
import { withoutEarlyIntervals } from "./early-intervals";
import { type RunOrder, verdictsOf } from "./verdict";

export const toScore = (row: ScoreRow): Score => fromRow(Score, row);

export const toLabel = (row: NamedLabelRow): Label => fromRow(Label, row);

/** `order`: the pins of the run, which determine the order of the verdicts. */
export const toResult = (
  row: ResultRow,
  found: { scores: readonly ScoreRow[]; labels: readonly NamedLabelRow[]; order: RunRow["pins"] },
): SampleResult => {
  const scores = found.scores.map(toScore);
  const output = row.output as Output | null;
  return fromRow(
    SampleResult,
    { ...row.sample, ...row },
    {
      scores,
      verdicts: verdictsOf(output ?? { text: "" }, scores, found.order as RunOrder),
      labels: found.labels.map(toLabel),
    },
  );
};

/** A score in its stored form. */
export const toScoreRow = (resultId: string, score: Score): NewScoreRow => ({ ...toRow(Score, score), resultId });

export const toRunInfo = (row: RunRow): RunInfo => fromRow(RunInfo, row);

/** A run as the API returns it: without intervals while results are missing. */
export const toRun = (row: RunRow, figures: RunFigures, isStale: boolean): Run => ({
  ...toRunInfo(row),
  ...withoutEarlyIntervals(figures),
  figures_stale: isStale,
  cost: null,
});
