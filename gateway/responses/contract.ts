import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { MaxTokens } from "../../gpu-node/protocol";
import { ChatCompletionRequest } from "../chat/contract";
import { hint, ignored, optional, requires, unsupported } from "../chat/fields";
import { FunctionName } from "../chat/message";
import { Component, Count, Nullable, NumberInUrl, OneOf, Strict } from "../contract";
import { CompactionItem, ContentPart, InputItem, Item } from "./items";

/* `/v1/responses`, as in the Open Responses specification (OpenAPI document of 2026-04-24). */

const { model, temperature, top_p, presence_penalty, frequency_penalty, reasoning_effort, parallel_tool_calls } =
  ChatCompletionRequest.properties;
const { safety_identifier, service_tier, user, prompt_cache_options, prompt_cache_retention } =
  ChatCompletionRequest.properties;

const MAX_TOOLS = 128;
const MAX_ITEMS = 2000;

const Tool = Strict({
  type: Type.Literal("function"),
  name: FunctionName,
  description: optional(Type.String(), ""),
  parameters: optional(Type.Record(Type.String(), Type.Unknown(), { description: "JSON schema of the arguments" })),
  strict: optional(Type.Boolean(), false),
});

const ToolMode = OneOf(["none", "auto", "required"]);
const NamedTool = Strict({ type: Type.Literal("function"), name: FunctionName });
const ToolChoice = Type.Union(
  [
    ToolMode,
    NamedTool,
    Strict(
      {
        type: Type.Literal("allowed_tools"),
        tools: Type.Array(NamedTool, { minItems: 1, maxItems: MAX_TOOLS }),
        mode: optional(ToolMode, "auto"),
      },
      { description: "Only these functions can be called. The model doesn't see the others" },
    ),
  ],
  { title: "ResponseToolChoice", description: "Whether the model calls functions, and which ones" },
);

/** The name of a schema if the request gives none. */
export const SCHEMA_NAME = "response";

const TextFormat = Type.Union(
  [
    Strict({ type: Type.Literal("text") }),
    Strict({ type: Type.Literal("json_object") }),
    Strict({
      type: Type.Literal("json_schema"),
      name: optional(Type.String({ pattern: "^[a-zA-Z0-9_-]{1,64}$" })),
      description: optional(Type.String(), ""),
      schema: Type.Record(Type.String(), Type.Unknown()),
      strict: optional(Type.Boolean(), false),
    }),
  ],
  { title: "ResponseTextFormat" },
);

const PreviousResponse = Type.String({
  minLength: 1,
  maxLength: 100,
  description: "The stored response that this request continues. Its instructions and tools are not carried over",
});

const Input = Type.Union([Type.String({ minLength: 1 }), Type.Array(InputItem, { minItems: 1, maxItems: MAX_ITEMS })]);

/** `POST /v1/responses`. */
export const CreateResponse = Strict(
  {
    model,
    input: Input,
    instructions: optional(Type.String(), ""),
    previous_response_id: optional(PreviousResponse),
    tools: optional(Type.Array(Tool, { maxItems: MAX_TOOLS, description: requires("tools") }), []),
    tool_choice: optional(ToolChoice, "auto"),
    parallel_tool_calls,
    text: optional(
      Strict({ format: optional(TextFormat, { type: "text" }, {}), verbosity: unsupported("medium") }),
      {},
    ),
    reasoning: optional(
      Strict({ effort: reasoning_effort, summary: unsupported("auto") }, { description: requires("reasoning") }),
      {},
    ),
    max_output_tokens: optional(MaxTokens),
    temperature,
    top_p,
    presence_penalty,
    frequency_penalty,
    top_logprobs: unsupported(0),
    stream: optional(Type.Boolean(), false),
    stream_options: hint(Strict({ include_obfuscation: hint(Type.Boolean()) })),
    store: optional(
      Type.Boolean({ description: "Default: true. Responses of keys without content logging are never stored" }),
    ),
    include: optional(
      Type.Array(OneOf(["reasoning.encrypted_content"]), {
        description: "Has no effect: reasoning is returned in plain text, and can be sent back",
      }),
      [],
    ),
    metadata: optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), { maxProperties: 16 }),
      {},
    ),
    truncation: unsupported("disabled"),
    background: unsupported(false),
    max_tool_calls: unsupported(),
    conversation: unsupported(),
    context_management: unsupported([]),
    moderation: unsupported({}),
    prompt: unsupported({}),
    prompt_cache_key: hint(Type.String({ maxLength: 1000 })),
    ...{ safety_identifier, service_tier, user, prompt_cache_options, prompt_cache_retention },
    /** Sent by Codex. */
    client_metadata: ignored,
  },
  {
    title: "CreateResponse",
    examples: [
      {
        model: "smollm2-135m-instruct",
        instructions: "Answer in one sentence.",
        input: "Name three colours.",
        max_output_tokens: 32,
        temperature: 0,
      },
    ],
  },
);
export type CreateResponse = Static<typeof CreateResponse>;

