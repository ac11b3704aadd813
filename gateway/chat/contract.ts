import { type Static, Type } from "@sinclair/typebox";
import { MAX_CHOICES, MaxTokens, SAMPLING, StopList, TopLogprobs } from "../../gpu-node/protocol";
import { CacheReport, Component, Count, Milliseconds, Nullable, OneOf, Strict } from "../contract";
import { DegradationCode } from "../health/contract";
import { hint, optional, requires, unsupported } from "./fields";
import { ChatMessage, ToolCall, ToolCallDelta } from "./message";
import { ToolChoice, ToolList } from "./tools";

const ResponseFormat = Type.Union(
  [
    Strict({ type: Type.Literal("text") }),
    Strict({ type: Type.Literal("json_object") }),
    Strict({
      type: Type.Literal("json_schema"),
      json_schema: Strict({
        name: Type.String({ pattern: "^[a-zA-Z0-9_-]{1,64}$" }),
        description: optional(Type.String(), ""),
        schema: Type.Record(Type.String(), Type.Unknown()),
        strict: optional(Type.Boolean(), false),
      }),
    }),
  ],
  { title: "ResponseFormat" },
);

const sampledFrom = "From the sampling distribution, after temperature, top_k, top_p and min_p";
const fromModel = "Default: the model authors' recommendation";

/** Parameters of both OpenAI routes. */
const sampling = {
  model: optional(Type.String({ minLength: 1, maxLength: 200, description: "The default model if omitted" })),
  max_tokens: optional(MaxTokens),
  temperature: optional({ ...SAMPLING.temperature, description: fromModel }),
  top_p: optional({ ...SAMPLING.top_p, description: fromModel }),
  top_k: optional({ ...SAMPLING.top_k, description: `Not in OpenAI's API. 0: all tokens. ${fromModel}` }),
  min_p: optional({ ...SAMPLING.min_p, description: "Not in OpenAI's API" }, 0),
  repetition_penalty: optional({
    ...SAMPLING.repetition_penalty,
    description: `Not in OpenAI's API. As in vLLM, over the tokens of the answer; 1: no penalty. ${fromModel}, for chats in prose`,
  }),
  seed: optional(SAMPLING.seed),
  stop: optional(Type.Union([Type.String(), StopList]), "", []),
  presence_penalty: optional(SAMPLING.presence_penalty, 0),
  frequency_penalty: optional(SAMPLING.frequency_penalty, 0),
  n: optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_CHOICES,
      description: "Number of answers, up to the model's `max_choices`",
    }),
    1,
  ),
  logit_bias: unsupported({}),
  stream: optional(Type.Boolean(), false),
  stream_options: optional(
    Strict({ include_usage: optional(Type.Boolean(), false), include_obfuscation: hint(Type.Boolean()) }),
    {},
  ),
  user: hint(Type.String({ maxLength: 200 })),
  metadata: optional(Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 })), {}),
  prompt_cache_key: hint(Type.String({ maxLength: 1000 })),
  prompt_cache_options: optional(Type.Record(Type.String(), Type.Unknown()), {}),
  prompt_cache_retention: hint(OneOf(["in_memory", "in-memory", "24h"])),
  safety_identifier: hint(Type.String({ maxLength: 1000 })),
  service_tier: hint(OneOf(["auto", "default", "flex", "scale", "priority", "fast"])),
  store: unsupported(false),
};

/** `POST /v1/chat/completions` in OpenAI's format, and `POST /v1/chat`. */
export const ChatCompletionRequest = Strict(
  {
    ...sampling,
    messages: Type.Array(ChatMessage, { minItems: 1, maxItems: 2000 }),
    max_completion_tokens: optional(MaxTokens),
    response_format: optional(ResponseFormat, { type: "text" }, {}),
    logprobs: optional(Type.Boolean({ description: sampledFrom }), false),
    top_logprobs: optional(TopLogprobs.chat, 0),
    tools: optional(ToolList, []),
    tool_choice: optional(ToolChoice, "auto"),
    parallel_tool_calls: optional(Type.Boolean({ description: "Whether one answer may call several functions" }), true),
    functions: unsupported([]),
    function_call: unsupported("none", "auto"),
    reasoning_effort: optional(
      OneOf(["none", "minimal", "low", "medium", "high", "xhigh", "max"], {
        description: `${requires("reasoning")}; for other models, \`none\` and \`medium\` have no effect`,
      }),
    ),
    verbosity: unsupported("medium"),
    modalities: unsupported([], ["text"]),
    audio: unsupported({}),
    prediction: unsupported({}),
    moderation: unsupported({}),
    web_search_options: unsupported(),
  },
  {
    title: "ChatCompletionRequest",
    examples: [
      {
        model: "smollm2-135m-instruct",
        messages: [{ role: "user", content: "Name three colours." }],
        max_tokens: 32,
        temperature: 0,
      },
    ],
  },
);
export type ChatCompletionRequest = Static<typeof ChatCompletionRequest>;

