import type { ErrorDetail, ErrorKind } from "../../../lib/errors";
import type { ValidationReport } from "../contract";
import type { ParquetSource, TextSource } from "./read-rows";
import type { SampleBatch, SampleOptions } from "./read-samples";

/*
 * The talk between `read-upload.ts` and the Worker: each message is answered by one, so nothing piles up on either side.
 */

/** What the Worker is to read: text comes in blocks, Parquet lies in a file. */
export type ReadingJob = SampleOptions & (Pick<TextSource, "format"> | Pick<ParquetSource, "format" | "path">);

export type ToWorker =
  | { kind: "job"; job: ReadingJob }
  | { kind: "block"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "end" }
  | { kind: "go" };

export type FromWorker =
  /** Answered by `block` or `end`. */
  | { kind: "pull" }
  /** Answered by `go`. */
  | { kind: "batch"; batch: SampleBatch }
  | { kind: "report"; report: ValidationReport }
  | { kind: "refused"; error: Refusal };

/** An AppError on its way between threads. */
export interface Refusal {
  kind: ErrorKind;
  message: string;
  param?: string;
  details?: ErrorDetail[];
}
