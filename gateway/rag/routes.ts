import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { NumberInUrl, PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { ownBody } from "../http/body";
import { callOf } from "../http/call";
import { allows, creates, fails, generates, reads, runsLong } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import type { Uploads } from "../uploads/service";
import {
  AddDocuments,
  AddedDocuments,
  BuildVersion,
  ChunkPage,
  CreateIndex,
  DocumentQuery,
  DocumentsForm,
  DocumentText,
  IndexVersion,
  IndexVersionPage,
  Ingestion,
  RagDocument,
  RagDocumentPage,
  RagIndex,
  RagIndexPage,
  TextQuery,
  UpdateIndex,
} from "./indexes/contract";
import type { Documents } from "./indexes/documents";
import { readDocumentsRequest } from "./indexes/read-request";
import type { Indexes } from "./indexes/service";
import type { Versions } from "./indexes/versions";
import { CalibrateIndex, CompareVersions, IndexCalibration, VersionComparison } from "./quality/contract";
import type { RetrievalQuality } from "./quality/service";
import { queryRoutes } from "./query/routes";
import type { RagService } from "./query/service";

const VersionPath = Type.Object({ ...PathId.properties, version: NumberInUrl({ minimum: 1 }) });
const DocumentPath = Type.Object({ ...PathId.properties, document_id: PathId.properties.id });

interface Services {
  indexes: Indexes;
  indexVersions: Versions;
  documents: Documents;
  idempotency: Idempotency;
  uploads: Uploads;
  rag: RagService;
  retrievalQuality: RetrievalQuality;
}

const noContent = (): Response => new Response(null, { status: 204 });

/** The routes of indexes, their versions and documents, and queries. */
export const ragRoutes = (services: Services) =>
  new Elysia({ name: "rag.routes" })
    .use(indexRoutes(services))
    .use(versionRoutes(services))
    .use(documentRoutes(services))
    .use(queryRoutes(services))
    .use(qualityRoutes(services));

const indexRoutes = ({ indexes, idempotency }: Services) =>
  new Elysia({ name: "rag.indexes", prefix: "/v1/rag/indexes", tags: ["RAG"] })
    .use(auth)
    .get("", ({ principal, query }) => indexes.list(principal, query), {
      query: PageQuery,
      response: { 200: RagIndexPage },
      detail: { ...allows("viewer"), summary: "List the indexes that the key may use, newest first" },
    })
    .post(
      "",
      async ({ principal, exchange, body, status }) => {
        // Replaying a repeated request requires access too.
        indexes.assertMayCreate(principal, body.name);
        const create = (seal: Parameters<Indexes["create"]>[2]) => indexes.create(principal, body, seal);
        return status(201, await idempotency.once(exchange, principal, body, create));
      },
      {
        body: CreateIndex,
        response: { 201: RagIndex },
        detail: {
          ...allows("editor"),
          summary: "Create an index",
          description:
            "The embedding model and chunking of a version never change. To use others, build a new version.",
          ...creates,
          // The embedding model.
          ...fails(404),
        },
      },
    )
    .get("/:id", ({ principal, params }) => indexes.get(principal, params.id), {
      params: PathId,
      response: { 200: RagIndex },
      detail: { ...allows("viewer"), summary: "Read an index: state, revision, counts, settings and ingestion" },
    })
    .patch("/:id", ({ principal, params, body }) => indexes.update(principal, params.id, body), {
      params: PathId,
      body: UpdateIndex,
      response: { 200: RagIndex },
      detail: {
        ...allows("editor"),
        summary: "Change an index's name, description or retrieval settings",
        ...fails(409),
      },
    })
    .delete("/:id", ({ principal, params }) => indexes.remove(principal, params.id).then(noContent), {
      params: PathId,
      detail: { ...allows("editor"), summary: "Delete an index with its documents, chunks and vectors" },
    });

const versionRoutes = ({ indexes, indexVersions, idempotency }: Services) =>
  new Elysia({ name: "rag.versions", prefix: "/v1/rag/indexes/:id/versions", tags: ["RAG"] })
    .use(auth)
    .get("", ({ principal, params, query }) => indexVersions.list(principal, params.id, query), {
      params: PathId,
      query: PageQuery,
      response: { 200: IndexVersionPage },
      detail: { ...allows("viewer"), summary: "List the versions of an index, newest first" },
    })
    .post(
      "",
      async ({ principal, exchange, params, body, status }) => {
        // Replaying a repeated request requires access too.
        await indexes.find(principal, params.id);
        const build = (seal: Parameters<Versions["build"]>[3]) => indexVersions.build(principal, params.id, body, seal);
        return status(202, await idempotency.once(exchange, principal, body, build));
      },
      {
        params: PathId,
        body: BuildVersion,
        response: { 202: IndexVersion },
        detail: {
          ...allows("editor"),
          summary: "Build a version with a different model or chunking",
          ...creates,
        },
      },
    )
    .post(
      "/:version/activate",
      ({ principal, params }) => indexVersions.activate(principal, params.id, params.version),
      {
        params: VersionPath,
        response: { 200: RagIndex },
        detail: {
          ...allows("editor"),
          summary: "Switch to a newer or older version in one step",
          ...fails(409),
        },
      },
    );

const documentRoutes = ({ documents, idempotency, uploads }: Services) =>
  new Elysia({ name: "rag.documents", prefix: "/v1/rag/indexes/:id", tags: ["RAG"] })
    .use(auth)
    .get("/documents", ({ principal, params, query }) => documents.list(principal, params.id, query), {
      params: PathId,
      query: DocumentQuery,
      response: { 200: RagDocumentPage },
      detail: { ...allows("viewer"), summary: "List the documents of an index, newest first" },
    })
    .post(
      "/documents",
      async ({ principal, exchange, params, status }) => {
        const request = await readDocumentsRequest(ownBody(exchange), uploads, principal);
        const added = await documents.submit(principal, params.id, request, (make) =>
          idempotency.once(exchange, principal, request.sent, make),
        );
        return status(202, added);
      },
      {
        params: PathId,
        response: { 202: AddedDocuments },
        detail: {
          ...allows("editor"),
          summary: "Add texts or files; a job makes them searchable",
          description:
            "Send text, Markdown or HTML as JSON, or files as a form, which may also be PDF, DOCX or CSV. A document with the same id or source is replaced in one step. Adding the same content again has no effect.",
          ...reads(AddDocuments, DocumentsForm),
          ...runsLong,
          ...creates,
        },
      },
    )
    .get(
      "/documents/:document_id",
      ({ principal, params }) => documents.get(principal, params.id, params.document_id),
      {
        params: DocumentPath,
        response: { 200: RagDocument },
        detail: { ...allows("viewer"), summary: "Read a document's details, state and error" },
      },
    )
    .delete(
      "/documents/:document_id",
      ({ principal, params }) => documents.remove(principal, params.id, params.document_id).then(noContent),
      {
        params: DocumentPath,
        detail: { ...allows("editor"), summary: "Delete a document with its chunks and vectors" },
      },
    )
    .post(
      "/documents/:document_id/retry",
      async ({ principal, params, status }) => {
        await documents.retry(principal, params.id, [params.document_id]);
        return status(202, await documents.get(principal, params.id, params.document_id));
      },
      {
        params: DocumentPath,
        response: { 202: RagDocument },
        detail: { ...allows("editor"), summary: "Retry a failed or cancelled document", ...fails(409) },
      },
    )
    .get(
      "/documents/:document_id/text",
      ({ principal, params, query }) => documents.text(principal, params.id, params.document_id, query.hash),
      {
        params: DocumentPath,
        query: TextQuery,
        response: { 200: DocumentText },
        detail: { ...allows("viewer"), summary: "Read the text that chunk and citation offsets refer to" },
      },
    )
    .get(
      "/documents/:document_id/chunks",
      ({ principal, params, query }) => documents.chunks(principal, params.id, params.document_id, query),
      {
        params: DocumentPath,
        query: PageQuery,
        response: { 200: ChunkPage },
        detail: { ...allows("viewer"), summary: "List the chunks of a document in order" },
      },
    )
    .post("/ingestion/cancel", ({ principal, params }) => documents.cancel(principal, params.id), {
      params: PathId,
      response: { 200: Ingestion },
      detail: {
        ...allows("editor"),
        summary: "Cancel the running ingestion. Searchable documents are kept",
        ...fails(409),
      },
    });

const qualityRoutes = ({ retrievalQuality }: Services) =>
  new Elysia({ name: "rag.quality", prefix: "/v1/rag/indexes/:id", tags: ["RAG"] })
    .use(auth)
    .post(
      "/calibrate",
      ({ principal, exchange, params, body }) =>
        retrievalQuality.calibrate(callOf(exchange, principal), params.id, body),
      {
        params: PathId,
        body: CalibrateIndex,
        response: { 200: IndexCalibration },
        detail: {
          ...allows("editor"),
          ...generates,
          summary: "Measure retrieval on labelled questions and suggest a threshold",
          description: "The index is not changed. PATCH it to use the suggested threshold.",
          ...fails(409),
        },
      },
    )
    .post(
      "/compare",
      ({ principal, exchange, params, body }) => retrievalQuality.compare(callOf(exchange, principal), params.id, body),
      {
        params: PathId,
        body: CompareVersions,
        response: { 200: VersionComparison },
        detail: {
          ...allows("editor"),
          ...generates,
          summary: "Compare two versions on labelled questions",
          description: "The index is not changed. Activate the version that you want to use.",
          ...fails(409),
        },
      },
    );
