import { type Static, Type } from "@sinclair/typebox";
import { t } from "elysia";
import {
  Count,
  Id,
  NAME_PATTERN,
  Nullable,
  NumberInUrl,
  notAnId,
  OneOf,
  Page,
  PageQuery,
  Strict,
  Timestamp,
} from "../contract";
import { NewSample, Sample } from "./sample-contract";

export { NewSample, Sample };

const NAME = { minLength: 1, maxLength: 100, description: "Unique; usable instead of the id" };
const name = Type.String(NAME);
/** For requests only; stored values are shown unchanged. */
const newName = Type.String({ ...NAME, pattern: notAnId("ds", NAME_PATTERN) });
const description = Type.String({ maxLength: 2000 });
const schema = Type.Record(Type.String(), Type.Unknown(), {
  description:
    "JSON Schema (draft 2020-12 or 07) that every sample of a new revision must match, in the shape of `NewSample`",
});

export const SamplePage = Page(Sample);
export type SamplePage = Static<typeof SamplePage>;

export const SampleQuery = Type.Object({
  ...PageQuery.properties,
  revision: Type.Optional(NumberInUrl({ minimum: 1, description: "Default: the newest" })),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Part of the input or references" })),
});
export type SampleQuery = Static<typeof SampleQuery>;

const lengths = Type.Object(
  { min: Count(), p50: Count(), p95: Count(), max: Count() },
  { title: "Lengths", description: "In characters" },
);

const firstFive = Type.Array(
  Type.Object({ key: Type.String(), input: Type.String({ description: "The first 200 characters" }) }),
  { description: "The first five samples" },
);

/** The changes that an upload would make to the newest revision of its dataset. */
const RevisionChanges = Type.Object(
  {
    revision: Type.Integer({ minimum: 1, description: "The revision the file is compared with" }),
    added: Count(),
    changed: Count("The key is in that revision, with different content"),
    unchanged: Count(),
    missing: Count("Samples of that revision that are not in the file: replace removes them, merge keeps them"),
    first: Type.Object({ added: firstFive, changed: firstFive, missing: firstFive }),
  },
  { title: "RevisionChanges" },
);
export type RevisionChanges = Static<typeof RevisionChanges>;

export const ValidationReport = Type.Object(
  {
    format: OneOf(["jsonl", "json", "csv", "parquet", "inline"]),
    rows: Count(),
    accepted: Count(),
    rejected: Count("Rows with errors. Accepted, rejected and exact duplicates add up to all rows"),
    columns: Type.Array(Type.String(), { description: "As named in the file" }),
    mapping: Type.Record(Type.String(), Type.String(), {
      description: "Sample field by column; omitted columns are not included",
    }),
    error_count: Count("A row can have several"),
    errors: Type.Array(
      Type.Object({
        line: Type.Integer({ minimum: 1 }),
        column: Nullable(Type.String()),
        message: Type.String(),
      }),
      { description: "The first 1,000" },
    ),
    warnings: Type.Array(
      Type.Object({
        line: Nullable(Type.Integer({ minimum: 1 }), {
          description: "Line of the first occurrence; null if it has no line",
        }),
        column: Nullable(Type.String()),
        message: Type.String(),
        count: Type.Integer({ minimum: 1, description: "Number of occurrences" }),
      }),
      { description: "What was skipped or reinterpreted without rejecting a row: the first 100 kinds" },
    ),
    examples: Type.Record(Type.String(), Type.Array(Type.String()), {
      description: "Up to three values of each column, truncated to 100 characters",
    }),
    duplicates: Type.Object({
      exact: Count("Rows with the same content as an earlier row, or as a sample that a merge keeps; they are skipped"),
      near: Count("Rows that differ from an earlier one only in case, spaces or punctuation; they are kept"),
    }),
    empty: Type.Record(Type.String(), Count(), { description: "Rows without a value, by mapped field" }),
    lengths: Type.Record(Type.String(), lengths, { description: "Lengths of accepted samples' values, by field" }),
    changes: Type.Optional(RevisionChanges),
    preview: Type.Array(NewSample, {
      description:
        "The first 20 samples as they would be stored; strings are truncated to 500 characters, lists to 10 items",
    }),
  },
  { title: "ValidationReport" },
);
export type ValidationReport = Static<typeof ValidationReport>;

export const DatasetRevision = Type.Object(
  {
    revision: Type.Integer({ minimum: 1 }),
    hash: Type.String({ description: "sha256 over all samples: the same content has the same hash on every instance" }),
    samples: Count(),
    added: Count("Compared with the previous revision"),
    changed: Count(),
    removed: Count(),
    source: Nullable(Type.String(), { description: "File name of the upload" }),
    created_at: Timestamp,
    created_by: Type.String(),
  },
  { title: "DatasetRevision" },
);
export type DatasetRevision = Static<typeof DatasetRevision>;

const revisionExample: DatasetRevision = {
  revision: 3,
  hash: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  samples: 195,
  added: 2,
  changed: 1,
  removed: 0,
  source: "capitals.jsonl",
  created_at: "2026-11-23T20:15:00.000Z",
  created_by: "key_4fT9kQ2mXw7R",
};

export const DatasetRevisionPage = Page(DatasetRevision);

/** The report stored with a revision. It leaves out samples and example values, which the revision contains. */
const KeptReport = Type.Omit(ValidationReport, ["preview", "examples", "changes"], { title: "KeptReport" });
export type KeptReport = Static<typeof KeptReport>;

