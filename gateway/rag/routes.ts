import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { NumberInUrl, PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { allows, creates, fails, generates, notImplemented, streams } from "../http/route-facts";
import {
  BuildVersion,
  CalibrateIndex,
  CreateIndex,
  IndexCalibration,
  IndexVersion,
  IndexVersionPage,
  Ingestion,
  RagIndex,
  RagIndexPage,
  UpdateIndex,
} from "./contract";
import {
  AddDocuments,
  AddedDocuments,
  ChunkPage,
  DocumentQuery,
  DocumentsForm,
  RagDocument,
  RagDocumentPage,
} from "./documents-contract";
import { RagAnswer, RagEvent, RagQuery } from "./query-contract";

const DocumentPath = Type.Object({
  ...PathId.properties,
  document_id: Type.String({ minLength: 1, maxLength: 100 }),
});
const VersionPath = Type.Object({ ...PathId.properties, version: NumberInUrl({ minimum: 1 }) });

const indexRoutes = new Elysia({ name: "rag.indexes" })
  .use(auth)
  .get("/indexes", notImplemented("GET /v1/rag/indexes"), {
    query: PageQuery,
    response: { 200: RagIndexPage },
    detail: { ...allows("viewer"), summary: "List the indexes that the key may read" },
  })
  .post("/indexes", notImplemented("POST /v1/rag/indexes"), {
    body: CreateIndex,
    response: { 201: RagIndex },
    detail: { ...allows("editor"), summary: "Create an index", ...creates },
  })
  .get("/indexes/:id", notImplemented("GET /v1/rag/indexes/:id"), {
    params: PathId,
    response: { 200: RagIndex },
    detail: { ...allows("viewer"), summary: "State, revision, counts, settings and ingestion of an index" },
  })
  .patch("/indexes/:id", notImplemented("PATCH /v1/rag/indexes/:id"), {
    params: PathId,
    body: UpdateIndex,
    response: { 200: RagIndex },
    detail: { ...allows("editor"), summary: "Rename an index or change its retrieval settings", ...fails(409) },
  })
  .delete("/indexes/:id", notImplemented("DELETE /v1/rag/indexes/:id"), {
    params: PathId,
    response: { 204: Type.Void() },
    detail: { ...allows("editor"), summary: "Delete an index with its documents, chunks and vectors" },
  })
  .get("/indexes/:id/versions", notImplemented("GET /v1/rag/indexes/:id/versions"), {
    params: PathId,
    query: PageQuery,
    response: { 200: IndexVersionPage },
    detail: { ...allows("viewer"), summary: "List the builds of an index, newest first" },
  })
  .post("/indexes/:id/versions", notImplemented("POST /v1/rag/indexes/:id/versions"), {
    params: PathId,
    body: BuildVersion,
    response: { 202: IndexVersion },
    detail: {
      ...allows("editor"),
      summary: "Rebuild the index alongside the active one, with a different model or chunking",
      ...creates,
    },
  })
  .post(
    "/indexes/:id/versions/:version/activate",
    notImplemented("POST /v1/rag/indexes/:id/versions/:version/activate"),
    {
      params: VersionPath,
      response: { 200: RagIndex },
      detail: { ...allows("editor"), summary: "Switch to a build in one step, forward or back", ...fails(409) },
    },
  )
  .post("/indexes/:id/calibrate", notImplemented("POST /v1/rag/indexes/:id/calibrate"), {
    params: PathId,
    body: CalibrateIndex,
    response: { 200: IndexCalibration },
    detail: {
      ...allows("editor"),
      summary: "Measure retrieval on labelled questions and suggest a threshold",
      ...generates,
    },
  });

const documentRoutes = new Elysia({ name: "rag.documents" })
  .use(auth)
  .get("/indexes/:id/documents", notImplemented("GET /v1/rag/indexes/:id/documents"), {
    params: PathId,
    query: DocumentQuery,
    response: { 200: RagDocumentPage },
    detail: { ...allows("viewer"), summary: "List the documents of an index" },
  })
  .post("/indexes/:id/documents", notImplemented("POST /v1/rag/indexes/:id/documents"), {
    params: PathId,
    body: Type.Union([AddDocuments, DocumentsForm]),
    response: { 202: AddedDocuments },
    detail: {
      ...allows("editor"),
      summary: "Add texts or files; a job makes them searchable",
      description:
        "Text, Markdown and HTML as JSON, or as files of a form, which may also be PDFs. Adding the same content again has no effect.",
      ...creates,
    },
  })
  .get("/indexes/:id/documents/:document_id", notImplemented("GET /v1/rag/indexes/:id/documents/:document_id"), {
    params: DocumentPath,
    response: { 200: RagDocument },
    detail: { ...allows("viewer"), summary: "State and error of a document" },
  })
  .delete("/indexes/:id/documents/:document_id", notImplemented("DELETE /v1/rag/indexes/:id/documents/:document_id"), {
    params: DocumentPath,
    response: { 204: Type.Void() },
    detail: { ...allows("editor"), summary: "Delete a document with its chunks and vectors" },
  })
  .post(
    "/indexes/:id/documents/:document_id/retry",
    notImplemented("POST /v1/rag/indexes/:id/documents/:document_id/retry"),
    {
      params: DocumentPath,
      response: { 202: RagDocument },
      detail: { ...allows("editor"), summary: "Ingest a failed or cancelled document again", ...fails(409) },
    },
  )
  .get(
    "/indexes/:id/documents/:document_id/chunks",
    notImplemented("GET /v1/rag/indexes/:id/documents/:document_id/chunks"),
    {
      params: DocumentPath,
      query: PageQuery,
      response: { 200: ChunkPage },
      detail: { ...allows("viewer"), summary: "List the chunks of a document in order" },
    },
  )
  .post("/indexes/:id/ingestion/cancel", notImplemented("POST /v1/rag/indexes/:id/ingestion/cancel"), {
    params: PathId,
    response: { 200: Ingestion },
    detail: {
      ...allows("editor"),
      summary: "Stop the running ingestion; searchable documents are kept",
      ...fails(409),
    },
  });

export const ragRoutes = new Elysia({ name: "rag.routes", prefix: "/v1/rag", tags: ["RAG"] })
  .use(indexRoutes)
  .use(documentRoutes)
  .use(auth)
  .post("/query", notImplemented("POST /v1/rag/query"), {
    body: RagQuery,
    response: { 200: RagAnswer },
    detail: {
      ...allows("member"),
      summary: "Answer a question from an index, with citations",
      description:
        "With `stream`, the events are retrieval, token (many), citations, grounding, done. Nothing relevant: status `no_relevant_context`, the fallback text, and no model is asked.",
      ...generates,
      ...streams(RagEvent),
    },
  });
