import type { Db } from "../db/client";
import type { VectorStore } from "../gateway/ports/vectors";
import { uploadMissing } from "../gateway/rag/indexes/uploaded-vectors";
import { toAppError } from "../lib/errors";
import type { Log } from "../lib/log";

interface UploadDeps {
  db: Db;
  vectors: VectorStore;
  log: Pick<Log, "info" | "warn">;
}

/** Uploads the vectors that a vector store lacks, in the background. A failed upload continues at the next `start`. */
export const createVectorUpload = ({ db, vectors, log }: UploadDeps) => {
  const ending = new AbortController();
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    try {
      const builds = await uploadMissing({ db, vectors, signal: ending.signal });
      if (builds > 0) log.info({ documents: builds }, "uploaded vectors to the vector store");
    } catch (thrown) {
      if (ending.signal.aborted) return;
      const error = toAppError(thrown);
      log.warn({ code: error.kind, err: error.cause ?? error }, "vectors could not be uploaded to the vector store");
    }
  };

  return {
    /** Does nothing while an upload is running. */
    start(): void {
      if (ending.signal.aborted) return;
      running ??= run().finally(() => {
        running = undefined;
      });
    },
    /** Stops after the current document. */
    async close(): Promise<void> {
      ending.abort();
      await running;
    },
  };
};
