import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, flag, json, partOf, refersTo, time } from "./columns";
import { uploads } from "./maintenance";

/** Files of `/v1/files`. Each belongs to a key, and its bytes are an upload. */
export const files = sqliteTable(
  "files",
  {
    id: text().primaryKey(),
    uploadId: refersTo(() => uploads.id),
    /** batch: an input file. batch_output: a file of results or errors. */
    purpose: text({ enum: ["batch", "batch_output"] }).notNull(),
    filename: text().notNull(),
    bytes: integer().notNull(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    expiresAt: time().notNull(),
  },
  (table) => [
    uniqueIndex("files_by_upload").on(table.uploadId),
    index("files_by_key").on(table.createdBy, table.id),
    index("files_by_end").on(table.expiresAt),
  ],
);

/** A problem in an input file. `line` counts from 1; null means the whole file. */
export interface BatchProblem {
  code: string;
  line: number | null;
  message: string;
  param: string | null;
}

/** Total tokens of a batch. */
export interface BatchTokens {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** Batches of `/v1/batches`: the requests of a file, run by a jobs worker. */
export const batches = sqliteTable(
  "batches",
  {
    id: text().primaryKey(),
    status: text({
      enum: ["validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"],
    }).notNull(),
    endpoint: text().notNull(),
    /** Not a foreign key, because the file can be deleted while the batch is kept. */
    inputFileId: text().notNull(),
    outputFileId: text(),
    errorFileId: text(),
    /** The model that every request names; null if they name several models or none. */
    model: text(),
    metadata: json<Record<string, string>>(),
    /** How long the output files are kept, in seconds; null: the default. */
    outputSeconds: integer(),
    total: integer().notNull().default(0),
    completed: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    tokens: json<BatchTokens>().notNull(),
    /** Why the batch failed. */
    errors: json<BatchProblem[]>(),
    /** The batch's status once the output files are written; null while requests are still unfinished. */
    ending: text({ enum: ["completed", "expired", "cancelled", "failed"] }),
    /** The job that runs the batch. No other job may write to it. */
    jobId: text().notNull(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    /** End of the completion window. */
    expiresAt: time().notNull(),
    inProgressAt: time(),
    finalizingAt: time(),
    cancellingAt: time(),
    endedAt: time(),
  },
  (table) => [
    index("batches_by_key").on(table.createdBy, table.id),
    index("batches_by_end").on(table.endedAt),
    index("batches_open").on(table.inputFileId).where(sql`ended_at IS NULL`),
  ],
);

/** Results of a batch's requests, kept until the output files are written. */
export const batchResults = sqliteTable(
  "batch_results",
  {
    batchId: partOf(() => batches.id),
    /** Line of the request in the input file, from 1. */
    line: integer().notNull(),
    isError: flag().notNull(),
    /** The request's line in the output or error file. */
    output: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.batchId, table.line] })],
);
