import { sql } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, flag, json, partOf, refersTo, time } from "./columns";
import { samples } from "./datasets";

/** A version of a prompt template. It never changes. */
export const promptVersions = sqliteTable(
  "prompt_versions",
  {
    name: text().notNull(),
    version: integer().notNull(),
    /** sha256 of the messages. */
    hash: text().notNull(),
    messages: json<{ role: "system" | "user" | "assistant"; content: string }[]>().notNull(),
    note: text().notNull().default(""),
    createdBy: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.name, table.version] })],
);

/** Labels such as `production`, each on one version of a prompt. A label can be moved to another version. */
export const promptLabels = sqliteTable(
  "prompt_labels",
  { name: text().notNull(), label: text().notNull(), version: integer().notNull() },
  (table) => [primaryKey({ columns: [table.name, table.label] })],
);

/** A version of an evaluator that someone created. It never changes. Built-in versions have no row. */
export const evaluatorVersions = sqliteTable(
  "evaluator_versions",
  {
    name: text().notNull(),
    version: integer().notNull(),
    description: text().notNull().default(""),
    criteria: json<unknown[]>().notNull(),
    judge: json<Record<string, unknown>>().notNull(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.name, table.version] })],
);

/** An evaluator's active and shadow version. Without a row, the defaults in the code apply. */
export const evaluatorChoices = sqliteTable("evaluator_choices", {
  name: text().primaryKey(),
  active: integer(),
  shadow: integer(),
  updatedAt: time().notNull(),
});

/** The counts of a batch run. Durations in milliseconds. */
export interface BatchProgress {
  /** Samples times repeats. */
  total: number;
  /** Results created so far, and the position in the dataset from which the next ones are created. */
  created: number;
  nextPosition: number;
  running: number;
  /** Ended results, and how many of them are errors, have a verdict, and passed. */
  done: number;
  errors: number;
  judged: number;
  passed: number;
  failures: Record<string, number>;
  promptTokens: number;
  completionTokens: number;
  /** Outputs from the answer cache, or from an equal request at the same time. Not counted by earlier versions. */
  cached?: number;
  /** Time that nodes spent on the outputs. */
  workedMs: number;
  /** The last `sequence` that was assigned. */
  sequence: number;
  /** Results on which a worker died, counted again for each death. */
  deaths: number;
  /** Workers that died while running the run. */
  workerDeaths?: number;
  /** Time during which a worker ran samples, without pauses. */
  activeMs: number;
  /** Ended results per second over the last seconds of `activeMs`. */
  perSecond: number;
  /** Why no call succeeds at the moment, and since when (ISO 8601). */
  waiting?: { code: string; message: string; since: string } | null;
}

/** An evaluation of one or more samples, with everything that affects its figures. */
export const runs = sqliteTable(
  "runs",
  {
    id: text().primaryKey(),
    kind: text({ enum: ["single", "batch"] }).notNull(),
    name: text().notNull(),
    tags: json<string[]>().notNull().default([]),
    state: text({ enum: ["queued", "running", "paused", "completed", "failed", "cancelled"] }).notNull(),
    pins: json<Record<string, unknown>>().notNull(),
    datasetId: text(),
    prompt: text(),
    error: json<Record<string, unknown>>(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    startedAt: time(),
    endedAt: time(),
    /** Counts changes to the run's results, scores and labels. */
    changes: integer().notNull().default(0),
    /** The figures when `changes` had this value, see `RunFigures`. Stale if it has changed since. */
    figures: json<{ version: number; changes: number; value: Record<string, unknown> }>(),
    /** Only for a batch run, like the columns below: settings that don't affect its figures, see `BatchSettings`. */
    settings: json<Record<string, unknown>>(),
    /** Counts that change in the same transaction as the results, see `BatchProgress`. */
    progress: json<BatchProgress>(),
    /** The job that runs it. A job that isn't the run's current one may not write. */
    jobId: text(),
    /** The last job that scored its outputs again. */
    recomputeJobId: text(),
  },
  (table) => [
    index("runs_by_age").on(table.createdAt, table.id),
    index("runs_by_dataset").on(table.datasetId),
    index("runs_by_prompt").on(table.prompt),
    index("runs_by_job").on(table.jobId),
  ],
);

/**
 * The result of one sample in one repeat: its output, verdict and failure kind. In a batch run, it is also the task
 * that produces them: pending, then running on the worker that holds the run's job.
 */
export const results = sqliteTable(
  "results",
  {
    id: text().primaryKey(),
    runId: partOf(() => runs.id),
    sampleId: refersTo(() => samples.id),
    sampleKey: text().notNull(),
    repeat: integer().notNull().default(0),
    state: text({ enum: ["pending", "running", "done", "error"] }).notNull(),
    output: json<Record<string, unknown>>(),
    passed: flag(),
    failure: text(),
    error: json<Record<string, unknown>>(),
    attempts: integer().notNull().default(0),
    createdAt: createdAt(),
    /** Position of the sample in its dataset. */
    position: integer().notNull().default(0),
    /** Workers that died while running it. */
    deaths: integer().notNull().default(0),
    /** Counts the run's results in the order in which they ended, from 1. */
    sequence: integer(),
    /** The lowest weighted mean of the evaluators that decide its verdict, 0…1. */
    overall: real(),
    latencyMs: real(),
    endedAt: time(),
  },
  (table) => [
    uniqueIndex("results_once").on(table.runId, table.sampleKey, table.repeat),
    index("results_by_sample").on(table.sampleId),
    index("results_in_order").on(table.runId, table.position, table.repeat),
    index("results_open").on(table.runId, table.position, table.repeat).where(sql`state IN ('pending', 'running')`),
    index("results_with_errors").on(table.runId, table.position, table.repeat).where(sql`state = 'error'`),
    index("results_by_verdict").on(table.runId, table.passed, table.position, table.repeat),
    index("results_by_failure")
      .on(table.runId, table.failure, table.position, table.repeat)
      .where(sql`failure IS NOT NULL`),
    index("results_by_end").on(table.runId, table.sequence).where(sql`sequence IS NOT NULL`),
    index("results_by_overall").on(table.runId, table.overall),
    index("results_by_latency").on(table.runId, table.latencyMs),
  ],
);

/** The tags of a batch run's results. An index on them finds the results with a tag. */
export const resultTags = sqliteTable(
  "result_tags",
  {
    runId: partOf(() => runs.id),
    tag: text().notNull(),
    /** Position and repeat of the result. */
    position: integer().notNull(),
    repeat: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.tag, table.position, table.repeat] })],
);

