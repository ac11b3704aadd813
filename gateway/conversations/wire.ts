import { Value } from "@sinclair/typebox/value";
import type { ConversationRow, MessageRow, NewMessage } from "../../db/conversations";
import { newId } from "../../lib/ids";
import type { RetrievalOverrides } from "../retrieval-contract";
import { fromRow } from "../wire";
import { AnswerDetail, Conversation, ConversationMessage } from "./contract";
import type { AnswerState } from "./generation";

export const toConversation = (row: ConversationRow): Conversation =>
  fromRow(Conversation, { ...row, index: row.indexId, retrieval: row.retrieval as RetrievalOverrides | null });

/** `versions` are the ids of all versions of this message. */
export const toMessage = (
  row: Omit<MessageRow, "conversationId" | "position">,
  versions: readonly string[] = [row.id],
): ConversationMessage =>
  fromRow(ConversationMessage, row, {
    versions: [...versions],
    detail: Value.Check(AnswerDetail, row.detail) ? row.detail : null,
  });

export const toState = ({
  role: _,
  tool_call_id: __,
  created_at: ___,
  ...message
}: ConversationMessage): AnswerState => ({
  ...message,
  detail: message.detail ?? { model: "", request_id: "" },
});

/** A new message with a new id, not stored yet. */
export const newMessage = (
  parentId: string | null,
  said: Pick<NewMessage, "role" | "content" | "status"> & Partial<Pick<NewMessage, "toolCallId">>,
): Omit<MessageRow, "conversationId" | "position" | "createdAt"> => ({
  ...{ id: newId("msg"), parentId, reasoning: null, toolCalls: null, toolCallId: null, detail: null },
  ...said,
});

export const newAnswer = (parentId: string | null) =>
  newMessage(parentId, { role: "assistant", content: "", status: "generating" });

const MAX_TITLE_LENGTH = 60;

/** The first line of a question, shortened. */
export const titleOf = (text: string): string => {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > MAX_TITLE_LENGTH ? `${line.slice(0, MAX_TITLE_LENGTH - 1).trimEnd()}…` : line || "New chat";
};
