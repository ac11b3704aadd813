import { type Static, Type } from "@sinclair/typebox";
import { MaxTokens, SAMPLING, StopList } from "../../gpu-node/protocol";
import { hint, ignored, optional, requires, unsupported } from "../chat/fields";
import { Component, Count, ErrorBody, Nullable, OneOf, Strict } from "../contract";
import { MessageParam, TextBlock, ToolName } from "./content";

/* `POST /v1/messages` and `POST /v1/messages/count_tokens` in the format of Anthropic's API. */

const MAX_MESSAGES = 10_000;
const MAX_TOOLS = 512;

const Tool = Strict(
  {
    type: optional(Type.Literal("custom")),
    name: ToolName,
    description: optional(Type.String(), ""),
    input_schema: Type.Record(Type.String(), Type.Unknown(), { description: "JSON schema of the input" }),
    strict: optional(Type.Boolean(), false),
    eager_input_streaming: optional(
      Type.Boolean({
        description: "Streams the input as the model writes it, even if it turns out not to be valid JSON",
      }),
      false,
    ),
    allowed_callers: ignored,
    cache_control: ignored,
    defer_loading: ignored,
    input_examples: ignored,
  },
  { title: "MessageTool" },
);

const disable_parallel_tool_use = optional(Type.Boolean(), false);
const ToolChoice = Type.Union(
  [
    Strict({ type: OneOf(["auto", "any"]), disable_parallel_tool_use }),
    Strict({ type: Type.Literal("tool"), name: ToolName, disable_parallel_tool_use }),
    Strict({ type: Type.Literal("none") }),
  ],
  { title: "MessageToolChoice", description: "Whether the model calls tools, or which one it must call" },
);

const display = optional(
  OneOf(["summarized", "omitted"], {
    description: "omitted: thinking blocks have no text. Their signature contains it, for the next request",
  }),
  "summarized",
);
const Thinking = Type.Union(
  [
    Strict({ type: Type.Literal("enabled"), budget_tokens: Type.Integer({ minimum: 1 }), display }),
    Strict({ type: OneOf(["adaptive", "between_tools"]), display }),
    Strict({ type: Type.Literal("disabled") }),
  ],
  { title: "Thinking", description: "No effect on models without the capability `reasoning`" },
);

const OutputFormat = Strict(
  { type: Type.Literal("json_schema"), schema: Type.Record(Type.String(), Type.Unknown()) },
  { description: requires("json_schema") },
);

/** The fields that determine the prompt. */
const prompt = {
  model: Type.String({ minLength: 1, maxLength: 200 }),
  messages: Type.Array(MessageParam, { minItems: 1, maxItems: MAX_MESSAGES }),
  system: optional(Type.Union([Type.String(), Type.Array(TextBlock)]), "", []),
  tools: optional(Type.Array(Tool, { maxItems: MAX_TOOLS, description: requires("tools") }), []),
  tool_choice: optional(ToolChoice),
  thinking: optional(Thinking),
  output_config: optional(
    Strict({
      effort: optional(
        OneOf(["low", "medium", "high", "xhigh", "max"], {
          description: "No effect on models without the capability `reasoning`",
        }),
      ),
      format: optional(OutputFormat),
      task_budget: ignored,
    }),
    {},
  ),
  output_format: optional({ ...OutputFormat, description: "The former name of `output_config.format`" }),
  cache_control: ignored,
  context_management: ignored,
  speed: ignored,
  mcp_servers: unsupported([]),
};

const hello = { role: "user" as const, content: "Name three colours." };

/** `POST /v1/messages`. */
export const MessagesRequest = Strict(
  {
    ...prompt,
    max_tokens: MaxTokens,
    stop_sequences: optional(StopList, []),
    stream: optional(Type.Boolean(), false),
    temperature: optional(SAMPLING.temperature),
    top_p: optional(SAMPLING.top_p),
    top_k: optional(SAMPLING.top_k),
    metadata: optional(Strict({ user_id: hint(Type.String({ maxLength: 1000 })) }), {}),
    service_tier: hint(OneOf(["auto", "standard_only"])),
    inference_geo: ignored,
    diagnostics: ignored,
    container: unsupported(),
    thread: unsupported(),
  },
  {
    title: "MessagesRequest",
    examples: [{ model: "smollm2-135m-instruct", max_tokens: 32, temperature: 0, messages: [hello] }],
  },
);
export type MessagesRequest = Static<typeof MessagesRequest>;

/** `POST /v1/messages/count_tokens`. */
export const CountTokensRequest = Strict(prompt, {
  title: "CountTokensRequest",
  examples: [{ model: "smollm2-135m-instruct", messages: [hello] }],
});
export type CountTokensRequest = Static<typeof CountTokensRequest>;

export const MessageTokensCount = Component("MessageTokensCount", { input_tokens: Count() });
export type MessageTokensCount = Static<typeof MessageTokensCount>;

