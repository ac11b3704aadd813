import type { Reads } from "../../db/client";
import { type LabelRow, listRunLabels } from "../../db/labels";
import { findRunTotals, listFailureCounts, listFigures, type ScoreFigure } from "../../db/results";
import type { RunRow } from "../../db/runs";
import type { Criterion } from "./contract";
import { criteriaOfRun, passes } from "./rubric";
import { type CriterionResult, summarizeCriterion } from "./statistics/criterion";
import type { Statistic } from "./statistics-contract";
import { toStatistic } from "./statistics-wire";
import type { RunSummary } from "./wire";

/** What follows from the results of a run: nothing of it is stored, so nothing of it can be out of date. */
export const summarizeRun = async (db: Reads, row: RunRow): Promise<RunSummary> => {
  const totals = await findRunTotals(db, row.id);
  const failures = await listFailureCounts(db, row.id);
  const figures = await listFigures(db, row.id);
  const labels = await listRunLabels(db, row.id);
  const { promptTokens, completionTokens } = totals;
  return {
    total: totals.total,
    done: totals.done,
    errors: totals.errors,
    running: totals.running,
    passed: totals.judged === 0 ? null : totals.passed / totals.judged,
    statistics: statisticsOf(criteriaOfRun(row.pins), figures, labels),
    failures: Object.fromEntries(failures.map(({ failure, count }) => [failure, count])),
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
    gpuSeconds: Math.round(totals.workedMs) / 1000,
  };
};

/** One statistic for each criterion and evaluator, in the order in which they first scored. */
const statisticsOf = (
  criteria: readonly Criterion[],
  figures: readonly ScoreFigure[],
  labels: readonly LabelRow[],
): Statistic[] => {
  const labelOf = verdictsOfPeople(criteria, labels);
  const kinds = Map.groupBy(figures, ({ metric, evaluator, shadow }) => JSON.stringify([metric, evaluator, shadow]));
  return [...kinds.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { metric, evaluator, shadow } = first;
    const criterion = criteria.find(({ name }) => name === metric);
    const summary = summarizeCriterion(
      newest(group).map((figure) => toResult(figure, labelOf)),
      {
        range: criterion && [criterion.scale.min, criterion.scale.max],
      },
    );
    return [toStatistic(summary, { metric, evaluator, shadow })];
  });
};

/** Under another rubric a result has another score by the same evaluator: the last one holds. */
const newest = (figures: readonly ScoreFigure[]): ScoreFigure[] => [
  ...new Map(figures.map((figure) => [figure.resultId, figure])).values(),
];

export type LabelOf = (resultId: string, metric: string) => boolean | null;

const toResult = (figure: ScoreFigure, labelOf: LabelOf): CriterionResult => ({
  sampleId: figure.sampleKey,
  group: figure.group,
  value: figure.value,
  passed: figure.passed,
  label: labelOf(figure.resultId, figure.metric),
});

/** What most of those who labelled a result say; null where nobody did, or as many say the one as the other. */
export const verdictsOfPeople = (criteria: readonly Criterion[], labels: readonly LabelRow[]): LabelOf => {
  const byName = new Map(criteria.map((criterion) => [criterion.name, criterion]));
  const balance = new Map<string, number>();
  for (const { resultId, metric, value } of labels) {
    const criterion = byName.get(metric);
    const passed = criterion ? passes(criterion, value) : null;
    const id = JSON.stringify([resultId, metric]);
    if (passed !== null) balance.set(id, (balance.get(id) ?? 0) + (passed ? 1 : -1));
  }
  return (resultId, metric) => {
    const sum = balance.get(JSON.stringify([resultId, metric])) ?? 0;
    return sum === 0 ? null : sum > 0;
  };
};
