import type { Reads } from "../../../db/client";
import { listScoreKinds } from "../../../db/exported-results";
import type { RunRow } from "../../../db/runs";
import type { RunFigures, Score } from "../../evals/contract";

/**
 * The criteria that were scored in a run, each with the evaluator versions that scored it. Current figures name them all;
 * without them, all scores are read.
 */
export const scoreKindsOf = async (
  db: Reads,
  { id, figures, changes }: RunRow,
): Promise<Pick<Score, "metric" | "evaluator">[]> => {
  if (figures?.changes !== changes) return listScoreKinds(db, id);
  const { statistics } = figures.value as unknown as RunFigures;
  const kinds = new Map(statistics.map(({ metric, evaluator }) => [`${metric} ${evaluator}`, { metric, evaluator }]));
  return [...kinds.values()];
};
