import type { SentError } from "../../../lib/thread-errors";
import type { ValidationReport } from "../contract";
import type { ParquetSource, TextSource } from "./read-rows";
import type { SampleBatch, SampleOptions } from "./read-samples";

/*
 * The talk with the Worker, of `read-upload.ts` and `schema-check.ts`: each message is answered by one, so nothing piles up on either side.
 */

/** What the Worker is to read: text comes in blocks, Parquet lies in a file. */
export type ReadingJob = SampleOptions & (Pick<TextSource, "format"> | Pick<ParquetSource, "format" | "path">);

export type ToWorker =
  | { kind: "job"; job: ReadingJob }
  /** Answered by `usable` or `refused`. */
  | { kind: "schema"; schema: unknown }
  | { kind: "block"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "end" }
  | { kind: "go" };

export type FromWorker =
  /** Answered by `block` or `end`. */
  | { kind: "pull" }
  /** Answered by `go`. */
  | { kind: "batch"; batch: SampleBatch }
  | { kind: "report"; report: ValidationReport }
  /** The schema can be used. */
  | { kind: "usable" }
  | { kind: "refused"; error: SentError };
