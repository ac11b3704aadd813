import { sql } from "drizzle-orm";
import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { flag, json, time } from "./columns";

/** Fields that the request log shows but doesn't search. Times in milliseconds. */
export interface RequestDetail {
  method: string;
  /** The id in the path, such as that of a conversation. */
  object?: string;
  /** Code of the error. */
  code?: string;
  via?: "key" | "session" | "worker";
  node?: string;
  stream?: boolean;
  cache?: "hit" | "miss" | "joined" | "bypass";
  /** Calls of models: one request may embed a question and then chat. */
  calls?: number;
  attempts?: number;
  gatewayMs?: number;
  queueMs?: number;
  ttftMs?: number;
  promptTokens?: number;
  completionTokens?: number;
}

/** The request log: one row per finished request. Few columns, because every request writes one. */
export const requestLog = sqliteTable(
  "request_log",
  {
    /** In order of storage. Not the id, because callers may send the same `x-request-id` twice. */
    seq: integer().primaryKey(),
    /** `x-request-id` */
    id: text().notNull(),
    /** When the request arrived. */
    receivedAt: time().notNull(),
    /** Pattern, such as `/v1/keys/:id`, or `unmatched`. */
    route: text().notNull(),
    status: integer().notNull(),
    /** Fault domain of a failure; null for a request that succeeded. A stream can fail with status 200. */
    faultDomain: text({ enum: ["caller", "policy", "node", "gateway", "unclassified"] }),
    /** null: no valid key. Not a foreign key, so that a block of rows is never rejected. */
    keyId: text(),
    model: text(),
    totalMs: real().notNull(),
    detail: json<RequestDetail>().notNull(),
    /** Request and response bodies, only of keys that log them. The last columns, because they may be long. */
    isCut: flag(),
    prompt: text(),
    answer: text(),
  },
  (table) => [
    index("request_log_by_id").on(table.id),
    index("request_log_by_time").on(table.receivedAt),
    index("request_log_by_key").on(table.keyId, table.receivedAt),
    index("request_log_failed").on(table.receivedAt).where(sql`fault_domain IS NOT NULL`),
  ],
);
