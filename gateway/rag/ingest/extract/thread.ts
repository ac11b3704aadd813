import { AppError } from "../../../../lib/errors";
import { withTimeout } from "../../../../lib/with-timeout";
import { WorkerClient } from "../../../../lib/worker-client";
import type { DocumentFile, ExtractedDocument } from "./document";

/** Maximum time for one file. The slowest files within the limits take a few seconds. */
const MAX_EXTRACT_MS = 120_000;
/** Maximum idle Workers that are kept. Starting a Worker takes longer than reading a short text. */
const MAX_IDLE = 2;
/** A Worker that read a larger file is not used again, because it may hold much memory. */
const MAX_REUSE_BYTES = 1024 * 1024;

type Extractor = WorkerClient<DocumentFile, ExtractedDocument>;
const idle: Extractor[] = [];

const startExtractor = (): Extractor =>
  new WorkerClient("extracts documents", () => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { smol: true });
    worker.unref();
    return worker;
  });

/**
 * Extracts a file in a Worker that handles one file at a time, so that a hostile file can't block this thread. Throws what
 * `extractDocument` throws, and invalid_request if a file takes too long.
 */
export const extractInThread = async (file: DocumentFile, signal?: AbortSignal): Promise<ExtractedDocument> => {
  const extractor = idle.pop() ?? startExtractor();
  let isReusable = false;
  try {
    const document = await withTimeout(extractor.ask(file, { signal }), MAX_EXTRACT_MS);
    if (!document) {
      throw new AppError("invalid_request", "Reading the file took too long. Split it into smaller files.");
    }
    isReusable = file.bytes.length <= MAX_REUSE_BYTES;
    return document;
  } finally {
    if (isReusable && idle.length < MAX_IDLE) idle.push(extractor);
    else extractor.close();
  }
};
