import { Value } from "@sinclair/typebox/value";
import type { ConversationRow, MessageRow } from "../../db/conversations";
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
