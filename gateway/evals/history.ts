import type { Db, Reads } from "../../db/client";
import { findDataset } from "../../db/datasets";
import { listLabels } from "../../db/labels";
import * as resultStore from "../../db/results";
import * as runStore from "../../db/runs";
import { AppError } from "../../lib/errors";
import type { PageQuery } from "../contract";
import { contentOf, toNewSample } from "../datasets/content";
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
import type { Principal } from "../principal";
import type { Evaluation, Run, RunPage, RunQuery, RunWithResults, SampleResult } from "./contract";
import { type ComputeFigures, createRunReader } from "./summary";
import { toResult, toRunInfo } from "./wire";

type RunFilter = Omit<RunQuery, "limit" | "after"> & Pick<runStore.RunFilter, "kind">;

/** Who reads. Runs of an index that the reader may not use are not found. */
export type RunReader = Pick<Principal, "allowedIndexes">;

/** Reads stored runs and their results. */
export interface EvalHistory {
  /** Newest first. */
  list(reader: RunReader, query: RunQuery & Pick<runStore.RunFilter, "kind">): Promise<RunPage>;
  /** A numbered page of the matching runs. A number past the end returns the last page. */
  pageOfRuns(reader: RunReader, query: RunFilter & NumberedQuery<runStore.RunSort>): Promise<NumberedPage<Run>>;
  /** A run with a page of its results. Throws not_found. */
  get(reader: RunReader, id: string, page?: PageQuery): Promise<RunWithResults>;
  /** A run with a numbered page of its results. Throws not_found. */
  pageOfResults(
    reader: RunReader,
    id: string,
    query: NumberedQuery<resultStore.ResultSort>,
  ): Promise<{ run: Run; results: NumberedPage<SampleResult> }>;
  /** One result with its run. Throws not_found. */
  result(reader: RunReader, id: string): Promise<Evaluation>;
  /** The sample of a run's first result, with the run. Throws not_found. */
  sampleOf(reader: RunReader, runId: string): Promise<{ run: Run; sample: NewSample }>;
}

interface HistoryRows {
  /** Throws not_found. */
  find(reader: RunReader, id: string): Promise<runStore.RunRow>;
}

export const createHistory = (db: Db, compute?: ComputeFigures): EvalHistory & HistoryRows => {
  const find = (reader: RunReader, id: string) => findRun(db, id, reader);
  const readRun = createRunReader(db, compute);

  /** Reads runs one at a time, because computing their figures takes CPU time. */
  const readRuns = async (rows: readonly runStore.RunRow[]): Promise<Run[]> => {
    const runs: Run[] = [];
    for (const row of rows) runs.push(await readRun(row));
    return runs;
  };

  /** Converts a request's filter for the database. A deleted dataset can only be found by its id. */
  const filterOf = async ({ allowedIndexes: allowed }: RunReader, { dataset, passed, ...filter }: RunFilter) => ({
    ...filter,
    allowed,
    datasetId: dataset === undefined ? undefined : ((await findDataset(db, dataset))?.id ?? dataset),
    passed: passed === undefined ? undefined : passed === "true",
  });

  return {
    find,

    async list(reader, { limit = 20, after, ...query }) {
      const rows = await runStore.listRuns(db, {
        limit: limit + 1,
        cursor: readTimeCursor(after),
        ...(await filterOf(reader, query)),
      });
      const page = pageOf(
        rows,
        limit,
        (row) => row,
        ({ createdAt, id }) => timeCursor(createdAt, id),
      );
      return { ...page, data: await readRuns(page.data) };
    },

    async pageOfRuns(reader, { page, pageLength, sort, ...query }) {
      const filter = await filterOf(reader, query);
      const total = await runStore.countRuns(db, filter);
      return numberedPage({ page, pageLength }, total, async (slice) =>
        readRuns(await runStore.listSortedRuns(db, { ...filter, ...slice, sort })),
      );
    },

    async get(reader, id, { limit = 20, after } = {}) {
      const row = await find(reader, id);
      const rows = await resultStore.listResults(db, id, { limit: limit + 1, cursor: readResultCursor(after) });
      const page = pageOf(
        rows,
        limit,
        (result) => result,
        ({ repeat, sampleKey }) => `${repeat}.${sampleKey}`,
      );
      return { run: await readRun(row), results: { ...page, data: await completeResults(db, page.data, row) } };
    },

    async pageOfResults(reader, id, { sort, ...place }) {
      const row = await find(reader, id);
      const run = await readRun(row);
      const results = await numberedPage(place, run.progress.total, async (slice) =>
        completeResults(db, await resultStore.listSortedResults(db, id, { ...slice, sort }), row),
      );
      return { run, results };
    },

    result: (reader, id) => readResult(db, id, reader),

    async sampleOf(reader, runId) {
      const row = await find(reader, runId);
      const [first] = await resultStore.listResults(db, runId, { limit: 1 });
      if (!first) throw new AppError("not_found", `The run ${runId} has no results.`, { param: "id" });
      const sample = toNewSample({ ...contentOf(first.sample), key: first.sampleKey });
      return { run: await readRun(row), sample };
    },
  };
};

export const findRun = async (reads: Reads, id: string, { allowedIndexes }: RunReader): Promise<runStore.RunRow> => {
  const row = await runStore.findRun(reads, id, allowedIndexes);
  if (row) return row;
  throw new AppError("not_found", `Run ${id} not found. GET /v1/evals lists the runs.`, { param: "id" });
};

/** Results of a run with their scores and labels. */
export const completeResults = async (
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
export const readResult = async (reads: Reads, id: string, reader: RunReader): Promise<Evaluation> => {
  const row = await resultStore.findResult(reads, id);
  const run = row && (await runStore.findRun(reads, row.runId, reader.allowedIndexes));
  if (!run) throw new AppError("not_found", `Result ${id} not found.`, { param: "id" });
  const [result] = await completeResults(reads, [row], run);
  if (!result) throw new Error("Reading one row returned no result.");
  return { result, run: toRunInfo(run) };
};

const readResultCursor = (after: string | undefined): resultStore.ResultCursor | undefined => {
  if (after === undefined) return undefined;
  const [, repeat, sampleKey] = /^(\d{1,9})\.(.+)$/s.exec(after) ?? [];
  if (repeat === undefined || sampleKey === undefined) throw strangeCursor();
  return { repeat: Number(repeat), sampleKey };
};