/** Default length of a raw completion, in tokens. Chat answers end on their own. */
export const DEFAULT_COMPLETION_TOKENS = 16;
/** Maximum number of prompts per request. LangChain sends up to this many. */
const MAX_PROMPTS = 20;
const tokenIds = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 });

/** `POST /v1/completions`, OpenAI's format. */
export const CompletionRequest = Strict(
  {
    ...sampling,
    max_tokens: optional({
      ...MaxTokens,
      description: `Default: ${DEFAULT_COMPLETION_TOKENS}, as in OpenAI's API. A raw completion seldom ends on its own`,
    }),
    prompt: Type.Union(
      [
        Type.String(),
        tokenIds,
        Type.Array(Type.String(), { minItems: 1, maxItems: MAX_PROMPTS }),
        Type.Array(tokenIds, { minItems: 1, maxItems: MAX_PROMPTS }),
      ],
      { description: "A string or token ids, or a list of either: each one gets a choice. A stream accepts only one" },
    ),
    best_of: unsupported(1),
    echo: unsupported(false),
    logprobs: optional({ ...TopLogprobs.completion, description: sampledFrom }),
    suffix: unsupported(""),
  },
  {
    title: "CompletionRequest",
    examples: [{ model: "smollm2-135m-instruct", prompt: "The capital of France is", max_tokens: 8, temperature: 0 }],
  },
);
export type CompletionRequest = Static<typeof CompletionRequest>;

export const Usage = Component("Usage", {
  prompt_tokens: Count(),
  completion_tokens: Count(),
  total_tokens: Count(),
  // Some servers behind a node send null.
  prompt_tokens_details: Type.Optional(
    Nullable(
      Type.Object({
        cached_tokens: Type.Optional(
          Nullable(Count(), { description: "Served from the node's KV cache instead of being computed" }),
        ),
      }),
    ),
  ),
  completion_tokens_details: Type.Optional(
    Nullable(
      Type.Object({
        reasoning_tokens: Type.Optional(Nullable(Count(), { description: "Part of `completion_tokens`" })),
      }),
    ),
  ),
});
export type Usage = Static<typeof Usage>;

export const FinishReason = OneOf(["stop", "length", "tool_calls", "content_filter"], { title: "FinishReason" });
export type FinishReason = Static<typeof FinishReason>;

export const Latency = Component("Latency", {
  queue: Milliseconds("Time spent waiting for a slot"),
  ttft: Milliseconds("From arrival to the first token"),
  total: Milliseconds("From arrival to the end of the answer"),
});
export type Latency = Static<typeof Latency>;

const Degraded = Type.Array(DegradationCode, {
  description: "The degradations at that time, with the codes of `x-degraded`",
});

/** Response of `POST /v1/chat`. */
export const ChatAnswer = Component("ChatAnswer", {
  id: Type.String({
    description: "Unique to this answer; `request_id` identifies the request",
    examples: ["chatcmpl-01jd8x1m9k2n3p4q5r6s7t8v9w"],
  }),
  message: Type.Object({
    role: Type.Literal("assistant"),
    content: Type.String({ examples: ["Red, green and blue."] }),
    reasoning: Type.Optional(Type.String({ description: "The model's reasoning, if its server returns it" })),
    tool_calls: Type.Optional(Type.Array(ToolCall)),
  }),
  finish_reason: FinishReason,
  stop_sequence: Type.Optional(
    Type.String({ description: "The entry of `stop` that ended the answer, if the model's server reports it" }),
  ),
  usage: Usage,
  model: Type.String(),
  model_revision: Type.String(),
  template_version: Type.Union([Type.String(), Type.Null()], {
    description: "Version of the prompt template; null without a template",
  }),
  node: Type.Union([Type.String(), Type.Null()], { description: "The node that answered; null for a cache hit" }),
  latency: Latency,
  cache: CacheReport,
  retries: Count("Failed attempts before this answer, on the same or another node"),
  fallback_from: Nullable(Type.String(), {
    description: "The requested model, if a fallback model answered because it couldn't; otherwise null",
  }),
  degraded: Degraded,
  request_id: Type.String(),
});
export type ChatAnswer = Static<typeof ChatAnswer>;

/**
 * One event of a streamed `POST /v1/chat`, sent as `data: <this>` without an event name. A stream has one `start`, any
 * number of `delta`, one `done`, then `data: [DONE]`. A failed stream ends with `data: {"error": …}` (the usual error
 * envelope) and no `[DONE]`. Lines that start with `:` keep the connection open while the model produces no token.
 */
export const ChatEvent = Type.Union(
  [
    Component("ChatStartEvent", {
      type: Type.Literal("start"),
      model: Type.String(),
      model_revision: Type.String(),
      cache: CacheReport,
      retries: ChatAnswer.properties.retries,
      fallback_from: ChatAnswer.properties.fallback_from,
      request_id: Type.String(),
    }),
    Component("ChatDeltaEvent", {
      type: Type.Literal("delta"),
      text: Type.String(),
      tokens: Type.Integer({
        minimum: 0,
        description: "Approximate number of tokens in this event; `usage` in the last event is exact",
      }),
      reasoning: Type.Optional(Type.String()),
      tool_calls: Type.Optional(Type.Array(ToolCallDelta)),
    }),
    Component("ChatDoneEvent", {
      type: Type.Literal("done"),
      answer: Type.Omit(ChatAnswer, ["message"], { title: "ChatAnswerWithoutMessage", examples: undefined }),
    }),
  ],
  { title: "ChatEvent" },
);
export type ChatEvent = Static<typeof ChatEvent>;