/** Name, wording, scale and threshold of a criterion. It never changes, because scores refer to it by its hash. */
export const criteria = sqliteTable("criteria", {
  /** sha256 of the definition. */
  hash: text().primaryKey(),
  definition: json<Record<string, unknown>>().notNull(),
});

/** A result's score for one criterion by one evaluator. Append-only: a recomputation adds rows. */
export const scores = sqliteTable(
  "scores",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    resultId: partOf(() => results.id),
    metric: text().notNull(),
    evaluator: text().notNull(),
    /** Hash of everything that affects a score of this evaluator. */
    evaluatorHash: text().notNull(),
    /** Changes when the criterion's wording or threshold changes, because either affects the score. */
    criterionHash: refersTo(() => criteria.hash),
    state: text({ enum: ["scored", "error"] }).notNull(),
    value: real(),
    passed: flag(),
    reason: text(),
    claims: json<unknown[]>().notNull(),
    votes: json<number[]>().notNull(),
    shadow: flag().notNull(),
    /** Model, revision and settings of a judge; null for an evaluator without one. */
    judge: json<Record<string, unknown>>(),
    /** Embedding model and revision; null if the evaluator used no embeddings for this score. */
    embedder: json<Record<string, unknown>>(),
    error: json<Record<string, unknown>>(),
    scoredAt: time().notNull(),
  },
  (table) => [
    // Errors are excluded, so that a criterion can be scored again after an error.
    uniqueIndex("scores_once")
      .on(table.resultId, table.evaluator, table.metric, table.criterionHash, table.shadow)
      .where(sql`state = 'scored'`),
    index("scores_by_result").on(table.resultId),
    index("scores_by_evaluator").on(table.evaluator, table.metric),
  ],
);

/** A human label of a result for one criterion. A change adds a row; the earlier row stays as history. */
export const labels = sqliteTable(
  "labels",
  {
    id: text().primaryKey(),
    resultId: partOf(() => results.id),
    metric: text().notNull(),
    value: real().notNull(),
    failure: text(),
    comment: text(),
    /** Given before the evaluator's verdict was shown. */
    blind: flag().notNull(),
    labelledBy: text().notNull(),
    createdAt: createdAt(),
    replacedAt: time(),
  },
  (table) => [
    index("labels_by_result").on(table.resultId, table.metric),
    uniqueIndex("labels_once").on(table.resultId, table.metric, table.labelledBy).where(sql`replaced_at IS NULL`),
  ],
);

export const feedback = sqliteTable(
  "feedback",
  {
    id: text().primaryKey(),
    requestId: text().notNull(),
    rating: text({ enum: ["up", "down"] }).notNull(),
    comment: text(),
    correction: text(),
    /** The sample that was created from the exchange. */
    sample: json<{ datasetId: string; revision: number; sampleId: string }>(),
    givenBy: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    index("feedback_by_age").on(table.createdAt, table.id),
    uniqueIndex("feedback_by_giver").on(table.requestId, table.givenBy),
  ],
);
