import { Value } from "@sinclair/typebox/value";
import type { ConversationRow, MessageRow, NewMessage } from "../../db/conversations";
import { newId } from "../../lib/ids";
import { AnswerDetail, type Conversation, type ConversationMessage } from "./contract";
import type { AnswerState } from "./generation";

export const toConversation = (row: ConversationRow): Conversation => ({
  id: row.id,
  title: row.title,
  model: row.model,
  message_count: row.messageCount,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

/** `versions` are the ids of all versions of this message. */
export const toMessage = (
  row: Omit<MessageRow, "conversationId" | "position">,
  versions: readonly string[] = [row.id],
): ConversationMessage => ({
  id: row.id,
  parent_id: row.parentId,
  versions: [...versions],
  role: row.role,
  content: row.content,
  status: row.status,
  detail: Value.Check(AnswerDetail, row.detail) ? row.detail : null,
  created_at: row.createdAt.toISOString(),
});

export const toState = ({ id, parent_id, versions, status, content, detail }: ConversationMessage): AnswerState => ({
  id,
  parent_id,
  versions,
  status,
  content,
  detail: detail ?? { model: "", request_id: "" },
});

/** A new message with a new id; not stored yet. */
export const newMessage = (
  parentId: string | null,
  said: Pick<NewMessage, "role" | "content" | "status">,
): NewMessage => ({ id: newId("msg"), parentId, detail: null, ...said });

export const newAnswer = (parentId: string | null) =>
  newMessage(parentId, { role: "assistant", content: "", status: "generating" });

const TITLE_LENGTH = 60;

/** The first line of a question, shortened. */
export const titleOf = (text: string): string => {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…` : line || "New chat";
};
