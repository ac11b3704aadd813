import type { DocumentRow } from "../../../db/documents";
import type { Metadata } from "../../embeddings/contract";

export const INGEST_KIND = "rag-ingest";

/** The JSON input of an ingestion job. The job has one task per document. */
export interface IngestPayload {
  indexId: string;
  /** Number of documents to read. */
  total: number;
}

export interface IngestTask {
  documentId: string;
}

export const BUILD_KIND = "rag-build";

/** The JSON input of a job that builds a version from the stored texts. */
export interface BuildPayload {
  indexId: string;
  version: number;
}

/** JSON about the content that a job is adding to a document. The file itself is the document's upload. */
export interface PendingContent {
  fileName: string;
  /** The title in the request; null: the first heading, or the file name. */
  title: string | null;
  source: string | null;
  /** The type in the request; null: detected from content and name. */
  mediaType: string | null;
  metadata: Metadata;
}

export const pendingOf = ({ pending }: Pick<DocumentRow, "pending">): PendingContent | null =>
  pending as PendingContent | null;
