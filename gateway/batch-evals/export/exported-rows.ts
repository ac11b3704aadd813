import type { BatchCursor, ResultFilter } from "../../../db/batch-results";
import type { Reads } from "../../../db/client";
import { listResultsOfSize } from "../../../db/exported-results";
import { listLabelHistories, type NamedLabelRow } from "../../../db/labels";
import { listScores, type ResultRow } from "../../../db/results";
import type { Score } from "../../evals/contract";
import { toScore } from "../../evals/wire";

/** A result with all its scores, oldest first. */
export interface ScoredRow {
  row: ResultRow;
  scores: Score[];
}

/** Limits of one page. Only one page is in memory at a time, and reading it blocks other requests. */
const PAGE = { limit: 100, maxBytes: 2 * 1_048_576 };

/** Reads the results of a run that match the filter, in the dataset's order, in pages of a limited size. */
export async function* pagesOfRows(db: Reads, runId: string, filter: ResultFilter): AsyncGenerator<ResultRow[]> {
  for (let cursor: BatchCursor | undefined; ; ) {
    const rows = await listResultsOfSize(db, runId, filter, { ...PAGE, cursor });
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    // Reads of a database file never wait, so other requests get their turn here.
    await Bun.sleep(0);
    cursor = { position: last.position, repeat: last.repeat, value: null };
  }
}

/** The same results with their scores, one at a time. */
export async function* scoredRows(db: Reads, runId: string, filter: ResultFilter): AsyncGenerator<ScoredRow> {
  for await (const rows of pagesOfRows(db, runId, filter)) yield* await withScores(db, rows);
}

export const withScores = async (db: Reads, rows: readonly ResultRow[]): Promise<ScoredRow[]> => {
  const found = await listScores(
    db,
    rows.map(({ id }) => id),
  );
  const scores = Map.groupBy(found, ({ resultId }) => resultId);
  return rows.map((row) => ({ row, scores: (scores.get(row.id) ?? []).map(toScore) }));
};

/** All labels of these results by result, including replaced ones, oldest first. */
export const labelsOf = async (db: Reads, rows: readonly ResultRow[]): Promise<Map<string, NamedLabelRow[]>> => {
  const found = await listLabelHistories(
    db,
    rows.map(({ id }) => id),
  );
  return Map.groupBy(found, ({ resultId }) => resultId);
};
