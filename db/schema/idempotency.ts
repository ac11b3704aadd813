import { index, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { time } from "./columns";

/** The first answer to a request with an `Idempotency-Key`, kept for a day. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** SHA-256 of calling key, route and `Idempotency-Key`. */
    id: text().primaryKey(),
    /** SHA-256 of what was sent. */
    fingerprint: text().notNull(),
    state: text({ enum: ["running", "done"] }).notNull(),
    /** Whoever holds it says so again and again; one that fell silent has died, and the request may run again. */
    holder: text().notNull(),
    heldUntil: time().notNull(),
    /** Status and body, encrypted so that only the caller's own key and `Idempotency-Key` open it. */
    answer: text(),
    expiresAt: time().notNull(),
  },
  (table) => [index("idempotency_keys_by_end").on(table.expiresAt)],
);
