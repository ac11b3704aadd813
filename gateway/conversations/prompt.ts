import type { ChatMessage } from "../chat/message";
import type { ConversationMessage } from "./contract";

type Message = Pick<ConversationMessage, "role" | "content" | "reasoning" | "tool_calls" | "tool_call_id">;

/** Results of the calls of the answer at `index`, by call id. They are the tool messages directly after the answer. */
export const resultsOf = (
  branch: readonly Pick<Message, "role" | "content" | "tool_call_id">[],
  index: number,
): Map<string, string> => {
  const after = branch.slice(index + 1);
  const end = after.findIndex(({ role }) => role !== "tool");
  const results = end === -1 ? after : after.slice(0, end);
  return new Map(results.map(({ tool_call_id: id, content }) => [id ?? "", content]));
};

/**
 * A branch as the model reads it. Leaves out empty answers, and calls without a result, because servers refuse them. If
 * the model doesn't support function calls (`readsCalls` is false), leaves out all calls and results.
 */
export const toPrompt = (branch: readonly Message[], readsCalls: boolean): ChatMessage[] =>
  branch.flatMap((message, index): ChatMessage[] => {
    const { role, content, reasoning, tool_calls: calls } = message;
    if (role === "tool") return [];
    if (role !== "assistant") return content === "" ? [] : [{ role, content }];
    const results = readsCalls && calls ? resultsOf(branch, index) : new Map<string, string>();
    const called = calls?.filter(({ id }) => results.has(id)) ?? [];
    if (content === "" && called.length === 0) return [];
    const answer: ChatMessage = {
      role,
      ...(content !== "" && { content }),
      // The chat service removes reasoning if the model doesn't support it.
      ...(reasoning && { reasoning }),
      ...(called.length > 0 && { tool_calls: called }),
    };
    return [
      answer,
      ...called.map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: results.get(id) ?? "" })),
    ];
  });

/** Size of a message's texts in UTF-8. A tokenizer never produces more tokens than the text has bytes. */
export const bytesOf = ({
  content,
  reasoning,
  tool_calls: calls,
}: Pick<Message, "content" | "reasoning" | "tool_calls">): number =>
  Buffer.byteLength(content) +
  Buffer.byteLength(reasoning ?? "") +
  (calls ? Buffer.byteLength(JSON.stringify(calls)) : 0);
