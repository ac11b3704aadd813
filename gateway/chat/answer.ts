import { round } from "../../lib/round";
import type { Span } from "../../lib/tracing/tracer";
import type { Call } from "../call";
import type { CacheReport } from "../contract";
import type { DegradationCode } from "../health/contract";
import type { ChatAnswer, ChatEvent, Latency } from "./contract";
import type { ToolCallDelta } from "./message";
import { type Completion, NO_USAGE, withoutNul } from "./wire";

/** What is known about an answer at its first byte. */
export interface AnswerStart {
  model: string;
  modelRevision: string;
  /** null on a cache hit. */
  node: string | null;
  cache: CacheReport;
  /** Number of retries, on the same node or another one; 0 for a stored answer. */
  retries: number;
  /** The requested model if another one answers; otherwise null. */
  fallbackFrom: string | null;
  /** Milliseconds since arrival. */
  ttftMs: number;
  queueMs: number;
  /** What is reduced at the time. */
  degraded: readonly DegradationCode[];
  /** Milliseconds from arrival until the node got the request or a stored answer was found; undefined if joined. */
  gatewayMs: number | undefined;
  /** Undefined: the answer is not traced. */
  span?: Span;
}

export interface WholeAnswer extends AnswerStart {
  /** OpenAI's JSON. */
  json: string | Uint8Array;
  totalMs: number;
}

export interface ParsedAnswer extends WholeAnswer {
  completion?: Completion;
}

export interface StreamedAnswer extends AnswerStart {
  /** Complete frames of OpenAI's stream, as the node sends them. Throws AppError if the stream breaks off. */
  pieces: AsyncIterable<Uint8Array | string>;
}

/** Milliseconds from arrival until the node had received the request. */
export const sentAt = (call: Call, completion: Completion): number =>
  Math.max(0, performance.now() - call.receivedAt - (completion.timings?.total_ms ?? 0));

/** The fields of an answer besides its message. */
export const describe = (call: Call, start: AnswerStart, completion: Completion): Omit<ChatAnswer, "message"> => {
  const latency: Latency = {
    queue: round(start.queueMs, 2),
    ttft: round(start.ttftMs, 2),
    total: round(performance.now() - call.receivedAt, 2),
  };
  const [choice] = completion.choices;
  const stop = choice?.stop_reason ?? choice?.matched_stop;
  return {
    id: completion.id,
    finish_reason: choice?.finish_reason ?? "stop",
    ...(typeof stop === "string" && { stop_sequence: stop }),
    usage: completion.usage ?? NO_USAGE,
    model: start.model,
    model_revision: start.modelRevision,
    template_version: null,
    node: start.node,
    latency,
    cache: start.cache,
    retries: start.retries,
    fallback_from: start.fallbackFrom,
    degraded: [...start.degraded],
    request_id: call.requestId,
  };
};

/** The message of an answer with one choice. */
export const messageOf = ({ choices: [choice] }: Completion): ChatAnswer["message"] => {
  const { content, reasoning, reasoning_content, tool_calls } = choice?.message ?? {};
  const thoughts = reasoning ?? reasoning_content;
  return {
    role: "assistant",
    content: withoutNul(content ?? ""),
    ...(thoughts && { reasoning: withoutNul(thoughts) }),
    ...(tool_calls?.length && { tool_calls }),
  };
};

type DeltaEvent = Extract<ChatEvent, { type: "delta" }>;

const toDelta = (text: string, tokens: number, reasoning: string, calls: ToolCallDelta[] | undefined): DeltaEvent => ({
  type: "delta",
  text: withoutNul(text),
  tokens,
  ...(reasoning !== "" && { reasoning: withoutNul(reasoning) }),
  ...(calls && { tool_calls: calls }),
});

/**
 * The event for some chunks of an answer with one choice; undefined if they have no content. The node sends one chunk
 * per token, except for tokens whose text it holds back.
 */
export const deltaOf = (chunks: readonly Completion[]): DeltaEvent | undefined => {
  let text = "";
  let reasoning = "";
  let calls: ToolCallDelta[] | undefined;
  let tokens = 0;
  for (const { choices } of chunks) {
    const delta = choices[0]?.delta;
    if (!delta) continue;
    const thoughts = delta.reasoning ?? delta.reasoning_content;
    const isCall = delta.tool_calls !== undefined && delta.tool_calls !== null && delta.tool_calls.length > 0;
    if (delta.content || thoughts || isCall) tokens++;
    if (delta.content) text += delta.content;
    if (thoughts) reasoning += thoughts;
    if (isCall) calls = [...(calls ?? []), ...(delta.tool_calls ?? [])];
  }
  return tokens === 0 ? undefined : toDelta(text, tokens, reasoning, calls);
};

/** A stored answer with one choice as a single event. */
export const wholeDelta = (completion: Completion): DeltaEvent => {
  const { content, reasoning = "", tool_calls } = messageOf(completion);
  const calls = tool_calls?.map((call, index) => ({ ...call, index }));
  return toDelta(content, completion.usage?.completion_tokens ?? 0, reasoning, calls);
};
