import { blob, index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, json, partOf, time } from "./columns";

/** One row that every write transaction updates first, to take SQLite's write lock before any statement is prepared. */
export const writeLock = sqliteTable("write_lock", { n: integer().notNull() });

/** Leases for work that only one process may do at a time, such as checkpoints. An expired lease is free. */
export const leases = sqliteTable("leases", {
  name: text().primaryKey(),
  holder: text().notNull(),
  until: time().notNull(),
});

/** Who changed what. Rows are only added, in the transaction of their change. */
export const auditLog = sqliteTable(
  "audit_log",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    at: createdAt(),
    /** Id of a key, or the name of a program. */
    actor: text().notNull(),
    /** The key's name at that time; null for a program. */
    actorName: text(),
    /** `x-request-id` of the request; null for the command line, jobs, and entries of earlier versions. */
    requestId: text(),
    action: text().notNull(),
    target: text().notNull(),
    detail: json<Record<string, unknown>>(),
  },
  (table) => [
    index("audit_log_by_target").on(table.target, table.at),
    index("audit_log_by_actor").on(table.actor),
    index("audit_log_by_request").on(table.requestId),
  ],
);

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

/** An uploaded file for a dataset or an index, stored in the database so that workers on any machine can read it. */
export const uploads = sqliteTable(
  "uploads",
  {
    id: text().primaryKey(),
    /** receiving: the request is still sending it. */
    state: text({ enum: ["receiving", "complete"] }).notNull(),
    /** As sent; for display only. */
    fileName: text(),
    sizeBytes: integer().notNull().default(0),
    /** SHA-256 of the file, in hex. */
    sha256: text(),
    /** The job that reads it; the upload is deleted when the job ends. null: waiting for a user's decision. */
    jobId: text(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [index("uploads_by_age").on(table.createdAt)],
);

export const uploadParts = sqliteTable(
  "upload_parts",
  {
    uploadId: partOf(() => uploads.id),
    position: integer().notNull(),
    bytes: blob({ mode: "buffer" }).notNull(),
  },
  (table) => [uniqueIndex("upload_parts_in_order").on(table.uploadId, table.position)],
);
