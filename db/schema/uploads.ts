import { blob, index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt } from "./columns";

/** Bytes on their way into a dataset: kept in the database, so that any worker on any machine can read them. */
export const uploads = sqliteTable(
  "uploads",
  {
    /** `upload_…` */
    id: text().primaryKey(),
    /** receiving: the request that brings it still runs. */
    state: text({ enum: ["receiving", "complete"] }).notNull(),
    /** As the sender named it; for people only. */
    fileName: text(),
    sizeBytes: integer().notNull().default(0),
    /** Of all bytes, in hex. */
    sha256: text(),
    /** The job that needs it, and with whose end it goes; null: a person decides what becomes of it. */
    jobId: text(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [index("uploads_by_age").on(table.createdAt)],
);

/** One piece of an upload, in order from 0. */
export const uploadParts = sqliteTable(
  "upload_parts",
  {
    uploadId: text()
      .notNull()
      .references(() => uploads.id, { onDelete: "cascade" }),
    position: integer().notNull(),
    bytes: blob({ mode: "buffer" }).notNull(),
  },
  (table) => [uniqueIndex("upload_parts_in_order").on(table.uploadId, table.position)],
);
