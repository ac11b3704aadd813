import { index, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { time } from "./columns";

/** The first answer to a request with an `Idempotency-Key`, kept for a day. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** SHA-256 of calling key, route and `Idempotency-Key`. */
    id: text().primaryKey(),
    /** SHA-256 of the request body. */
    fingerprint: text().notNull(),
    state: text({ enum: ["running", "done"] }).notNull(),
    /** The request that holds the key. It sends heartbeats; without them it is considered dead, and a retry may run. */
    holder: text().notNull(),
    heldUntil: time().notNull(),
    /** Status and body, encrypted. Decryption needs the caller's API key and `Idempotency-Key`. */
    answer: text(),
    expiresAt: time().notNull(),
  },
  (table) => [index("idempotency_keys_by_end").on(table.expiresAt)],
);
