import { type Static, Type } from "@sinclair/typebox";
import { t } from "elysia";
import { Count, ErrorBody, Id, Nullable, OneOf, Page, PageQuery, Strict, Timestamp } from "../contract";
import { Metadata } from "../embeddings/contract";
import { Ingestion } from "./contract";

const mediaType = OneOf(["text/plain", "text/markdown", "text/html", "application/pdf"]);

export const RagDocument = Type.Object(
  {
    id: Id("doc"),
    index_id: Id("idx"),
    title: Type.String(),
    source: Nullable(Type.String(), { description: "File name or URL, as given; never fetched" }),
    media_type: mediaType,
    content_hash: Type.String({ description: "sha256 of the content. Adding the same content again has no effect" }),
    metadata: Metadata,
    state: OneOf(["queued", "reading", "chunking", "embedding", "ready", "failed", "cancelled"]),
    error: Nullable(ErrorBody),
    chunks: Count(),
    characters: Count(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  {
    title: "RagDocument",
    examples: [
      {
        id: "doc_01jd8x1m9k2n3p4q5r6s7t8v9w",
        index_id: "idx_01jd8x1m9k2n3p4q5r6s7t8v9w",
        title: "Leave",
        source: "leave.md",
        media_type: "text/markdown",
        content_hash: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        metadata: { team: "people" },
        state: "ready",
        error: null,
        chunks: 9,
        characters: 6120,
        created_at: "2026-11-23T20:15:00.000Z",
        updated_at: "2026-11-23T20:15:03.000Z",
      },
    ],
  },
);
export type RagDocument = Static<typeof RagDocument>;

export const RagDocumentPage = Page(RagDocument);
export type RagDocumentPage = Static<typeof RagDocumentPage>;

export const DocumentQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(RagDocument.properties.state),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Words of title or source" })),
});
export type DocumentQuery = Static<typeof DocumentQuery>;

const NewDocument = Strict(
  {
    id: Type.Optional(Id("doc", "Replaces the document of this id")),
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

/** Form of `POST /v1/rag/indexes/{id}/documents`. `metadata` is a JSON object for all files. */
export const DocumentsForm = t.Object(
  { files: t.Files({ minItems: 1, maxItems: 100 }), metadata: t.Optional(t.String({ maxLength: 100_000 })) },
  { title: "DocumentsForm", additionalProperties: false },
);

/** 202: the documents are stored; the job makes them searchable. */
export const AddedDocuments = Type.Object(
  {
    ingestion: Ingestion,
    documents: Type.Array(
      Type.Object({
        id: Id("doc"),
        source: Nullable(Type.String()),
        outcome: OneOf(["added", "replaced", "unchanged"]),
      }),
    ),
  },
  {
    title: "AddedDocuments",
    examples: [
      {
        ingestion: {
          job_id: "job_01jd8x1m9k2n3p4q5r6s7t8v9w",
          state: "queued",
          total: 1,
          done: 0,
          failed: 0,
          started_at: null,
          ended_at: null,
          eta_seconds: null,
        },
        documents: [{ id: "doc_01jd8x1m9k2n3p4q5r6s7t8v9w", source: "leave.md", outcome: "added" }],
      },
    ],
  },
);
export type AddedDocuments = Static<typeof AddedDocuments>;

/** A searchable piece of a document. `start` and `end` are UTF-16 offsets in the document's text. */
export const Chunk = Type.Object(
  {
    id: Id("chunk"),
    document_id: Id("doc"),
    position: Count("Within the document, from 0"),
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
