import { chunkDocument } from "../gateway/rag/ingest/chunk/chunk";
import { extractInThread } from "../gateway/rag/ingest/extract/thread";

/** The functions that turn a file into chunks. */
export interface Pipeline {
  /** Throws AppError invalid_request for a file that can't be used. */
  extract: typeof extractInThread;
  chunk: typeof chunkDocument;
}

export const PIPELINE: Pipeline = { extract: extractInThread, chunk: chunkDocument };
