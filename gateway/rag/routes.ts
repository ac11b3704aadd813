import { Type } from "@sinclair/typebox";
import { PageQuery } from "../contract";
import { plannedRoutes } from "../http/not-implemented";
import { creates, fails, generates, streams } from "../http/route-facts";
import {
  AddDocuments,
  AddedDocuments,
  BuildVersion,
  CalibrateIndex,
  ChunkPage,
  CreateIndex,
  DocumentQuery,
  DocumentsForm,
  IndexCalibration,
  IndexVersion,
  IndexVersionPage,
  Ingestion,
  RagAnswer,
  RagDocument,
  RagDocumentPage,
  RagEvent,
  RagIndex,
  RagIndexPage,
  RagQuery,
  UpdateIndex,
} from "./contract";

const INDEX = "/v1/rag/indexes/:id";
const DOCUMENT = `${INDEX}/documents/:document_id` as const;

export const ragRoutes = plannedRoutes("RAG", [
  ["GET /v1/rag/indexes", "viewer", "List the indexes that the key may read", RagIndexPage, { query: PageQuery }],
  ["POST /v1/rag/indexes", "editor", "Create an index", [201, RagIndex], { body: CreateIndex, facts: creates }],
  [`GET ${INDEX}`, "viewer", "Read an index: state, revision, counts, settings and ingestion", RagIndex],
  [
    `PATCH ${INDEX}`,
    "editor",
    "Rename an index or change its retrieval settings",
    RagIndex,
    { body: UpdateIndex, facts: fails(409) },
  ],
  [`DELETE ${INDEX}`, "editor", "Delete an index with its documents, chunks and vectors", [204, Type.Void()]],
  [
    `GET ${INDEX}/versions`,
    "viewer",
    "List the builds of an index, newest first",
    IndexVersionPage,
    { query: PageQuery },
  ],
  [
    `POST ${INDEX}/versions`,
    "editor",
    "Rebuild the index alongside the active one, with a different model or chunking",
    [202, IndexVersion],
    { body: BuildVersion, facts: creates },
  ],
  [
    `POST ${INDEX}/versions/:version/activate`,
    "editor",
    "Switch to a build in one step, forward or back",
    RagIndex,
    { facts: fails(409) },
  ],
  [
    `POST ${INDEX}/calibrate`,
    "editor",
    "Measure retrieval on labelled questions and suggest a threshold",
    IndexCalibration,
    { body: CalibrateIndex, facts: generates },
  ],
  [`GET ${INDEX}/documents`, "viewer", "List the documents of an index", RagDocumentPage, { query: DocumentQuery }],
  [
    `POST ${INDEX}/documents`,
    "editor",
    "Add texts or files; a job makes them searchable",
    [202, AddedDocuments],
    {
      body: Type.Union([AddDocuments, DocumentsForm]),
      facts: creates,
      description:
        "Text, Markdown and HTML as JSON, or as files of a form, which may also be PDFs. Adding the same content again has no effect.",
    },
  ],
  [`GET ${DOCUMENT}`, "viewer", "Read a document with its state and error", RagDocument],
  [`DELETE ${DOCUMENT}`, "editor", "Delete a document with its chunks and vectors", [204, Type.Void()]],
  [
    `POST ${DOCUMENT}/retry`,
    "editor",
    "Ingest a failed or cancelled document again",
    [202, RagDocument],
    { facts: fails(409) },
  ],
  [`GET ${DOCUMENT}/chunks`, "viewer", "List the chunks of a document in order", ChunkPage, { query: PageQuery }],
  [
    `POST ${INDEX}/ingestion/cancel`,
    "editor",
    "Stop the running ingestion; searchable documents are kept",
    Ingestion,
    { facts: fails(409) },
  ],
  [
    "POST /v1/rag/query",
    "member",
    "Answer a question from an index, with citations",
    RagAnswer,
    {
      body: RagQuery,
      facts: { ...generates, ...streams(RagEvent) },
      description:
        "With `stream`, the events are retrieval, token (many), citations, grounding, done. If nothing relevant is found, the status is `no_relevant_context`, the answer is the fallback text, and no model is called.",
    },
  ],
]);
