import { AppError } from "../../lib/errors";
import type { ChatAnswer } from "../chat/contract";
import { toUnixSeconds } from "../wire";
import type { CompactedResponse, CompactResponse } from "./contract";
import { type CompactionItem, itemId } from "./items";
import { toUsage } from "./response";

/* A compaction is an item with a model's summary of a conversation. It replaces the conversation. */

const REQUEST =
  "Summarise this conversation for a model that will continue it without seeing it. Keep the user's goals and wishes, the decisions, the facts and results that are still needed, the names and ids that are in use, and the open tasks. Write only the summary.";
const MARK = "groundwire:";

/** The message that asks for the summary. */
export const summaryRequest = ({ instructions }: Pick<CompactResponse, "instructions">): string =>
  instructions === undefined ? REQUEST : `${REQUEST}\n\n${instructions}`;

/**
 * Builds the `response.compaction` object, whose only item contains the summary. Throws context_length_exceeded for a
 * summary that was cut off, and upstream_error for an empty one.
 */
export const compacted = (
  { message, finish_reason, usage }: Pick<ChatAnswer, "message" | "finish_reason" | "usage">,
  id: string,
  createdAt: Date,
): CompactedResponse => {
  if (finish_reason !== "stop") {
    const message =
      "The conversation leaves no room for its summary. Compact it earlier, or use a model with a larger context window.";
    throw new AppError("context_length_exceeded", message, { param: "input" });
  }
  if (message.content.trim() === "") {
    throw new AppError("upstream_error", "The model wrote no summary. Try again, or use another model.", {
      source: "node",
    });
  }
  const encrypted_content = Buffer.from(MARK + message.content).toString("base64");
  return {
    ...{ id, object: "response.compaction", created_at: toUnixSeconds(createdAt) },
    output: [{ type: "compaction", id: itemId("cmp", id, 0, "output"), encrypted_content }],
    usage: toUsage(usage),
  };
};

/** The summary in a compaction item; undefined if Groundwire didn't create the item. */
export const summaryIn = ({
  encrypted_content: content,
}: Pick<CompactionItem, "encrypted_content">): string | undefined => {
  const text = Buffer.from(content, "base64").toString();
  return text.startsWith(MARK) ? text.slice(MARK.length) : undefined;
};
