import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdAt, json, time } from "./columns";

/** One row that every write transaction updates first: that takes SQLite's write lock before anything is prepared. */
export const writeLock = sqliteTable("write_lock", { n: integer().notNull() });

/** Work that one process at a time may do, such as checkpoints. A lapsed lease is free again. */
export const leases = sqliteTable("leases", {
  name: text().primaryKey(),
  holder: text().notNull(),
  until: time().notNull(),
});

/** Who changed what. Only ever appended. */
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
