import type { DocumentRow } from "../../../db/documents";
import type { Metadata } from "../../embeddings/contract";

export const INGEST_KIND = "rag-ingest";

/** The input of an ingestion job, as JSON. Each of its tasks is one document. */
export interface IngestPayload {
  indexId: string;
  /** Documents that have to be read. */
  total: number;
}

export interface IngestTask {
  documentId: string;
}

export const BUILD_KIND = "rag-build";

/** The input of a job that builds a version from the stored texts, as JSON. */
export interface BuildPayload {
  indexId: string;
  version: number;
}

/** Content that a job is adding to a document, as JSON. Its file is the document's upload. */
export interface PendingContent {
  fileName: string;
  /** As given; null: the first heading, or the file's name. */
  title: string | null;
  source: string | null;
  /** As given; null: found out from name and bytes. */
  mediaType: string | null;
  metadata: Metadata;
}

export const pendingOf = ({ pending }: Pick<DocumentRow, "pending">): PendingContent | null =>
  pending as PendingContent | null;
