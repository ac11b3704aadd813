import {
  countBatchResults,
  findNeighbours,
  findNumber,
  findPlaces,
  listBatchResults,
  listRepeats,
  listResultsAt,
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

/** The filter and order of a list of results. */
export type ResultList = Omit<ResultQuery, "limit" | "after">;

/** A result's surroundings: the results before and after it in a list, and all answers to its sample. */
export interface ResultPlace {
  /** Ids; null at the ends of the list. */
  previous: string | null;
  next: string | null;
  /** Its number in the list, from 1; null if the list doesn't contain it, or is searched, because that reads every text. */
  number: { number: number; total: number } | null;
  repeats: Pick<SampleResult, "id" | "repeat" | "state" | "passed">[];
}

/** Reads the results of batch runs. All functions throw not_found, also if the caller may not use the run's index. */
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

/** A search stops counting this many results after the page. */
const MAX_COUNTED = 1000;

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
    const read = async (places: readonly number[]) => completeResults(db, await listResultsAt(db, places), run);
    if (filter.search === undefined) {
      const total = await countBatchResults(db, id, filter);
      return numberedPage({ page, pageLength }, total, async (slice) =>
        read(await findPlaces(db, id, { ...filter, ...slice, sort })),
      );
    }
    // A search reads every text until it has found enough, so one search both counts and finds.
    const limit = page * pageLength + MAX_COUNTED;
    const places = await findPlaces(db, id, { ...filter, limit: limit + 1, offset: 0, sort });
    const total = Math.min(places.length, limit);
    const shown = await numberedPage({ page, pageLength }, total, ({ limit: length, offset }) =>
      read(places.slice(offset, offset + length)),
    );
    return { ...shown, hasMore: places.length > limit };
  },

  async place(reader, id, resultId, list) {
    await find(reader, id);
    const row = await findResult(db, resultId);
    if (row?.runId !== id) throw new AppError("not_found", `Result ${resultId} not found in run ${id}.`);
    const cursor = cursorOf(row, list.sort ?? "dataset");
    const filter = filterOf(list);
    const { previous = null, next = null } = await findNeighbours(db, id, { ...filter, cursor });
    const number = filter.search === undefined ? await findNumber(db, id, { ...filter, id: resultId, cursor }) : null;
    return { previous, next, number, repeats: await listRepeats(db, id, row.sampleKey) };
  },
});

const filterOf = ({ sort = "dataset", passed, ...filter }: ResultList) => ({
  ...filter,
  ...(passed !== undefined && { passed: passed === "true" }),
  sort: SORTS[sort],
});
