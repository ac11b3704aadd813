import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, json, partOf, refersTo, time } from "./columns";

export const datasets = sqliteTable(
  "datasets",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    description: text().notNull().default(""),
    /** JSON Schema that every sample must match; null: only the built-in checks. */
    sampleSchema: json<Record<string, unknown>>(),
    baselineRunId: text(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    updatedAt: time().notNull(),
    /** When a user deleted it. Its name can be reused, but runs may still use its content. */
    deletedAt: time(),
  },
  (table) => [
    uniqueIndex("datasets_by_name").on(table.name).where(sql`deleted_at IS NULL`),
    index("datasets_by_change").on(table.updatedAt),
  ],
);

/** A list of samples. It never changes after it is ready. */
export const datasetRevisions = sqliteTable(
  "dataset_revisions",
  {
    id: text().primaryKey(),
    /** null until it is ready. A new dataset is created together with its first revision. */
    datasetId: text().references(() => datasets.id, { onDelete: "cascade" }),
    /** From 1, null until it is ready. */
    revision: integer(),
    jobId: text(),
    /** Hash of all samples; equal content has equal hashes on every instance. */
    hash: text(),
    samples: integer().notNull().default(0),
    added: integer().notNull().default(0),
    changed: integer().notNull().default(0),
    removed: integer().notNull().default(0),
    source: text(),
    /** The most frequent tags, sorted, limited for display in a list. */
    tags: json<string[]>().notNull().default([]),
    tagCount: integer().notNull().default(0),
    /** Report on the upload; see `ValidationReport`. */
    report: json<Record<string, unknown>>(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("dataset_revisions_in_order").on(table.datasetId, table.revision)],
);

/** The content of a sample, stored once for all revisions and datasets. */
export const samples = sqliteTable(
  "samples",
  {
    /** `sample_` and the first 32 digits of the hash. */
    id: text().primaryKey(),
    /** sha256 of the content. */
    hash: text().notNull(),
    input: json<unknown>().notNull(),
    references: json<string[]>().notNull(),
    contexts: json<string[]>().notNull(),
    output: text(),
    group: text(),
    tags: json<string[]>().notNull(),
    metadata: json<Record<string, unknown>>().notNull(),
    /** null: not checked. */
    expectedToolCalls: json<unknown[]>(),
    /** The functions that the model may call, and whether it must call one. */
    tools: json<unknown[]>(),
    toolChoice: json<unknown>(),
  },
  (table) => [index("samples_by_group").on(table.group).where(sql`"group" IS NOT NULL`)],
);

export const revisionSamples = sqliteTable(
  "revision_samples",
  {
    revisionId: partOf(() => datasetRevisions.id),
    position: integer().notNull(),
    key: text().notNull(),
    sampleId: refersTo(() => samples.id),
  },
  (table) => [
    uniqueIndex("revision_samples_in_order").on(table.revisionId, table.position),
    uniqueIndex("revision_samples_by_key").on(table.revisionId, table.key),
    index("revision_samples_by_sample").on(table.sampleId),
  ],
);