const ResponseUsage = Component("ResponseUsage", {
  input_tokens: Count(),
  input_tokens_details: Type.Object({
    cached_tokens: Count("Served from the node's KV cache instead of being computed"),
  }),
  output_tokens: Count(),
  output_tokens_details: Type.Object({ reasoning_tokens: Count("Part of `output_tokens`") }),
  total_tokens: Count(),
});
export type ResponseUsage = Static<typeof ResponseUsage>;

const FormatResource = Type.Union([
  Type.Object({ type: Type.Literal("text") }),
  Type.Object({ type: Type.Literal("json_object") }),
  Type.Object({
    type: Type.Literal("json_schema"),
    name: Type.String(),
    description: Nullable(Type.String()),
    schema: Type.Record(Type.String(), Type.Unknown()),
    strict: Type.Boolean(),
  }),
]);

const Seconds = (description: string) => Type.Integer({ description: `${description}, in seconds since 1970` });

/** A response in any state. Every field is always present. */
export const ResponseObject = Component("Response", {
  id: Type.String({ examples: ["resp_0193a8f07c2b7e5c8d1f2a3b4c5d6e7f"] }),
  object: Type.Literal("response"),
  created_at: Seconds("When the request arrived"),
  completed_at: Nullable(Seconds("When the answer was complete"), { description: "null unless `status` is completed" }),
  status: OneOf(["in_progress", "completed", "incomplete", "failed", "cancelled"]),
  incomplete_details: Nullable(Type.Object({ reason: OneOf(["max_output_tokens", "content_filter"]) })),
  model: Type.String({ description: "The model that answered" }),
  previous_response_id: Nullable(Type.String()),
  instructions: Nullable(Type.String()),
  output: Type.Array(Item),
  error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  tools: Type.Array(
    Type.Object({
      type: Type.Literal("function"),
      name: Type.String(),
      description: Nullable(Type.String()),
      parameters: Nullable(Type.Record(Type.String(), Type.Unknown())),
      strict: Type.Boolean(),
    }),
  ),
  tool_choice: Type.Union([
    ToolMode,
    Type.Object({ type: Type.Literal("function"), name: Type.String() }),
    Type.Object({
      type: Type.Literal("allowed_tools"),
      tools: Type.Array(Type.Object({ type: Type.Literal("function"), name: Type.String() })),
      mode: ToolMode,
    }),
  ]),
  truncation: Type.Literal("disabled"),
  parallel_tool_calls: Type.Boolean(),
  text: Type.Object({ format: FormatResource }),
  top_p: Type.Number({ description: "The request's value, or the model's default" }),
  presence_penalty: Type.Number(),
  frequency_penalty: Type.Number(),
  top_logprobs: Count("Always 0"),
  temperature: Type.Number({ description: "The request's value, or the model's default" }),
  reasoning: Type.Object({ effort: Nullable(Type.String()), summary: Type.Null() }),
  usage: Nullable(ResponseUsage, { description: "null until the answer has ended" }),
  max_output_tokens: Nullable(Type.Integer()),
  max_tool_calls: Type.Null(),
  store: Type.Boolean({ description: "Whether the response is stored. false if it couldn't be stored" }),
  background: Type.Literal(false),
  service_tier: Type.Literal("default"),
  metadata: Type.Record(Type.String(), Type.String()),
  safety_identifier: Nullable(Type.String()),
  prompt_cache_key: Nullable(Type.String()),
});
export type ResponseObject = Static<typeof ResponseObject>;

