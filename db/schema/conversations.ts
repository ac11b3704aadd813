import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, json, time } from "./columns";
import { keys } from "./keys";

export const conversations = sqliteTable(
  "conversations",
  {
    id: text().primaryKey(),
    keyId: text()
      .notNull()
      .references(() => keys.id),
    title: text().notNull(),
    model: text().notNull(),
    /** The index that answers come from. Not a foreign key: a conversation outlives its index. */
    indexId: text(),
    /** Search settings that replace the index's: `RetrievalOverrides`. */
    retrieval: json<Record<string, unknown>>(),
    /** The functions that the model may call: `Tool[]`. */
    tools: json<unknown[]>(),
    /** Last message of the shown branch; null means the newest message. */
    leafId: text(),
    createdAt: createdAt(),
    updatedAt: time().notNull(),
  },
  (table) => [index("conversations_by_key").on(table.keyId, table.updatedAt)],
);

export const messages = sqliteTable(
  "messages",
  {
    id: text().primaryKey(),
    conversationId: text()
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    /** Order of creation; branches are linked by `parentId`. */
    position: integer().notNull(),
    /**
     * The previous message; messages with the same parent are versions of each other. Not a foreign key: SQLite would
     * check each row of a long conversation against all others when the conversation is deleted.
     */
    parentId: text(),
    role: text({ enum: ["system", "user", "assistant", "tool"] }).notNull(),
    content: text().notNull(),
    /** The model's reasoning before it answered. */
    reasoning: text(),
    /** The function calls of an answer: `ToolCall[]`. */
    toolCalls: json<unknown[]>(),
    /** Only for the role `tool`: the id of the call that this message answers. */
    toolCallId: text(),
    /** generating: still being written, even after a reload. interrupted: the process ended before the answer did. */
    status: text({ enum: ["complete", "generating", "stopped", "failed", "interrupted"] }).notNull(),
    /** Finish reason, usage, latency, cache, model revision, node, request id: see `gateway/conversations`. */
    detail: json<Record<string, unknown>>(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("messages_in_order").on(table.conversationId, table.position)],
);
