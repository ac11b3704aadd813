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
    position: integer().notNull(),
    role: text({ enum: ["system", "user", "assistant"] }).notNull(),
    content: text().notNull(),
    /** generating: an answer that a reload finds again; interrupted: the process ended meanwhile. */
    status: text({ enum: ["complete", "generating", "stopped", "failed", "interrupted"] }).notNull(),
    /** Finish reason, usage, latency, cache, model revision, node, request id: see `gateway/conversations`. */
    detail: json<Record<string, unknown>>(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("messages_in_order").on(table.conversationId, table.position)],
);
