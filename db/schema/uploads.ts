import { blob, index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt } from "./columns";

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
    uploadId: text()
      .notNull()
      .references(() => uploads.id, { onDelete: "cascade" }),
    position: integer().notNull(),
    bytes: blob({ mode: "buffer" }).notNull(),
  },
  (table) => [uniqueIndex("upload_parts_in_order").on(table.uploadId, table.position)],
);
