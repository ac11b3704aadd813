import type { Db, Reads } from "../../db/client";
import { type LabelRow, listRunLabels } from "../../db/labels";
import { findCriteria, findRunTotals, listFailureCounts, listFigures, type ScoreFigure } from "../../db/results";
import { type RunRow, storeFigures } from "../../db/runs";
import type { Criterion, Run, RunFigures } from "./contract";
import { passes } from "./rubric";
import { type CriterionResult, summarizeCriterion } from "./statistics/criterion";
import type { Statistic } from "./statistics-contract";
import { currentScores, decidingScores, inRunOrder, type RunOrder } from "./verdict";
import { toRun } from "./wire";

/** Stored figures with another version are stale. Increment this with every change to how `RunFigures` are computed. */
const FIGURES_VERSION = 1;

/**
 * Reads runs with their figures. Stale figures are recomputed and stored in the background, so reads never wait for
 * writers. Figures that can't be stored, for example on a full disk, are recomputed by each read.
 */
export const createRunReader =
  (db: Db): ((row: RunRow) => Promise<Run>) =>
  async (row) => {
    if (row.figures?.version === FIGURES_VERSION) return toRun(row, row.figures.value as unknown as RunFigures);
    const value = await computeFigures(db, row);
    db.write((tx) => storeFigures(tx, row, { version: FIGURES_VERSION, value: { ...value } })).catch(() => {});
    return toRun(row, value);
  };

/** Computes a run's counts and statistics from its results, scores and labels. */
export const computeFigures = async (db: Reads, row: RunRow): Promise<RunFigures> => {
  const totals = await findRunTotals(db, row.id);
  const failures = await listFailureCounts(db, row.id);
  const figures = await listFigures(db, row.id);
  const labels = await listRunLabels(db, row.id);
  const hashes = new Set(figures.map(({ criterionHash }) => criterionHash));
  const criteria = (await findCriteria(db, [...hashes])) as Map<string, unknown> as Map<string, Criterion>;
  const { total, done, errors, judged, running, passed, promptTokens, completionTokens, workedMs } = totals;
  return {
    progress: { total, done, errors, judged, running, samples_per_second: 0, eta_seconds: null },
    passed: judged === 0 ? null : passed / judged,
    statistics: inRunOrder(await statisticsOf(figures, criteria, labels), row.pins as RunOrder),
    failures: Object.fromEntries(failures.map(({ failure, count }) => [failure, count])),
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
    gpu_seconds: Math.round(workedMs) / 1000,
  };
};

/** One statistic per criterion and evaluator version. */
const statisticsOf = async (
  figures: readonly ScoreFigure[],
  criteria: ReadonlyMap<string, Criterion>,
  labels: readonly LabelRow[],
): Promise<Statistic[]> => {
  const people = verdictsOfPeople(labels);
  const current = [...Map.groupBy(figures, ({ resultId }) => resultId).values()].flatMap(currentOf);
  const kinds = Map.groupBy(current, ({ figure: { metric, evaluator, criterionHash }, decides }) =>
    JSON.stringify([metric, evaluator, criterionHash, decides]),
  );
  const statistics: Statistic[] = [];
  for (const group of kinds.values()) {
    const [first] = group;
    const criterion = first && criteria.get(first.figure.criterionHash);
    if (!criterion) continue;
    // Bootstrapping many results takes long, so let other requests run first.
    if (group.length >= SLOW_FROM_RESULTS) await Bun.sleep(0);
    const results = group.map(({ figure }) => toResult(figure, people(figure.resultId, criterion)));
    const summary = summarizeCriterion(results, { range: [criterion.scale.min, criterion.scale.max] });
    const { evaluator, criterionHash } = first.figure;
    const { name: metric, direction } = criterion;
    statistics.push({
      ...{ metric, direction, criterion_hash: criterionHash, evaluator, shadow: !first.decides },
      ...summary,
    });
  }
  return statistics;
};

/** From this number of results on, computing a statistic takes noticeable time. */
const SLOW_FROM_RESULTS = 100;

/** The current scores of one result, and whether the verdict counts them. */
const currentOf = (figures: readonly ScoreFigure[]): { figure: ScoreFigure; decides: boolean }[] => {
  const scores = figures.map((figure) => ({ ...figure, criterion_hash: figure.criterionHash }));
  const deciding = new Set(decidingScores(scores));
  return currentScores(scores).map((score) => ({ figure: score, decides: deciding.has(score) }));
};

const toResult = (figure: ScoreFigure, label: boolean | null): CriterionResult => ({
  sampleId: figure.sampleKey,
  group: figure.group,
  value: figure.value,
  passed: figure.passed,
  label,
});

/** Whether most labels of a result pass it; null without labels, or on a tie. */
type VerdictOfPeople = (resultId: string, criterion: Criterion) => boolean | null;

/** A label is a value, so the criterion's threshold decides whether it passes. */
export const verdictsOfPeople = (labels: readonly LabelRow[]): VerdictOfPeople => {
  const values = Map.groupBy(labels, ({ resultId, metric }) => `${resultId} ${metric}`);
  return (resultId, criterion) => {
    const given = values.get(`${resultId} ${criterion.name}`) ?? [];
    const sum = given.reduce((balance, { value }) => {
      const passed = passes(criterion, value);
      return passed === null ? balance : balance + (passed ? 1 : -1);
    }, 0);
    return sum === 0 ? null : sum > 0;
  };
};
