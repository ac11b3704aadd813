import { type Static, Type } from "@sinclair/typebox";
import { optional } from "../chat/fields";
import { Component, Count, Id, IdList, Nullable, NumberInUrl, OneOf, Strict, UnixSeconds } from "../contract";
import { KeptSeconds } from "../files/contract";
import { ENDPOINT_NAMES } from "./endpoints";

const Metadata = Type.Record(Type.String({ minLength: 1, maxLength: 64 }), Type.String({ maxLength: 512 }), {
  maxProperties: 16,
  description: "Your own values, up to 16",
});
const endpoint = OneOf(ENDPOINT_NAMES, { description: "The `url` of every request in the file" });

/** `POST /v1/batches`. */
export const CreateBatch = Strict(
  {
    input_file_id: Type.String({ minLength: 1, maxLength: 100, description: "A file with the purpose `batch`" }),
    endpoint,
    completion_window: Type.Literal("24h", { description: "Requests that have not ended by then get an error" }),
    metadata: optional(Metadata, {}),
    output_expires_after: optional(
      Strict(
        { anchor: Type.Literal("created_at"), seconds: KeptSeconds },
        {
          description: "How long the output files are kept. Default: GROUNDWIRE_FILE_DAYS",
        },
      ),
    ),
  },
  {
    title: "CreateBatch",
    examples: [
      {
        input_file_id: "file_01jd8x1m9k2n3p4q5r6s7t8v9w",
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
        metadata: { name: "nightly" },
      },
    ],
  },
);
export type CreateBatch = Static<typeof CreateBatch>;

const BatchError = Component("BatchError", {
  code: Type.String({ examples: ["duplicate_custom_id"] }),
  line: Nullable(Type.Integer({ minimum: 1 }), { description: "Line of the input file; null: the whole batch" }),
  message: Type.String({ description: "What is wrong and what to do" }),
  param: Nullable(Type.String(), { description: "The invalid field: `body.max_tokens`" }),
});

const BatchUsage = Component("BatchUsage", {
  input_tokens: Count(),
  input_tokens_details: Type.Object({ cached_tokens: Count("Served from a node's KV cache") }),
  output_tokens: Count(),
  output_tokens_details: Type.Object({ reasoning_tokens: Count() }),
  total_tokens: Count(),
});

const at = (description: string) => Nullable(UnixSeconds, { description: `${description}, in seconds since 1970` });
const fileId = (description: string) => Nullable(Id("file"), { description });

/** OpenAI's batch object. */
export const Batch = Component("Batch", {
  id: Id("batch"),
  object: Type.Literal("batch"),
  endpoint,
  model: Nullable(Type.String(), {
    description: "The model of all requests; null: the requests name several models, or none",
  }),
  errors: Nullable(Type.Object({ object: Type.Literal("list"), data: Type.Array(BatchError) }), {
    description: "Why the batch failed. At most 100 problems of the input file are listed",
  }),
  input_file_id: Id("file"),
  completion_window: Type.Literal("24h"),
  status: OneOf([
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
  ]),
  output_file_id: fileId("Results of the requests that succeeded; null: none, or the batch has not ended"),
  error_file_id: fileId("Errors of the other requests; null: none, or the batch has not ended"),
  created_at: UnixSeconds,
  in_progress_at: at("When the file had been checked"),
  expires_at: { ...UnixSeconds, description: "End of the completion window, in seconds since 1970" },
  finalizing_at: at("When all requests had ended"),
  completed_at: at("When the output files were written"),
  failed_at: at("When it failed"),
  expired_at: at("When the window ended before all requests had"),
  cancelling_at: at("When its cancellation was requested"),
  cancelled_at: at("When its cancellation was complete"),
  request_counts: Type.Object({
    total: Count(),
    completed: Count("Requests in the output file"),
    failed: Count("Requests in the error file"),
  }),
  usage: BatchUsage,
  metadata: Nullable(Type.Record(Type.String(), Type.String())),
});
export type Batch = Static<typeof Batch>;

export const BatchList = IdList(Batch);
export type BatchList = Static<typeof BatchList>;

/** `GET /v1/batches`. */
export const BatchQuery = Type.Object({
  limit: Type.Optional(NumberInUrl({ minimum: 1, maximum: 100, default: 20 })),
  after: Type.Optional(Type.String({ maxLength: 100, description: "`last_id` of the previous page" })),
});
export type BatchQuery = Static<typeof BatchQuery>;
