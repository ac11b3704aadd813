import {
  countBatchResults,
  findNeighbours,
  listBatchResults,
  listBatchSlice,
  listRepeats,
} from "../../db/batch-results";
import type { Db } from "../../db/client";
import { findResult } from "../../db/results";
import type { RunRow } from "../../db/runs";
import { AppError } from "../../lib/errors";
import type { Page } from "../contract";
import type { SampleResult } from "../evals/contract";
import { completeResults, type RunReader } from "../evals/history";
import { type NumberedPage, numberedPage, pageOf } from "../paging";
import type { ResultQuery } from "./contract";
import { cursorOf, cursorText, readCursor, SORTS } from "./wire";

/** Which results of a run a list has, and in which order. */
export type ResultList = Omit<ResultQuery, "limit" | "after">;

/** A result's surroundings: the results before and after it in a list, and all answers to its sample. */
export interface ResultPlace {
  /** Ids; null at the ends of the list. */
  previous: string | null;
  next: string | null;
  repeats: Pick<SampleResult, "id" | "repeat" | "state" | "passed">[];
}

/** Reads the results of batch runs. Each function throws not_found, also for a run of an index that the reader may not use. */
export interface BatchResults {
  results(reader: RunReader, id: string, query: ResultQuery): Promise<Page<SampleResult>>;
  /** A numbered page. A number past the end returns the last page. */
  pageOfResults(
    reader: RunReader,
    id: string,
    query: ResultList & { page: number; pageLength: number },
  ): Promise<NumberedPage<SampleResult>>;
  /** Throws not_found for a result of another run. */
  place(reader: RunReader, id: string, resultId: string, list: ResultList): Promise<ResultPlace>;
}

export const createBatchResults = (db: Db, find: (reader: RunReader, id: string) => Promise<RunRow>): BatchResults => ({
  async results(reader, id, { limit = 20, after, ...list }) {
    const run = await find(reader, id);
    const rows = await listBatchResults(db, id, { ...filterOf(list), limit: limit + 1, cursor: readCursor(after) });
    const page = pageOf(
      rows,
      limit,
      (row) => row,
      (row) => cursorText(row, list.sort ?? "dataset"),
    );
    return { ...page, data: await completeResults(db, page.data, run) };
  },

  async pageOfResults(reader, id, { page, pageLength, ...list }) {
    const run = await find(reader, id);
    const { sort, ...filter } = filterOf(list);
    const total = await countBatchResults(db, id, filter);
    return numberedPage({ page, pageLength }, total, async (slice) =>
      completeResults(db, await listBatchSlice(db, id, { ...filter, ...slice, sort }), run),
    );
  },

  async place(reader, id, resultId, list) {
    await find(reader, id);
    const row = await findResult(db, resultId);
    if (row?.runId !== id) throw new AppError("not_found", `Result ${resultId} not found in run ${id}.`);
    const cursor = cursorOf(row, list.sort ?? "dataset");
    const { previous = null, next = null } = await findNeighbours(db, id, { ...filterOf(list), cursor });
    return { previous, next, repeats: await listRepeats(db, id, row.sampleKey) };
  },
});

const filterOf = ({ sort = "dataset", passed, ...filter }: ResultList) => ({
  ...filter,
  ...(passed !== undefined && { passed: passed === "true" }),
  sort: SORTS[sort],
});
