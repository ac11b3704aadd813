import { sql } from "drizzle-orm";
import { blob, foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, json, partOf, refersTo, time } from "./columns";

export const indexes = sqliteTable(
  "indexes",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    description: text().notNull().default(""),
    /** Default settings of queries: `RetrievalSettings`. */
    retrieval: json<Record<string, unknown>>().notNull(),
    /** Increases with every change that a query can see. */
    revision: integer().notNull().default(1),
    activeVersion: integer().notNull().default(1),
    /** The newest job that adds documents. */
    ingestionJobId: text(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    updatedAt: time().notNull(),
    /** When a user deleted it. The name can be reused; a worker deletes the content. */
    deletedAt: time(),
  },
  (table) => [uniqueIndex("indexes_by_name").on(table.name).where(sql`deleted_at IS NULL`)],
);

/** The model and chunker that an index was built with. Queries use the index's `activeVersion`. */
export const indexVersions = sqliteTable(
  "index_versions",
  {
    indexId: partOf(() => indexes.id),
    version: integer().notNull(),
    /** ready: contains every document of the index. failed, retired: gets no more documents. */
    state: text({ enum: ["building", "ready", "failed", "retired"] }).notNull(),
    embeddingModel: text().notNull(),
    embeddingModelRevision: text().notNull(),
    dimension: integer().notNull(),
    /** `name@version` */
    chunker: text().notNull(),
    chunkTokens: integer().notNull(),
    overlapTokens: integer().notNull(),
    /** The job that built it; null for the first version. */
    jobId: text(),
    error: json<Record<string, unknown>>(),
    createdAt: createdAt(),
    activatedAt: time(),
  },
  (table) => [primaryKey({ columns: [table.indexId, table.version] })],
);

/** A document: its visible content, and the content that a job is adding. */
export const documents = sqliteTable(
  "documents",
  {
    indexId: refersTo(() => indexes.id),
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
    /** sha256 of the file that the visible text was extracted from. */
    fileHash: text(),
    /** Length of the visible text in UTF-16 units. */
    characters: integer().notNull().default(0),
    /** `PendingContent`: content that a job is adding or could not add. */
    pending: json<Record<string, unknown>>(),
    pendingHash: text(),
    /** The stored file of the pending content. The upload is kept while a document refers to it. */
    uploadId: text(),
    /** The newest job that added or is adding content. */
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

/** The current and earlier texts of documents, so that old citations still open. */
export const documentTexts = sqliteTable(
  "document_texts",
  {
    indexId: text().notNull(),
    documentId: text().notNull(),
    /** sha256 of the text. */
    hash: text().notNull(),
    /** UTF-16 offset of each page; empty if the format has no pages. */
    pages: json<number[]>().notNull(),
    /** The last column, because SQLite reads a long text to reach the columns after it. */
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
 * The chunks of one document in one version. Rows with a revision are the index's change log: a search at revision N
 * catches up by reading the rows with higher revisions.
 */
export const documentBuilds = sqliteTable(
  "document_builds",
  {
    id: text().primaryKey(),
    indexId: refersTo(() => indexes.id),
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
    /** Size of texts and vectors. */
    sizeBytes: integer().notNull().default(0),
    /** The vector store that holds its vectors; null: none. */
    vectorStore: text(),
  },
  (table) => [
    uniqueIndex("document_builds_visible")
      .on(table.indexId, table.version, table.documentId)
      .where(sql`state = 'visible'`),
    index("document_builds_by_revision").on(table.indexId, table.version, table.revision),
    index("document_builds_by_document").on(table.indexId, table.documentId),
    index("document_builds_by_state").on(table.state, table.jobId),
    index("document_builds_by_store").on(table.state, table.vectorStore, table.indexId, table.version),
  ],
);

export const chunks = sqliteTable(
  "chunks",
  {
    id: text().primaryKey(),
    buildId: partOf(() => documentBuilds.id),
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
    /** The text to embed and index: title and headings, then the chunk. */
    searchText: text().notNull(),
  },
  (table) => [uniqueIndex("chunks_in_order").on(table.buildId, table.position)],
);

export const chunkVectors = sqliteTable("chunk_vectors", {
  chunkId: text()
    .primaryKey()
    .references(() => chunks.id, { onDelete: "cascade" }),
  /** Little-endian 32-bit floats, L2-normalised. */
  vector: blob({ mode: "buffer" }).notNull(),
});
