import type { ChatMessage } from "../chat/message";
import type { ConversationMessage } from "./contract";

type Message = Pick<ConversationMessage, "role" | "content" | "reasoning" | "tool_calls" | "tool_call_id">;

/** The results of the calls of the answer at `index`, by the id of their call: the tool messages directly after it. */
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
 * A branch as the model reads it, without empty answers. Calls without a result are left out, because servers refuse
 * them. If the model calls no functions (`readsCalls` is false), all calls and results are.
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
      // The chat service leaves it out for a model without the capability.
      ...(reasoning && { reasoning }),
      ...(called.length > 0 && { tool_calls: called }),
    };
    return [
      answer,
      ...called.map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: results.get(id) ?? "" })),
    ];
  });

/** The size of a message's texts in UTF-8. No tokenizer makes more tokens of them than they have bytes. */
export const bytesOf = ({
  content,
  reasoning,
  tool_calls: calls,
}: Pick<Message, "content" | "reasoning" | "tool_calls">): number =>
  Buffer.byteLength(content) +
  Buffer.byteLength(reasoning ?? "") +
  (calls ? Buffer.byteLength(JSON.stringify(calls)) : 0);
