import { newUlid } from "../../lib/ids";
import type { ChatAnswer, Usage } from "../chat/contract";
import type { ToolCall } from "../chat/message";
import type { AnswerBlock, Message, MessageEnd, MessagesRequest, MessageUsage } from "./contract";
import { signatureOf } from "./signature";

/* Translates the chat service's answers. */

/** How thinking blocks are returned. none: they are left out, because the request doesn't ask for thinking. */
export type Display = "summarized" | "omitted" | "none";

export const displayOf = ({ thinking }: Pick<MessagesRequest, "thinking">): Display =>
  thinking === undefined || thinking.type === "disabled" ? "none" : (thinking.display ?? "summarized");

export const toUsage = (usage: Usage): MessageUsage => {
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const thinking_tokens = usage.completion_tokens_details?.reasoning_tokens;
  return {
    input_tokens: Math.max(0, usage.prompt_tokens - cached),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: usage.completion_tokens,
    output_tokens_details: typeof thinking_tokens === "number" ? { thinking_tokens } : null,
  };
};

/** A message without content and stop reason, as at the start of a stream. */
export const emptyMessage = (model: string): Message => ({
  id: `msg_${newUlid()}`,
  type: "message",
  role: "assistant",
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: toUsage({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }),
});

type Ended = Pick<ChatAnswer, "finish_reason" | "stop_sequence">;

export const endOf = ({ finish_reason, stop_sequence }: Ended, hasCalls: boolean): MessageEnd => {
  if (finish_reason === "length") return { stop_reason: "max_tokens", stop_sequence: null };
  if (finish_reason === "content_filter") return { stop_reason: "refusal", stop_sequence: null };
  // Some servers report "stop" for an answer with a required call.
  if (hasCalls) return { stop_reason: "tool_use", stop_sequence: null };
  if (stop_sequence === undefined) return { stop_reason: "end_turn", stop_sequence: null };
  return { stop_reason: "stop_sequence", stop_sequence };
};

/** Parses a call's arguments. Anything but a JSON object is wrapped in one, so that agents can show it to the model. */
export const inputOf = (json: string): Record<string, unknown> => {
  if (json.trim() === "") return {};
  try {
    const input: unknown = JSON.parse(json);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  } catch {
    // Falls through: JSON that isn't an object is as unusable as invalid JSON.
  }
  return { INVALID_JSON: json };
};

/** The id of a call, or a new one: some servers omit it, but clients need it to return the call's result. */
export const toolUseId = (id: string | null | undefined): string => id || `toolu_${newUlid()}`;

const thinkingBlock = (reasoning: string, display: Display): AnswerBlock => ({
  type: "thinking",
  thinking: display === "omitted" ? "" : reasoning,
  signature: signatureOf(reasoning, display === "omitted"),
});

const toolUseBlock = ({ id, function: { name, arguments: json } }: ToolCall): AnswerBlock => ({
  type: "tool_use",
  id: toolUseId(id),
  name,
  input: inputOf(json),
});

export const toMessage = (answer: ChatAnswer, display: Display): Message => {
  const { content, reasoning = "", tool_calls = [] } = answer.message;
  return {
    ...emptyMessage(answer.model),
    content: [
      ...(reasoning !== "" && display !== "none" ? [thinkingBlock(reasoning, display)] : []),
      ...(content === "" ? [] : [{ type: "text" as const, text: content }]),
      ...tool_calls.map(toolUseBlock),
    ],
    ...endOf(answer, tool_calls.length > 0),
    usage: toUsage(answer.usage),
  };
};
