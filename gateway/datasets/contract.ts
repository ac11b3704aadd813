import { type Static, Type } from "@sinclair/typebox";
import { t } from "elysia";
import { ChatMessage } from "../chat/contract";
import { Count, Id, Nullable, NumberInUrl, OneOf, Page, PageQuery, Strict, Timestamp } from "../contract";
import { Metadata } from "../embeddings/contract";

const name = Type.String({ minLength: 1, maxLength: 100, description: "Unique; usable instead of the id" });
const description = Type.String({ maxLength: 2000 });
const schema = Type.Record(Type.String(), Type.Unknown(), {
  description:
    "JSON Schema (draft 2020-12 or 07) that every sample of a new revision has to fit, in the form of `NewSample`",
});
const text = Type.String({ maxLength: 1_000_000 });

const sampleFields = {
  input: Type.Union([text, Type.Array(ChatMessage, { minItems: 1, maxItems: 200 })], {
    description: "A question, or the messages of a chat",
  }),
  references: Type.Array(text, { maxItems: 100, description: "Answers that count as correct" }),
  contexts: Type.Array(text, { maxItems: 1000, description: "Texts that an answer has to stand on" }),
  output: Nullable(text, { description: "An answer that exists already: it is scored, not generated" }),
  group: Nullable(Type.String({ maxLength: 200 }), {
    description: "Samples of one source or conversation: statistics treat them as one cluster",
  }),
  tags: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 50, uniqueItems: true }),
  metadata: Metadata,
};

const sampleKey = Type.String({
  minLength: 1,
  maxLength: 200,
  description: "Names the sample across revisions; left out: made from the content",
});

export const NewSample = Strict(
  {
    key: Type.Optional(sampleKey),
    input: sampleFields.input,
    references: Type.Optional(sampleFields.references),
    contexts: Type.Optional(sampleFields.contexts),
    output: Type.Optional(sampleFields.output),
    group: Type.Optional(sampleFields.group),
    tags: Type.Optional(sampleFields.tags),
    metadata: Type.Optional(sampleFields.metadata),
  },
  {
    title: "NewSample",
    examples: [{ key: "capital-fr", input: "What is the capital of France?", references: ["Paris"] }],
  },
);
export type NewSample = Static<typeof NewSample>;

export const Sample = Type.Object(
  { id: Id("sample"), key: sampleKey, ...sampleFields, hash: Type.String({ description: "sha256 of the content" }) },
  {
    title: "Sample",
    examples: [
      {
        id: "sample_01jd8x1m9k2n3p4q5r6s7t8v9w",
        key: "capital-fr",
        input: "What is the capital of France?",
        references: ["Paris"],
        contexts: [],
        output: null,
        group: null,
        tags: ["geography"],
        metadata: {},
        hash: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      },
    ],
  },
);
export type Sample = Static<typeof Sample>;

export const SamplePage = Page(Sample);
export type SamplePage = Static<typeof SamplePage>;

export const SampleQuery = Type.Object({
  ...PageQuery.properties,
  revision: Type.Optional(NumberInUrl({ minimum: 1, description: "Left out: the newest" })),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Words of input or references" })),
});
export type SampleQuery = Static<typeof SampleQuery>;

const lengths = Type.Object(
  { min: Count(), p50: Count(), p95: Count(), max: Count() },
  { title: "Lengths", description: "Characters" },
);

/** What an upload holds and what is wrong with it. */
export const ValidationReport = Type.Object(
  {
    format: OneOf(["jsonl", "json", "csv", "parquet", "inline"]),
    rows: Count(),
    accepted: Count(),
    rejected: Count(),
    columns: Type.Array(Type.String(), { description: "As they stand in the file" }),
    mapping: Type.Record(Type.String(), Type.String(), { description: "Field of the sample by column" }),
    errors: Type.Array(
      Type.Object({
        line: Type.Integer({ minimum: 1 }),
        column: Nullable(Type.String()),
        message: Type.String(),
      }),
      { description: "The first 1,000" },
    ),
    duplicates: Type.Object({
      exact: Count("Rows with the content of an earlier row; they are left out"),
      near: Count("Rows that differ from an earlier one in case, spaces or punctuation only; they are kept"),
    }),
    empty: Type.Record(Type.String(), Count(), { description: "Rows without a value, by field" }),
    lengths: Type.Record(Type.String(), lengths, { description: "By field" }),
    preview: Type.Array(NewSample, { description: "The first 20 samples as they would be stored" }),
  },
  { title: "ValidationReport" },
);
export type ValidationReport = Static<typeof ValidationReport>;

