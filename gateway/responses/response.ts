import type { ChatAnswer, FinishReason, Usage } from "../chat/contract";
import type { Model } from "../models/contract";
import { toUnixSeconds } from "../wire";
import { type CreateResponse, type ResponseObject, type ResponseUsage, SCHEMA_NAME } from "./contract";
import { itemId, type OutputItem } from "./items";

/** OpenAI's default for `temperature` and `top_p`, used for models without recommended settings. */
const DEFAULT_SAMPLING = 1;

interface ResponseFacts {
  id: string;
  createdAt: Date;
  /** The model that answers. */
  model: string;
  /** The sampling settings that the model's authors recommend. */
  sampling: Model["sampling"];
  isStored: boolean;
}

/** The initial state of a response: the request's settings and no output. */
export const begunResponse = (request: CreateResponse, facts: ResponseFacts): ResponseObject => ({
  id: facts.id,
  object: "response",
  created_at: toUnixSeconds(facts.createdAt),
  completed_at: null,
  status: "in_progress",
  incomplete_details: null,
  model: facts.model,
  previous_response_id: request.previous_response_id ?? null,
  instructions: request.instructions ?? null,
  output: [],
  error: null,
  tools: (request.tools ?? []).map(({ type, name, description = null, parameters = null, strict = false }) => ({
    ...{ type, name, description, parameters, strict },
  })),
  tool_choice: toolChoiceOf(request.tool_choice),
  truncation: "disabled",
  parallel_tool_calls: request.parallel_tool_calls ?? true,
  text: { format: formatOf(request.text) },
  top_p: request.top_p ?? facts.sampling?.top_p ?? DEFAULT_SAMPLING,
  presence_penalty: request.presence_penalty ?? 0,
  frequency_penalty: request.frequency_penalty ?? 0,
  top_logprobs: 0,
  temperature: request.temperature ?? facts.sampling?.temperature ?? DEFAULT_SAMPLING,
  reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
  usage: null,
  max_output_tokens: request.max_output_tokens ?? null,
  max_tool_calls: null,
  store: facts.isStored,
  background: false,
  service_tier: "default",
  metadata: request.metadata ?? {},
  safety_identifier: request.safety_identifier ?? null,
  prompt_cache_key: request.prompt_cache_key ?? null,
});

const toolChoiceOf = (choice: CreateResponse["tool_choice"] = "auto"): ResponseObject["tool_choice"] =>
  typeof choice === "object" && choice.type === "allowed_tools" ? { ...choice, mode: choice.mode ?? "auto" } : choice;

const formatOf = (text: CreateResponse["text"]): ResponseObject["text"]["format"] => {
  const format = text?.format ?? { type: "text" };
  if (format.type !== "json_schema") return format;
  const { type, name = SCHEMA_NAME, description = null, schema, strict = false } = format;
  return { type, name, description, schema, strict };
};

const INCOMPLETE: Partial<Record<FinishReason, "max_output_tokens" | "content_filter">> = {
  length: "max_output_tokens",
  content_filter: "content_filter",
};

/** Whether the model finished its answer, rather than being cut off. */
export const isComplete = (reason: FinishReason): boolean => INCOMPLETE[reason] === undefined;

/** The final state of a response. */
export const endedResponse = (
  begun: ResponseObject,
  { finish_reason, usage }: Pick<ChatAnswer, "finish_reason" | "usage">,
  output: OutputItem[],
  now: Date,
): ResponseObject => {
  const reason = INCOMPLETE[finish_reason];
  const ending = reason
    ? { status: "incomplete" as const, incomplete_details: { reason } }
    : { status: "completed" as const, completed_at: toUnixSeconds(now) };
  return { ...begun, ...ending, output, usage: toUsage(usage) };
};

export const toUsage = (usage: Usage): ResponseUsage => ({
  input_tokens: usage.prompt_tokens,
  input_tokens_details: { cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0 },
  output_tokens: usage.completion_tokens,
  output_tokens_details: { reasoning_tokens: usage.completion_tokens_details?.reasoning_tokens ?? 0 },
  total_tokens: usage.total_tokens,
});

/** The output items of an answer that isn't streamed: reasoning, text, calls. Only the last one can be incomplete. */
export const outputOf = (
  { content, reasoning, tool_calls: calls = [] }: ChatAnswer["message"],
  responseId: string,
  isWhole: boolean,
): OutputItem[] => {
  const builders: ((place: number) => OutputItem)[] = [
    ...(reasoning ? [(place: number) => reasoningItem(responseId, place, reasoning)] : []),
    ...(content || (!reasoning && calls.length === 0)
      ? [(place: number) => messageItem(responseId, place, content)]
      : []),
    ...calls.map((call) => (place: number) => callItem(responseId, place, call.id, call.function)),
  ];
  const items = builders.map((build, place) => build(place));
  const last = items.at(-1);
  if (last && !isWhole) last.status = "incomplete";
  return items;
};

export const outputText = (text: string) => ({ type: "output_text" as const, text, annotations: [], logprobs: [] });
export const reasoningText = (text: string) => ({ type: "reasoning_text" as const, text });

export const messageItem = (responseId: string, place: number, text: string) => ({
  type: "message" as const,
  id: itemId("msg", responseId, place, "output"),
  status: "completed" as OutputItem["status"],
  role: "assistant" as const,
  content: [outputText(text)],
});

export const reasoningItem = (responseId: string, place: number, text: string) => ({
  type: "reasoning" as const,
  id: itemId("rs", responseId, place, "output"),
  status: "completed" as OutputItem["status"],
  summary: [],
  content: [reasoningText(text)],
});

/** A call without an id, which some servers send, gets one. */
export const callItem = (
  responseId: string,
  place: number,
  callId: string,
  { name, arguments: json }: { name: string; arguments: string },
) => {
  const id = itemId("fc", responseId, place, "output");
  return {
    type: "function_call" as const,
    id,
    call_id: callId || `call_${id}`,
    name,
    arguments: json,
    status: "completed" as OutputItem["status"],
  };
};
