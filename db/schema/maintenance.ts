import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdAt, json, time } from "./columns";

/** One row that every write transaction updates first, to take SQLite's write lock before any statement is prepared. */
export const writeLock = sqliteTable("write_lock", { n: integer().notNull() });

/** Leases for work that only one process may do at a time, such as checkpoints. An expired lease is free. */
export const leases = sqliteTable("leases", {
  name: text().primaryKey(),
  holder: text().notNull(),
  until: time().notNull(),
});

export const auditLog = sqliteTable(
  "audit_log",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    at: createdAt(),
    actor: text().notNull(),
    action: text().notNull(),
    target: text().notNull(),
    detail: json<Record<string, unknown>>(),
  },
  (table) => [index("audit_log_by_target").on(table.target, table.at)],
);
