import type { Db } from "../../db/client";
import { countRuns, listRuns } from "../../db/runs";
import type { Run } from "../evals/contract";
import type { ReadRun } from "../evals/summary";
import type { EvaluationTrend } from "./contract";

/** Only the newest runs of a window are read. */
const MAX_RUNS = 500;

/** The completed batch runs that ended at `from` or later, oldest first. */
export const readCompletedRuns = async (db: Db, readRun: ReadRun, from: Date): Promise<Run[]> => {
  const rows = await listRuns(db, { kind: "batch", state: "completed", endedFrom: from, limit: MAX_RUNS });
  const runs: Run[] = [];
  for (const row of rows.reverse()) runs.push(await readRun(row));
  return runs;
};

export const countRunningEvals = async (db: Db): Promise<number> => {
  const counts = await Promise.all(
    (["queued", "running", "paused"] as const).map((state) => countRuns(db, { kind: "batch", state })),
  );
  return counts.reduce((sum, count) => sum + count, 0);
};

/**
 * One trend per dataset, criterion and evaluator version. A new version of an evaluator, or another wording of a
 * criterion, measures something else, so it starts a new trend.
 */
export const trendsOf = (runs: readonly Run[]): EvaluationTrend[] => {
  const trends = new Map<string, EvaluationTrend>();
  for (const run of runs) {
    const { dataset } = run.pins;
    if (!dataset) continue;
    for (const { metric, direction, criterion_hash, evaluator, shadow, ...figures } of run.statistics) {
      const key = JSON.stringify([dataset.id, metric, criterion_hash, evaluator, shadow]);
      const trend = trends.getOrInsertComputed(key, () => ({
        dataset: { id: dataset.id, name: dataset.name },
        ...{ metric, direction, criterion_hash, evaluator, shadow },
        points: [],
      }));
      const { n, errors, pass_rate, mean, interval } = figures;
      trend.points.push({
        at: run.ended_at ?? run.created_at,
        run_id: run.id,
        run_name: run.name,
        revision: dataset.revision,
        ...{ n, errors, pass_rate, mean, interval },
      });
    }
  }
  const nameOf = ({ dataset, metric, evaluator }: EvaluationTrend) => `${dataset.name}\n${metric}\n${evaluator}`;
  return [...trends.values()].toSorted((a, b) => nameOf(a).localeCompare(nameOf(b), "en", { numeric: true }));
};
