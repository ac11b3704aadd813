import { sql } from "drizzle-orm";
import { blob, foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, json, time } from "./columns";

export const indexes = sqliteTable(
  "indexes",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    description: text().notNull().default(""),
    /** Settings of queries, see `RetrievalSettings`. */
    retrieval: json<Record<string, unknown>>().notNull(),
    /** Raised by every change that a query can see. */
    revision: integer().notNull().default(1),
    activeVersion: integer().notNull().default(1),
    /** The newest job that adds documents. */
    ingestionJobId: text(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    updatedAt: time().notNull(),
    /** When it was deleted by a user. Its name is free, and a worker deletes its content. */
    deletedAt: time(),
  },
  (table) => [uniqueIndex("indexes_by_name").on(table.name).where(sql`deleted_at IS NULL`)],
);

/** What the chunks and vectors of an index depend on. The index's `activeVersion` answers queries. */
export const indexVersions = sqliteTable(
  "index_versions",
  {
    indexId: text()
      .notNull()
      .references(() => indexes.id, { onDelete: "cascade" }),
    version: integer().notNull(),
    /** ready: has every document of the index. failed and retired ones get no more documents. */
    state: text({ enum: ["building", "ready", "failed", "retired"] }).notNull(),
    embeddingModel: text().notNull(),
    embeddingModelRevision: text().notNull(),
    dimension: integer().notNull(),
    /** `name@version` */
    chunker: text().notNull(),
    chunkTokens: integer().notNull(),
    overlapTokens: integer().notNull(),
    /** The job that builds it; null for the first version. */
    jobId: text(),
    error: json<Record<string, unknown>>(),
    createdAt: createdAt(),
    activatedAt: time(),
  },
  (table) => [primaryKey({ columns: [table.indexId, table.version] })],
);

/** A document with its visible content, and the content that a job is adding. */
export const documents = sqliteTable(
  "documents",
  {
    indexId: text()
      .notNull()
      .references(() => indexes.id),
    id: text().notNull(),
    title: text().notNull(),
    /** File name or URL, as given. */
    source: text(),
    mediaType: text().notNull(),
    metadata: json<Record<string, unknown>>().notNull(),
    state: text({
      enum: ["queued", "reading", "chunking", "embedding", "ready", "failed", "cancelled"],
    }).notNull(),
    error: json<Record<string, unknown>>(),
    /** sha256 of the visible text; null until the document is searchable. */
    contentHash: text(),
    /** sha256 of the file that the visible text was read from. */
    fileHash: text(),
    /** Length of the visible text in UTF-16 units. */
    characters: integer().notNull().default(0),
    /** The content that is being added, or that could not be added, see `PendingContent`. */
    pending: json<Record<string, unknown>>(),
    pendingHash: text(),
    /** The stored file of the pending content. It is kept as long as the document refers to it. */
    uploadId: text(),
    /** The newest job that adds content to it. */
    jobId: text().notNull(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    updatedAt: time().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.indexId, table.id] }),
    index("documents_by_source").on(table.indexId, table.source),
    index("documents_by_file").on(table.indexId, table.fileHash),
    index("documents_by_pending").on(table.indexId, table.pendingHash),
    index("documents_by_age").on(table.indexId, table.createdAt, table.id),
    index("documents_by_state").on(table.indexId, table.state),
    index("documents_by_job").on(table.jobId, table.state),
    index("documents_by_upload").on(table.uploadId),
  ],
);

/** Every text that a document has had, so that old citations still open. */
export const documentTexts = sqliteTable(
  "document_texts",
  {
    indexId: text().notNull(),
    documentId: text().notNull(),
    /** sha256 of the text. */
    hash: text().notNull(),
    /** UTF-16 offset of each page in the text; empty without pages. */
    pages: json<number[]>().notNull(),
    /** Last, because SQLite reads through a long text to get to the columns after it. */
    text: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.indexId, table.documentId, table.hash] }),
    foreignKey({
      columns: [table.indexId, table.documentId],
      foreignColumns: [documents.indexId, documents.id],
    }).onDelete("cascade"),
  ],
);

/**
 * The chunks of one document in one version. Rows with a revision are the change log of the index: a search structure
 * that knows revision N follows the rows with a higher one.
 */
export const documentBuilds = sqliteTable(
  "document_builds",
  {
    id: text().primaryKey(),
    indexId: text()
      .notNull()
      .references(() => indexes.id),
    version: integer().notNull(),
    documentId: text().notNull(),
    /** staging: being written. replaced: a newer build is visible. deleted: the document was deleted. */
    state: text({ enum: ["staging", "visible", "replaced", "deleted"] }).notNull(),
    jobId: text().notNull(),
    /** sha256 of the text that was chunked. */
    contentHash: text().notNull(),
    /** The index's revision that made it visible or deleted it. */
    revision: integer(),
    chunks: integer().notNull().default(0),
    tokens: integer().notNull().default(0),
    /** Of texts and vectors. */
    sizeBytes: integer().notNull().default(0),
  },
  (table) => [
    uniqueIndex("document_builds_visible")
      .on(table.indexId, table.version, table.documentId)
      .where(sql`state = 'visible'`),
    index("document_builds_by_revision").on(table.indexId, table.version, table.revision),
    index("document_builds_by_document").on(table.indexId, table.documentId),
    index("document_builds_by_state").on(table.state, table.jobId),
  ],
);

export const chunks = sqliteTable(
  "chunks",
  {
    id: text().primaryKey(),
    buildId: text()
      .notNull()
      .references(() => documentBuilds.id, { onDelete: "cascade" }),
    position: integer().notNull(),
    /** UTF-16 offsets in the document's text. */
    start: integer().notNull(),
    end: integer().notNull(),
    page: integer(),
    heading: text(),
    tokens: integer().notNull(),
    /** sha256 of `searchText`. */
    sha256: text().notNull(),
    text: text().notNull(),
    /** What is embedded and indexed: title and headings, then the text. */
    searchText: text().notNull(),
  },
  (table) => [uniqueIndex("chunks_in_order").on(table.buildId, table.position)],
);

export const chunkVectors = sqliteTable("chunk_vectors", {
  chunkId: text()
    .primaryKey()
    .references(() => chunks.id, { onDelete: "cascade" }),
  /** Little-endian 32-bit floats; has length 1. */
  vector: blob({ mode: "buffer" }).notNull(),
});
