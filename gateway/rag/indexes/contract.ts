import { type Static, Type } from "@sinclair/typebox";
import { t } from "elysia";
import {
  Count,
  ErrorBody,
  Id,
  Nullable,
  notAnId,
  OneOf,
  Page,
  PageQuery,
  STRICT_OPTIONS,
  Strict,
  Timestamp,
} from "../../contract";
import { Metadata } from "../../embeddings/contract";
import { RetrievalOverrides, RetrievalSettings } from "../../retrieval-contract";

/* Indexes, their versions and documents. */

const NAME = { minLength: 1, maxLength: 100, description: "Unique. Can be used instead of the id" };
/** For requests only; stored values are returned unchanged. */
const newName = Type.String({ ...NAME, pattern: notAnId("idx", "^[A-Za-z0-9][A-Za-z0-9 ._-]*$") });

export const Chunking = Strict(
  {
    chunk_tokens: Type.Integer({ minimum: 16, maximum: 8192, description: "Tokens of the embedding model" }),
    overlap_tokens: Type.Integer({ minimum: 0, maximum: 4096, description: "Less than `chunk_tokens`" }),
  },
  { title: "Chunking", description: "Chunks end at headings, paragraphs and sentences where possible" },
);
export type Chunking = Static<typeof Chunking>;

/** The job that reads the documents of one request. */
export const Ingestion = Type.Object(
  {
    job_id: Id("job"),
    state: OneOf(["queued", "running", "completed", "failed", "cancelled"], {
      description: "completed, even if some files failed: see `failed`",
    }),
    total: Count("New or changed documents in the request"),
    done: Count("Documents that are now searchable"),
    failed: Count("Documents that failed; each has an `error`"),
    started_at: Nullable(Timestamp),
    ended_at: Nullable(Timestamp),
    eta_seconds: Nullable(Type.Number({ minimum: 0 })),
  },
  { title: "Ingestion" },
);
export type Ingestion = Static<typeof Ingestion>;

/** One build of an index. Queries use the active version; the others are kept for a rollback. */
export const IndexVersion = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    state: OneOf(["building", "ready", "active", "failed", "retired"], {
      description: "ready: can be activated and gets every new document; retired: replaced by newer versions",
    }),
    embedding_model: Type.String(),
    embedding_model_revision: Type.String(),
    dimension: Type.Integer({ minimum: 1 }),
    chunker: Type.String({ description: "Chunker and its version" }),
    chunking: Chunking,
    documents: Count(),
    chunks: Count(),
    created_at: Timestamp,
    activated_at: Nullable(Timestamp),
    error: Nullable(ErrorBody),
  },
  { title: "IndexVersion" },
);
export type IndexVersion = Static<typeof IndexVersion>;

export const IndexVersionPage = Page(IndexVersion);
export type IndexVersionPage = Static<typeof IndexVersionPage>;

export const RagIndex = Type.Object(
  {
    id: Id("idx"),
    name: Type.String(NAME),
    description: Type.String(),
    status: OneOf(["empty", "ingesting", "ready", "failed"], {
      description: "ingesting: the documents that are done are searchable",
    }),
    revision: Type.Integer({ minimum: 1, description: "Increases with every change that a query can see" }),
    active: IndexVersion,
    building: Nullable(IndexVersion),
    retrieval: RetrievalSettings,
    documents: Count(),
    failed_documents: Count(),
    chunks: Count(),
    tokens: Count("Total of all chunks"),
    size_bytes: Count("Total size of texts and vectors"),
    ingestion: Nullable(Ingestion, { description: "The running job, or the last one" }),
    last_error: Nullable(ErrorBody),
    created_at: Timestamp,
    created_by: Type.String(),
    updated_at: Timestamp,
  },
  { title: "RagIndex" },
);
export type RagIndex = Static<typeof RagIndex>;

export const RagIndexPage = Page(RagIndex);
export type RagIndexPage = Static<typeof RagIndexPage>;

/** `POST /v1/rag/indexes`. Omitted settings get the defaults of `defaults.ts`. */
export const CreateIndex = Strict(
  {
    name: newName,
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    embedding_model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    chunking: Type.Optional(Chunking),
    retrieval: Type.Optional(RetrievalOverrides),
  },
  { title: "CreateIndex", examples: [{ name: "handbook", chunking: { chunk_tokens: 200, overlap_tokens: 40 } }] },
);
export type CreateIndex = Static<typeof CreateIndex>;

/** `PATCH /v1/rag/indexes/{id}`. A different model or chunking needs a new version. */
export const UpdateIndex = Strict(
  {
    name: Type.Optional(newName),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    retrieval: Type.Optional(RetrievalOverrides),
  },
  { title: "UpdateIndex", minProperties: 1, examples: [{ retrieval: { top_k: 8 } }] },
);
export type UpdateIndex = Static<typeof UpdateIndex>;