const optionalText = (description: string) => Type.Optional(Nullable(Type.String(), { description }));
/** A message's texts other than its content. Servers behind a node send the reasoning under either name, or both. */
const otherTexts = {
  refusal: optionalText("Why the model refused to answer"),
  reasoning: optionalText("The model's reasoning; some servers send `reasoning_content` instead"),
  reasoning_content: optionalText("The model's reasoning; some servers send `reasoning` instead"),
};
const AssistantMessage = Type.Object({
  role: Type.Literal("assistant"),
  content: Nullable(Type.String(), { description: "null if the model only calls functions", examples: ["Red."] }),
  ...otherTexts,
  tool_calls: Type.Optional(Nullable(Type.Array(ToolCall))),
});
const choice = {
  index: Type.Integer({ minimum: 0 }),
  finish_reason: FinishReason,
  logprobs: Type.Optional(Type.Unknown()),
};
const identity = {
  id: Type.String({
    description: "Unique to this answer, even if its text comes from the cache; `x-request-id` identifies the request",
  }),
  created: Type.Integer({
    description: "When this answer was generated or served from the cache, in seconds since 1970",
  }),
  model: Type.String(),
  system_fingerprint: Type.Optional(
    Nullable(Type.String(), { description: "Revision of the model; some servers behind a node don't send it" }),
  ),
};
const timings = Type.Optional(
  Type.Object(
    {
      queue_ms: Milliseconds("Time spent waiting for a slot"),
      prefill_ms: Milliseconds("From getting a slot until the first token"),
      ttft_ms: Milliseconds("From arrival until the first token"),
      total_ms: Milliseconds("From arrival until the end of the answer"),
      cached_tokens: Count("Prompt tokens that were in the slot's KV cache"),
    },
    { description: "Measured by the node. Servers behind a node don't send it" },
  ),
);
const completion = { ...identity, usage: Usage, timings };

/** Response of `POST /v1/chat/completions`, as the node sent it. */
export const ChatCompletion = Component("ChatCompletion", {
  ...completion,
  object: Type.Literal("chat.completion"),
  choices: Type.Array(Type.Object({ ...choice, message: AssistantMessage })),
});

/** Response of `POST /v1/completions`, as the node sent it. */
export const TextCompletion = Component("TextCompletion", {
  ...completion,
  object: Type.Literal("text_completion"),
  choices: Type.Array(Type.Object({ ...choice, text: Type.String() })),
});

const lastUsage = Type.Optional(
  Type.Union([Usage, Type.Null()], {
    description: "Only in the last chunk, with `stream_options.include_usage`; otherwise null",
  }),
);

/** One chunk of a streamed `POST /v1/chat/completions`; `[DONE]` follows the last. */
export const ChatCompletionChunk = Component("ChatCompletionChunk", {
  ...identity,
  object: Type.Literal("chat.completion.chunk"),
  choices: Type.Array(
    Type.Object({
      index: Count(),
      delta: Type.Object({
        role: Type.Optional(Type.Literal("assistant")),
        content: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        ...otherTexts,
        tool_calls: Type.Optional(Nullable(Type.Array(ToolCallDelta))),
      }),
      finish_reason: Type.Union([FinishReason, Type.Null()]),
      logprobs: Type.Optional(Type.Unknown()),
    }),
  ),
  usage: lastUsage,
  timings,
});

/** One chunk of a streamed `POST /v1/completions`; `[DONE]` follows the last. */
export const TextCompletionChunk = Component("TextCompletionChunk", {
  ...identity,
  object: Type.Literal("text_completion"),
  choices: Type.Array(
    Type.Object({
      index: Count(),
      text: Type.String(),
      finish_reason: Type.Union([FinishReason, Type.Null()]),
      logprobs: Type.Optional(Type.Unknown()),
    }),
  ),
  usage: lastUsage,
  timings,
});

const explained = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }));

/** `POST /v1/cache/explain`: the request to explain, as it would be sent. Nothing is generated or stored. */
export const ExplainCache = Strict(
  {
    operation: Type.Optional(OneOf(["chat", "completion"], { default: "chat" })),
    request: Type.Union([ChatCompletionRequest, CompletionRequest]),
    namespace: explained("Cache namespace; default: the caller's own"),
    compare_with: explained("`x-request-id` of an earlier request: shows which parts of the key differ"),
  },
  {
    title: "ExplainCache",
    examples: [
      {
        request: { messages: [{ role: "user", content: "Name three colours." }], temperature: 0 },
        compare_with: "req_01jd8x1m9k2n3p4q5r6s7t8v9w",
      },
    ],
  },
);
export type ExplainCache = Static<typeof ExplainCache>;