const event = <T extends string, P extends Record<string, TSchema>>(type: T, properties: P) =>
  Type.Object({ type: Type.Literal(type), sequence_number: Count("Counts the stream's events from 0"), ...properties });

const ofResponse = { response: ResponseObject };
const ofItem = { output_index: Count(), item: Item };
const itemPlace = { item_id: Type.String(), output_index: Count() };
const partPlace = { ...itemPlace, content_index: Count() };
const ofPart = { ...partPlace, part: ContentPart };
const logprobs = Type.Array(Type.Unknown(), { description: "Always empty" });
const delta = Type.String();

/**
 * One event of a stream. Its `type` is also the SSE event's name. The last event is `response.completed`,
 * `response.incomplete` or, after an `error`, `response.failed`. `[DONE]` follows it.
 */
export const ResponseEvent = Type.Union(
  [
    event("response.created", ofResponse),
    event("response.in_progress", ofResponse),
    event("response.completed", ofResponse),
    event("response.incomplete", ofResponse),
    event("response.failed", ofResponse),
    event("response.output_item.added", ofItem),
    event("response.output_item.done", ofItem),
    event("response.content_part.added", ofPart),
    event("response.content_part.done", ofPart),
    event("response.output_text.delta", { ...partPlace, delta, logprobs }),
    event("response.output_text.done", { ...partPlace, text: Type.String(), logprobs }),
    event("response.reasoning_text.delta", { ...partPlace, delta }),
    event("response.reasoning_text.done", { ...partPlace, text: Type.String() }),
    event("response.function_call_arguments.delta", { ...itemPlace, delta }),
    event("response.function_call_arguments.done", { ...itemPlace, name: Type.String(), arguments: Type.String() }),
    event("error", {
      error: Type.Object({
        type: Type.String(),
        code: Type.String(),
        message: Type.String(),
        param: Nullable(Type.String()),
        request_id: Type.String(),
        retryable: Type.Boolean(),
      }),
    }),
  ],
  { title: "ResponseEvent" },
);
export type ResponseEvent = Static<typeof ResponseEvent>;

/** `POST /v1/responses/compact`. */
export const CompactResponse = Strict(
  {
    model,
    input: optional(Input),
    previous_response_id: optional(PreviousResponse),
    instructions: optional(Type.String({ description: "What else the summary should preserve" }), ""),
    prompt_cache_key: hint(Type.String({ maxLength: 1000 })),
  },
  {
    title: "CompactResponse",
    description: "The conversation is that of `previous_response_id`, followed by `input`. At least one is required",
    examples: [{ model: "smollm2-135m-instruct", input: "Name three colours." }],
  },
);
export type CompactResponse = Static<typeof CompactResponse>;

export const CompactedResponse = Component("CompactedResponse", {
  id: Type.String(),
  object: Type.Literal("response.compaction"),
  created_at: Seconds("When the request arrived"),
  output: Type.Array(CompactionItem, { description: "One item, which replaces the conversation in later requests" }),
  usage: ResponseUsage,
});
export type CompactedResponse = Static<typeof CompactedResponse>;

export const DeletedResponse = Component("DeletedResponse", {
  id: Type.String(),
  object: Type.Literal("response"),
  deleted: Type.Literal(true),
});
export type DeletedResponse = Static<typeof DeletedResponse>;

/** `GET /v1/responses/{id}/input_items`, with OpenAI's parameters. */
export const InputItemsQuery = Type.Object({
  limit: Type.Optional(NumberInUrl({ minimum: 1, maximum: 100, default: 20, description: "Items per page" })),
  order: Type.Optional(OneOf(["asc", "desc"], { default: "desc", description: "desc: the last item first" })),
  after: Type.Optional(Type.String({ maxLength: 200, description: "`last_id` of the previous page" })),
});
export type InputItemsQuery = Static<typeof InputItemsQuery>;

export const InputItemList = Component("ResponseInputItemList", {
  object: Type.Literal("list"),
  data: Type.Array(Item),
  first_id: Nullable(Type.String()),
  last_id: Nullable(Type.String()),
  has_more: Type.Boolean(),
});
export type InputItemList = Static<typeof InputItemList>;