export const DatasetRevision = Type.Object(
  {
    revision: Type.Integer({ minimum: 1 }),
    hash: Type.String({ description: "sha256 over all samples: equal content has equal hashes on every instance" }),
    samples: Count(),
    added: Count("Against the revision before"),
    changed: Count(),
    removed: Count(),
    source: Nullable(Type.String(), { description: "File name of the upload" }),
    created_at: Timestamp,
    created_by: Type.String(),
  },
  { title: "DatasetRevision" },
);
export type DatasetRevision = Static<typeof DatasetRevision>;

export const DatasetRevisionPage = Page(DatasetRevision);

export const Dataset = Type.Object(
  {
    id: Id("ds"),
    name,
    description,
    schema: Nullable(schema),
    latest: DatasetRevision,
    tags: Type.Array(Type.String(), { description: "Of all samples of the newest revision" }),
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
        latest: {
          revision: 3,
          hash: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
          samples: 195,
          added: 2,
          changed: 1,
          removed: 0,
          source: "capitals.jsonl",
          created_at: "2026-11-23T20:15:00.000Z",
          created_by: "key_4fT9kQ2mXw7R",
        },
        tags: ["geography"],
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
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Words of name or description" })),
});
export type DatasetQuery = Static<typeof DatasetQuery>;

/** How an upload is read. In a form, `mapping` is a JSON object as text. */
const uploadOptions = {
  on_error: Type.Optional(
    OneOf(["refuse", "skip"], {
      default: "refuse",
      description: "refuse: one bad row refuses all; skip: good rows stay",
    }),
  ),
  dry_run: Type.Optional(Type.Boolean({ default: false, description: "Answer the report, store nothing" })),
};
const samples = Type.Array(NewSample, { minItems: 1, maxItems: 100_000 });

/** JSON body of `POST /v1/datasets`. */
export const CreateDataset = Strict(
  { name, description: Type.Optional(description), schema: Type.Optional(schema), samples, ...uploadOptions },
  { title: "CreateDataset", examples: [{ name: "capitals", samples: NewSample.examples }] },
);
export type CreateDataset = Static<typeof CreateDataset>;

/** JSON body of `POST /v1/datasets/{id}/revisions`: by key, samples are added, changed and (replace) removed. */
export const CreateRevision = Strict(
  {
    samples,
    mode: Type.Optional(OneOf(["replace", "merge"], { default: "replace", description: "merge removes nothing" })),
    ...uploadOptions,
  },
  { title: "CreateRevision", examples: [{ mode: "merge", samples: NewSample.examples }] },
);
export type CreateRevision = Static<typeof CreateRevision>;

/** A form's values are text. */
const form = {
  file: t.File(),
  format: Type.Optional(
    OneOf(["jsonl", "json", "csv", "parquet"], { description: "Left out: by the file's name and content" }),
  ),
  mapping: Type.Optional(Type.String({ description: "JSON object: field of the sample by column of the file" })),
  on_error: uploadOptions.on_error,
  dry_run: Type.Optional(OneOf(["true", "false"], { default: "false" })),
};

/** Form of `POST /v1/datasets`. */
export const DatasetForm = Strict({ name, description: Type.Optional(description), ...form }, { title: "DatasetForm" });

/** Form of `POST /v1/datasets/{id}/revisions`. */
export const RevisionForm = Strict({ mode: CreateRevision.properties.mode, ...form }, { title: "RevisionForm" });

/** Answer of both uploads; `dataset` is null on a dry run. */
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
          errors: [{ line: 3, column: "question", message: "question is empty." }],
          duplicates: { exact: 0, near: 0 },
          empty: { input: 1 },
          lengths: { input: { min: 0, p50: 30, p95: 30, max: 30 } },
          preview: [{ input: "What is the capital of France?", references: ["Paris"] }],
        },
      },
    ],
  },
);
export type UploadResult = Static<typeof UploadResult>;

/** `PATCH /v1/datasets/{id}`. */
export const UpdateDataset = Strict(
  {
    name: Type.Optional(name),
    description: Type.Optional(description),
    schema: Type.Optional(Nullable(schema)),
    baseline_run_id: Type.Optional(Nullable(Id("run"))),
  },
  { title: "UpdateDataset", minProperties: 1, examples: [{ baseline_run_id: "run_01jd8x1m9k2n3p4q5r6s7t8v9w" }] },
);
export type UpdateDataset = Static<typeof UpdateDataset>;