export const RevisionDetail = Type.Object(
  {
    ...DatasetRevision.properties,
    report: Nullable(KeptReport, { description: "The problems found in the upload, and what was skipped" }),
  },
  {
    title: "RevisionDetail",
    examples: [{ ...revisionExample, report: null }],
  },
);
export type RevisionDetail = Static<typeof RevisionDetail>;

export const Dataset = Type.Object(
  {
    id: Id("ds"),
    name,
    description,
    schema: Nullable(schema),
    latest: DatasetRevision,
    tags: Type.Array(Type.String(), {
      description: "The 200 most frequent tags of the newest revision, sorted",
    }),
    tag_count: Count("Total number of tags in the newest revision"),
    baseline_run_id: Nullable(Id("run"), { description: "The run that new runs are compared with" }),
    created_at: Timestamp,
    created_by: Type.String(),
    updated_at: Timestamp,
  },
  {
    title: "Dataset",
    examples: [
      {
        id: "ds_01jd8x1m9k2n3p4q5r6s7t8v9w",
        name: "capitals",
        description: "Capitals of the world",
        schema: null,
        latest: revisionExample,
        tags: ["geography"],
        tag_count: 1,
        baseline_run_id: null,
        created_at: "2026-11-20T09:00:00.000Z",
        created_by: "key_4fT9kQ2mXw7R",
        updated_at: "2026-11-23T20:15:00.000Z",
      },
    ],
  },
);
export type Dataset = Static<typeof Dataset>;

export const DatasetPage = Page(Dataset);
export type DatasetPage = Static<typeof DatasetPage>;

export const DatasetQuery = Type.Object({
  ...PageQuery.properties,
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Part of the name or description" })),
});
export type DatasetQuery = Static<typeof DatasetQuery>;

/** How an upload is read. In a form, `mapping` is a JSON object as a string. */
const uploadOptions = {
  on_error: Type.Optional(
    OneOf(["refuse", "skip"], {
      default: "refuse",
      description: "refuse: one bad row rejects the whole upload; skip: valid rows are stored",
    }),
  ),
  dry_run: Type.Optional(Type.Boolean({ default: false, description: "Return the report without storing anything" })),
};
const samples = Type.Array(NewSample, { minItems: 1, maxItems: 100_000 });

export const CreateDataset = Strict(
  { name: newName, description: Type.Optional(description), schema: Type.Optional(schema), samples, ...uploadOptions },
  { title: "CreateDataset", examples: [{ name: "capitals", samples: NewSample.examples }] },
);
export type CreateDataset = Static<typeof CreateDataset>;

/**
 * JSON body of `POST /v1/datasets/{id}/revisions`. Samples are matched by key: they are added, changed and, in mode
 * replace, removed.
 */
export const CreateRevision = Strict(
  {
    samples,
    mode: Type.Optional(OneOf(["replace", "merge"], { default: "replace", description: "merge removes nothing" })),
    ...uploadOptions,
  },
  { title: "CreateRevision", examples: [{ mode: "merge", samples: NewSample.examples }] },
);
export type CreateRevision = Static<typeof CreateRevision>;

const form = {
  file: t.File(),
  format: Type.Optional(
    OneOf(["jsonl", "json", "csv", "parquet"], { description: "Default: detected from the file's name and content" }),
  ),
  mapping: Type.Optional(Type.String({ description: "JSON object: sample field by file column" })),
  on_error: uploadOptions.on_error,
  dry_run: Type.Optional(OneOf(["true", "false"], { default: "false" })),
};

export const DatasetForm = Strict(
  {
    name: newName,
    description: Type.Optional(description),
    schema: Type.Optional(Type.String({ description: "JSON Schema as a string" })),
    ...form,
  },
  { title: "DatasetForm" },
);

export const RevisionForm = Strict({ mode: CreateRevision.properties.mode, ...form }, { title: "RevisionForm" });

/** Response to both uploads; `dataset` is null on a dry run. */
export const UploadResult = Type.Object(
  { dataset: Nullable(Dataset), report: ValidationReport },
  {
    title: "UploadResult",
    examples: [
      {
        dataset: null,
        report: {
          format: "csv",
          rows: 2,
          accepted: 1,
          rejected: 1,
          columns: ["question", "answer"],
          mapping: { question: "input", answer: "references" },
          error_count: 1,
          errors: [{ line: 3, column: "question", message: "question is empty." }],
          warnings: [],
          examples: { question: ["What is the capital of France?"], answer: ["Paris", "42"] },
          duplicates: { exact: 0, near: 0 },
          empty: { input: 1, references: 0 },
          lengths: {
            input: { min: 30, p50: 30, p95: 30, max: 30 },
            references: { min: 5, p50: 5, p95: 5, max: 5 },
          },
          preview: [
            {
              key: "b07d85171c45a8fb8ec32e9c0849fc00",
              input: "What is the capital of France?",
              references: ["Paris"],
            },
          ],
        },
      },
    ],
  },
);
export type UploadResult = Static<typeof UploadResult>;

export const UpdateDataset = Strict(
  {
    name: Type.Optional(newName),
    description: Type.Optional(description),
    schema: Type.Optional(Nullable(schema)),
    baseline_run_id: Type.Optional(Nullable(Id("run"))),
  },
  { title: "UpdateDataset", minProperties: 1, examples: [{ baseline_run_id: "run_01jd8x1m9k2n3p4q5r6s7t8v9w" }] },
);
export type UpdateDataset = Static<typeof UpdateDataset>;
