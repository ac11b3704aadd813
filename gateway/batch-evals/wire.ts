import type { BatchCursor, BatchSort } from "../../db/batch-results";
import type { Reads } from "../../db/client";
import { findJob, type JobRow } from "../../db/jobs";
import type { ResultRow } from "../../db/results";
import type { RunRow } from "../../db/runs";
import type { ErrorEnvelope } from "../../lib/errors";
import type { Run } from "../evals/contract";
import { strangeCursor } from "../paging";
import type { BatchEval, BatchSettings, ResultQuery } from "./contract";
import type { RecomputePayload, RecomputeProgress } from "./job";

/** Machine cost per slot and second; null: unknown. */
export type SlotPrice = () => { perSecond: number; currency: string } | null;

/** Converts rows of batch runs. `reads` may be a transaction that has changed the row. */
export const createBatchReader =
  (readRun: (row: RunRow) => Promise<Run>, slotPrice: SlotPrice) =>
  async (reads: Reads, row: RunRow): Promise<BatchEval> => {
    const job = row.recomputeJobId === null ? undefined : await findJob(reads, row.recomputeJobId);
    const run = await readRun(row);
    const price = slotPrice();
    return {
      ...run,
      cost: price && { amount: run.gpu_seconds * price.perSecond, currency: price.currency },
      cached: row.progress?.cached ?? null,
      settings: (row.settings ?? {}) as BatchSettings,
      waiting: row.state === "running" ? (row.progress?.waiting ?? null) : null,
      recompute: job ? toRecomputation(job) : null,
    };
  };

const toRecomputation = ({ state, payload, progress, error }: JobRow): NonNullable<BatchEval["recompute"]> => {
  const { evaluators, shadow } = payload as unknown as RecomputePayload;
  const { done = 0, total = 0, added = 0 } = (progress ?? {}) as Partial<RecomputeProgress>;
  return { state, evaluators, shadow, done, total, added, error: error as ErrorEnvelope["error"] | null };
};

type Sort = NonNullable<ResultQuery["sort"]>;

export const SORTS: Readonly<Record<Sort, BatchSort>> = {
  dataset: "dataset",
  worst_first: "worst",
  slowest_first: "slowest",
};

const sortValueOf = ({ overall, latencyMs }: ResultRow, sort: Sort): number | null => {
  if (sort === "dataset") return null;
  return sort === "worst_first" ? overall : latencyMs;
};

/** The position of a result in a sorted list. */
export const cursorOf = (row: ResultRow, sort: Sort): BatchCursor => ({
  position: row.position,
  repeat: row.repeat,
  value: sortValueOf(row, sort),
});

/** The same position as text. */
export const cursorText = (row: ResultRow, sort: Sort): string => {
  const { position, repeat, value } = cursorOf(row, sort);
  return `${position}.${repeat}.${value ?? ""}`;
};

/** Parses a cursor from `cursorText`. Throws invalid_request for anything else. */
export const readCursor = (after: string | undefined): BatchCursor | undefined => {
  if (after === undefined) return undefined;
  const [, position, repeat, value = ""] = /^(\d{1,9})\.(\d{1,3})\.(-?[\d.e-]{0,30})$/.exec(after) ?? [];
  if (position === undefined || !Number.isFinite(Number(value))) throw strangeCursor();
  return { position: Number(position), repeat: Number(repeat), value: value === "" ? null : Number(value) };
};
