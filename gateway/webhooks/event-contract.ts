import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Component, Count, Nullable, OneOf, Timestamp } from "../contract";
import { DEGRADATION_CODES } from "../health/contract";

/** Why something failed. Programs should check `code`. */
const Reason = Nullable(Type.Object({ code: Type.String(), message: Type.String() }));
const Seconds = Type.Number({ minimum: 0, description: "How long it lasted, in seconds" });

const RunEnded = Component("RunEndedData", {
  run_id: Type.String(),
  name: Type.String(),
  state: OneOf(["completed", "failed", "cancelled"]),
  dataset_id: Nullable(Type.String()),
  results: Type.Object({
    done: Count("Ended results, including errors"),
    errors: Count(),
    judged: Count("Results with a verdict"),
    passed: Count("Results that passed"),
  }),
  error: Reason,
  created_at: Timestamp,
  started_at: Nullable(Timestamp),
  ended_at: Timestamp,
});

const BatchEnded = Component("BatchEndedData", {
  batch_id: Type.String(),
  status: OneOf(["completed", "failed", "expired", "cancelled"]),
  endpoint: Type.String(),
  request_counts: Type.Object({ total: Count(), completed: Count(), failed: Count() }),
  output_file_id: Nullable(Type.String()),
  error_file_id: Nullable(Type.String()),
  created_at: Timestamp,
  ended_at: Timestamp,
});

const IngestionFailed = Component("IngestionFailedData", {
  index_id: Type.String(),
  index_name: Type.String(),
  job_id: Type.String(),
  documents: Count("Documents that were added together"),
  failed: Count("How many of them failed"),
  failures: Type.Array(Type.Object({ document_id: Type.String(), error: Reason }), {
    description: "The first 10 failed documents",
  }),
});

const Budget = Component("BudgetData", {
  key_id: Type.String({ description: "The key that the budget limits" }),
  budget: Type.String({ description: "As in `GET /v1/limits/explain`", examples: ["tokens_per_day"] }),
  model: Nullable(Type.String(), { description: "The model that the budget counts; null: all" }),
  unit: OneOf(["requests", "tokens", "money", "gpu_seconds"]),
  limit: Type.Number({ minimum: 0 }),
  used: Type.Number({ minimum: 0 }),
  resets_at: Nullable(Timestamp, { description: "null: never" }),
});

const node = Type.String({ description: "Id of the node, as on the System page" });
const since = Timestamp;

const NodeDown = Component("NodeDownData", {
  node,
  state: Type.String({ examples: ["down"] }),
  reason: Type.String(),
  since,
});
const NodeUp = Component("NodeUpData", { node, since, ended_at: Timestamp, seconds: Seconds });

const degradation = { code: OneOf(DEGRADATION_CODES), reason: Type.String(), drill: Type.Boolean(), since };
const DegradationStarted = Component("DegradationStartedData", degradation);
const DegradationEnded = Component("DegradationEndedData", { ...degradation, ended_at: Timestamp, seconds: Seconds });

const WebhookDisabled = Component("WebhookDisabledData", {
  webhook_id: Type.String(),
  description: Type.String(),
  reason: OneOf(["failures", "gone"]),
  failing_since: Timestamp,
});

const WebhookTest = Component("WebhookTestData", { webhook_id: Type.String() });

/** The data of each type of event. */
export const EVENT_DATA = {
  "run.ended": RunEnded,
  "batch.ended": BatchEnded,
  "ingestion.failed": IngestionFailed,
  "budget.warning": Budget,
  "budget.spent": Budget,
  "node.down": NodeDown,
  "node.up": NodeUp,
  "degradation.started": DegradationStarted,
  "degradation.ended": DegradationEnded,
  "webhook.disabled": WebhookDisabled,
  "webhook.test": WebhookTest,
} satisfies Record<string, TSchema>;

export type EventType = keyof typeof EVENT_DATA;

/** An event to publish. `cause` identifies what happened: a second event with the same cause is ignored. */
export type PublishedEvent = {
  [T in EventType]: { type: T; cause: string; data: Static<(typeof EVENT_DATA)[T]> };
}[EventType];

/** What happened, for each type that webhooks can choose. A test event is sent regardless of the choice. */
export const EVENT_WORDS: Readonly<Record<Exclude<EventType, "webhook.test">, string>> = {
  "run.ended": "A batch run completed, failed or was cancelled",
  "batch.ended": "A batch of requests (/v1/batches) ended",
  "ingestion.failed": "Documents could not be added to an index",
  "budget.warning": "A budget is 80 % used",
  "budget.spent": "A budget is used up",
  "node.down": "A GPU node is down",
  "node.up": "A GPU node is back",
  "degradation.started": "The service is degraded",
  "degradation.ended": "A degradation is over",
  "webhook.disabled": "Another webhook was disabled because it kept failing",
};

/** The types that webhooks can choose. */
export const EVENT_TYPES = Object.keys(EVENT_WORDS) as (keyof typeof EVENT_WORDS)[];