const MessageUsage = Component("MessageUsage", {
  input_tokens: Count("Prompt tokens that were computed"),
  cache_creation_input_tokens: Type.Literal(0, { description: "Groundwire doesn't charge for filling a cache" }),
  cache_read_input_tokens: Count("Prompt tokens served from the node's KV cache"),
  output_tokens: Count(),
  output_tokens_details: Nullable(Type.Object({ thinking_tokens: Count("Part of `output_tokens`") }), {
    description: "null if the model's server doesn't report it",
  }),
});
export type MessageUsage = Static<typeof MessageUsage>;

const TextAnswer = Component("TextAnswer", { type: Type.Literal("text"), text: Type.String() });
const ThinkingAnswer = Component("ThinkingAnswer", {
  type: Type.Literal("thinking"),
  thinking: Type.String({ description: "Empty if the request's `display` is omitted" }),
  signature: Type.String({ description: "Send it back unchanged in the next request" }),
});
const ToolUseAnswer = Component("ToolUseAnswer", {
  type: Type.Literal("tool_use"),
  id: Type.String(),
  name: Type.String(),
  input: Type.Record(Type.String(), Type.Unknown(), {
    description: "If the model wrote invalid JSON, an object whose field `INVALID_JSON` contains it",
  }),
});
export const AnswerBlock = Type.Union([TextAnswer, ThinkingAnswer, ToolUseAnswer], { title: "AnswerBlock" });
export type AnswerBlock = Static<typeof AnswerBlock>;

const StopReason = OneOf(["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"], { title: "StopReason" });

const end = {
  stop_reason: Nullable(StopReason, { description: "null in `message_start`" }),
  stop_sequence: Nullable(Type.String(), {
    description: "The stop sequence that ended the answer, if the model's server reports it",
  }),
};
export type MessageEnd = Static<ReturnType<typeof Type.Object<typeof end>>>;

/** Response of `POST /v1/messages`. */
export const Message = Component("Message", {
  id: Type.String({ examples: ["msg_01jd8x1m9k2n3p4q5r6s7t8v9w"] }),
  type: Type.Literal("message"),
  role: Type.Literal("assistant"),
  model: Type.String(),
  content: Type.Array(AnswerBlock, { description: "Thinking, then text, then tool calls" }),
  ...end,
  usage: MessageUsage,
});
export type Message = Static<typeof Message>;

const index = Count("Index of the block in `content`");

/** One event of a streamed `POST /v1/messages`. Its name is its `type`. */
export const MessageEvent = Type.Union(
  [
    Component("MessageStartEvent", { type: Type.Literal("message_start"), message: Message }),
    Component("MessagePingEvent", { type: Type.Literal("ping") }),
    Component("MessageBlockStartEvent", {
      type: Type.Literal("content_block_start"),
      index,
      content_block: AnswerBlock,
    }),
    Component("MessageBlockDeltaEvent", {
      type: Type.Literal("content_block_delta"),
      index,
      delta: Type.Union([
        Type.Object({ type: Type.Literal("text_delta"), text: Type.String() }),
        Type.Object({ type: Type.Literal("thinking_delta"), thinking: Type.String() }),
        Type.Object({ type: Type.Literal("signature_delta"), signature: Type.String() }),
        Type.Object({ type: Type.Literal("input_json_delta"), partial_json: Type.String() }),
      ]),
    }),
    Component("MessageBlockStopEvent", { type: Type.Literal("content_block_stop"), index }),
    Component("MessageDeltaEvent", {
      type: Type.Literal("message_delta"),
      delta: Type.Object(end),
      usage: MessageUsage,
    }),
    Component("MessageStopEvent", { type: Type.Literal("message_stop") }),
  ],
  { title: "MessageEvent" },
);
export type MessageEvent = Static<typeof MessageEvent>;

/** The error types of Anthropic's API. */
const ERROR_TYPES = [
  "invalid_request_error",
  "authentication_error",
  "billing_error",
  "permission_error",
  "not_found_error",
  "request_too_large",
  "rate_limit_error",
  "api_error",
  "overloaded_error",
  "timeout_error",
] as const;
export type MessageErrorType = (typeof ERROR_TYPES)[number];

/** The `error_code` that refuses `thread`. Anthropic's tool runner then sends complete conversations. */
export const NO_THREADS = "thread_unsupported_request";

/** Every error response of these routes, and the last event of a failed stream. */
export const MessageError = Type.Object(
  {
    type: Type.Literal("error"),
    error: Type.Object({
      type: OneOf(ERROR_TYPES),
      message: ErrorBody.properties.message,
      details: Type.Object(
        {
          error_code: Type.Union([ErrorBody.properties.code, Type.Literal(NO_THREADS)]),
          param: ErrorBody.properties.param,
        },
        { description: "The `code` and `param` of Groundwire's other errors" },
      ),
    }),
    request_id: Type.String(),
  },
  { title: "MessageError" },
);
export type MessageError = Static<typeof MessageError>;