/** `POST /v1/rag/indexes/{id}/versions`: builds a version while the active one keeps answering queries. */
export const BuildVersion = Strict(
  {
    embedding_model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    chunking: Type.Optional(Chunking),
  },
  { title: "BuildVersion", minProperties: 1, examples: [{ chunking: { chunk_tokens: 120, overlap_tokens: 20 } }] },
);
export type BuildVersion = Static<typeof BuildVersion>;

const mediaType = OneOf([
  "text/plain",
  "text/markdown",
  "text/html",
  "text/csv",
  "application/pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
]);

export const RagDocument = Type.Object(
  {
    id: Id("doc"),
    index_id: Id("idx"),
    title: Type.String(),
    source: Nullable(Type.String(), { description: "File name or URL as sent; never fetched" }),
    media_type: mediaType,
    file_hash: Type.String({
      description: "sha256 of the file or text as sent. Adding the same content again has no effect",
    }),
    content_hash: Nullable(Type.String(), {
      description: "sha256 of the stored text, which chunks and citations refer to; null until it is searchable",
    }),
    metadata: Metadata,
    state: OneOf(["queued", "reading", "chunking", "embedding", "ready", "failed", "cancelled"]),
    error: Nullable(ErrorBody),
    chunks: Count(),
    characters: Count(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: "RagDocument" },
);
export type RagDocument = Static<typeof RagDocument>;

export const RagDocumentPage = Page(RagDocument);
export type RagDocumentPage = Static<typeof RagDocumentPage>;

export const DocumentQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(RagDocument.properties.state),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Part of the title or source" })),
});

export type DocumentQuery = Static<typeof DocumentQuery>;

export const TextQuery = Type.Object({
  hash: Type.Optional(
    Type.String({
      maxLength: 64,
      description: "`content_hash` of an earlier version of the document, as in a citation",
    }),
  ),
});

/** The text that the offsets in chunks and citations refer to. */
export const DocumentText = Type.Object(
  {
    text: Type.String({ description: "Markdown" }),
    pages: Type.Array(Count(), { description: "UTF-16 offset of each page; empty if the format has no pages" }),
    hash: Type.String({ description: "sha256 of the text" }),
  },
  { title: "DocumentText", examples: [{ text: "# Leave", pages: [], hash: "e3b0c442" }] },
);
export type DocumentText = Static<typeof DocumentText>;

const NewDocument = Strict(
  {
    id: Type.Optional(Id("doc", "Replaces the document with this id")),
    title: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: "Default: the first heading or line" }),
    ),
    text: Type.String({ minLength: 1, description: "Text, Markdown or HTML" }),
    media_type: Type.Optional(OneOf(["text/plain", "text/markdown", "text/html"], { default: "text/markdown" })),
    source: Type.Optional(Type.String({ maxLength: 2000 })),
    metadata: Type.Optional(Metadata),
  },
  { title: "NewDocument" },
);

/** JSON body of `POST /v1/rag/indexes/{id}/documents`. */
export const AddDocuments = Strict(
  { documents: Type.Array(NewDocument, { minItems: 1, maxItems: 1000 }) },
  {
    title: "AddDocuments",
    examples: [{ documents: [{ title: "Leave", text: "# Leave\n\nEveryone has 30 days.", source: "leave.md" }] }],
  },
);
export type AddDocuments = Static<typeof AddDocuments>;

/** Form of `POST /v1/rag/indexes/{id}/documents`. `metadata` is a JSON object that applies to all files. */
export const DocumentsForm = t.Object(
  { files: t.Files({ minItems: 1, maxItems: 100 }), metadata: t.Optional(t.String({ maxLength: 100_000 })) },
  { title: "DocumentsForm", ...STRICT_OPTIONS },
);

/** The 202 response: the documents are stored, and a job makes them searchable. */
export const AddedDocuments = Type.Object(
  {
    ingestion: Nullable(Ingestion, { description: "null if all documents are unchanged" }),
    documents: Type.Array(
      Type.Object({
        id: Id("doc"),
        source: Nullable(Type.String()),
        outcome: OneOf(["added", "replaced", "unchanged"]),
      }),
    ),
  },
  { title: "AddedDocuments" },
);
export type AddedDocuments = Static<typeof AddedDocuments>;

/** A searchable piece of a document. `start` and `end` are UTF-16 offsets in the document's text. */
export const Chunk = Type.Object(
  {
    id: Id("chunk"),
    document_id: Id("doc"),
    position: Count("Position in the document, from 0"),
    text: Type.String(),
    tokens: Count(),
    start: Count(),
    end: Count(),
    heading: Nullable(Type.String(), { description: "Headings above it: `Leave > Illness`" }),
    page: Nullable(Type.Integer({ minimum: 1 }), { description: "Only for PDFs" }),
  },
  { title: "Chunk" },
);

export type Chunk = Static<typeof Chunk>;

export const ChunkPage = Page(Chunk);
export type ChunkPage = Static<typeof ChunkPage>;
