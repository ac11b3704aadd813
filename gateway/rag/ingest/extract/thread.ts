import { AppError } from "../../../../lib/errors";
import { withTimeout } from "../../../../lib/with-timeout";
import { WorkerClient } from "../../../../lib/worker-client";
import type { DocumentFile, ExtractedDocument } from "./document";

/** Maximum time for one file. The slowest files within the limits take a few seconds. */
const MAX_EXTRACT_MS = 120_000;

/**
 * Extracts a file in a Worker of its own, so that a hostile file can neither block this thread nor keep its memory. Throws
 * what `extractDocument` throws, and invalid_request for a file that takes too long or ends the Worker.
 */
export const extractInThread = async (file: DocumentFile, signal?: AbortSignal): Promise<ExtractedDocument> => {
  const client = new WorkerClient<DocumentFile, ExtractedDocument>(
    "extracts documents",
    () => new Worker(new URL("./worker.ts", import.meta.url), { smol: true }),
  );
  try {
    const document = await withTimeout(client.ask(file, { signal }), MAX_EXTRACT_MS);
    if (document) return document;
    throw new AppError("invalid_request", "Reading the file took too long. Split it into smaller files.");
  } finally {
    client.close();
  }
};
