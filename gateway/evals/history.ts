import type { Db, Reads } from "../../db/client";
import { findDataset } from "../../db/datasets";
import { listLabels } from "../../db/labels";
import * as resultStore from "../../db/results";
import * as runStore from "../../db/runs";
import { AppError } from "../../lib/errors";
import type { PageQuery } from "../contract";
import { type SampleContent, toNewSample } from "../datasets/content";
import type { NewSample } from "../datasets/contract";
import {
  type NumberedPage,
  type NumberedQuery,
  numberedPage,
  pageOf,
  readTimeCursor,
  strangeCursor,
  timeCursor,
} from "../paging";
import type { Evaluation, Run, RunPage, RunQuery, RunWithResults, SampleResult } from "./contract";
import { createRunReader } from "./summary";
import { toResult, toRunInfo } from "./wire";

type RunFilter = Omit<RunQuery, "limit" | "after">;

/** Reads stored runs and their results. */
export interface EvalHistory {
  /** Newest first. */
  list(query: RunQuery): Promise<RunPage>;
  /** A numbered page of the matching runs. A number past the end returns the last page. */
  pageOfRuns(query: RunFilter & NumberedQuery<runStore.RunSort>): Promise<NumberedPage<Run>>;
  /** A run with a page of its results. Throws not_found. */
  get(id: string, page?: PageQuery): Promise<RunWithResults>;
  /** A run with a numbered page of its results. Throws not_found. */
  pageOfResults(
    id: string,
    query: NumberedQuery<resultStore.ResultSort>,
  ): Promise<{ run: Run; results: NumberedPage<SampleResult> }>;
  /** One result with its run. Throws not_found. */
  result(id: string): Promise<Evaluation>;
  /** The sample of a run's first result, with the run. Throws not_found. */
  sampleOf(runId: string): Promise<{ run: Run; sample: NewSample }>;
}

export const createHistory = (db: Db): EvalHistory & { find(id: string): Promise<runStore.RunRow> } => {
  const find = (id: string) => findRun(db, id);
  const readRun = createRunReader(db);

  /** Reads runs one at a time, because computing their figures takes CPU time. */
  const readRuns = async (rows: readonly runStore.RunRow[]): Promise<Run[]> => {
    const runs: Run[] = [];
    for (const row of rows) runs.push(await readRun(row));
    return runs;
  };

  /** Converts a request's filter for the database. A deleted dataset can only be found by its id. */
  const filterOf = async ({ dataset, passed, ...filter }: RunFilter) => ({
    ...filter,
    datasetId: dataset === undefined ? undefined : ((await findDataset(db, dataset))?.id ?? dataset),
    passed: passed === undefined ? undefined : passed === "true",
  });

  return {
    find,

    async list({ limit = 20, after, ...query }) {
      const rows = await runStore.listRuns(db, {
        limit: limit + 1,
        cursor: readTimeCursor(after),
        ...(await filterOf(query)),
      });
      const page = pageOf(
        rows,
        limit,
        (row) => row,
        ({ createdAt, id }) => timeCursor(createdAt, id),
      );
      return { ...page, data: await readRuns(page.data) };
    },

    async pageOfRuns({ page, pageLength, sort, ...query }) {
      const filter = await filterOf(query);
      const total = await runStore.countRuns(db, filter);
      return numberedPage({ page, pageLength }, total, async (slice) =>
        readRuns(await runStore.listSortedRuns(db, { ...filter, ...slice, sort })),
      );
    },

    async get(id, { limit = 20, after } = {}) {
      const row = await find(id);
      const rows = await resultStore.listResults(db, id, { limit: limit + 1, cursor: readResultCursor(after) });
      const page = pageOf(
        rows,
        limit,
        (result) => result,
        ({ repeat, sampleKey }) => `${repeat}.${sampleKey}`,
      );
      return { run: await readRun(row), results: { ...page, data: await complete(db, page.data, row) } };
    },

    async pageOfResults(id, { sort, ...place }) {
      const row = await find(id);
      const run = await readRun(row);
      const results = await numberedPage(place, run.progress.total, async (slice) =>
        complete(db, await resultStore.listSortedResults(db, id, { ...slice, sort }), row),
      );
      return { run, results };
    },

    result: (id) => readResult(db, id),

    async sampleOf(runId) {
      const row = await find(runId);
      const [first] = await resultStore.listResults(db, runId, { limit: 1 });
      if (!first) throw new AppError("not_found", `The run ${runId} has no results.`, { param: "id" });
      const sample = toNewSample({ ...(first.sample as unknown as SampleContent), key: first.sampleKey });
      return { run: await readRun(row), sample };
    },
  };
};

const findRun = async (reads: Reads, id: string): Promise<runStore.RunRow> => {
  const row = await runStore.findRun(reads, id);
  if (row) return row;
  throw new AppError("not_found", `Run ${id} not found. GET /v1/evals lists the runs.`, { param: "id" });
};

/** Results of a run with their scores and labels. */
const complete = async (
  reads: Reads,
  rows: readonly resultStore.ResultRow[],
  { pins }: runStore.RunRow,
): Promise<SampleResult[]> => {
  const ids = rows.map(({ id }) => id);
  const scores = Map.groupBy(await resultStore.listScores(reads, ids), ({ resultId }) => resultId);
  const labels = Map.groupBy(await listLabels(reads, ids), ({ resultId }) => resultId);
  return rows.map((row) =>
    toResult(row, { scores: scores.get(row.id) ?? [], labels: labels.get(row.id) ?? [], order: pins }),
  );
};

/** One result with its run. Throws not_found. */
export const readResult = async (reads: Reads, id: string): Promise<Evaluation> => {
  const row = await resultStore.findResult(reads, id);
  if (!row) throw new AppError("not_found", `Result ${id} not found.`, { param: "id" });
  const run = await findRun(reads, row.runId);
  const [result] = await complete(reads, [row], run);
  if (!result) throw new Error("Reading one row returned no result.");
  return { result, run: toRunInfo(run) };
};

const readResultCursor = (after: string | undefined): resultStore.ResultCursor | undefined => {
  if (after === undefined) return undefined;
  const [, repeat, sampleKey] = /^(\d{1,9})\.(.+)$/s.exec(after) ?? [];
  if (repeat === undefined || sampleKey === undefined) throw strangeCursor();
  return { repeat: Number(repeat), sampleKey };
};
