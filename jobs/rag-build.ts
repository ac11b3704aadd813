import type { Db } from "../db/client";
import { findDocument, findText } from "../db/documents";
import { findVersion, listMissingDocuments, updateVersion, type VersionRow } from "../db/indexes";
import type { ClaimedTask } from "../db/jobs";
import { BUILD_KIND, type BuildPayload } from "../gateway/rag/indexes/ingestion";
import { publishBuild } from "../gateway/rag/indexes/publish";
import type { DocumentMediaType } from "../gateway/rag/ingest/extract/document";
import type { JobHandler, TaskContext } from "./handler";
import { type StageDeps, stageBuild } from "./rag-stage";

const DOCUMENTS_AT_ONCE = 20;

export interface BuildDeps extends StageDeps {
  db: Db;
  now?: () => Date;
}

/**
 * Builds a version of an index from the stored texts. It adds missing documents one by one until none is left, so another
 * worker can continue at any time, and documents added during the build are included.
 */
export const ragBuild = (deps: BuildDeps): JobHandler => {
  const { db, now = () => new Date() } = deps;

  const add = async (
    context: TaskContext,
    task: ClaimedTask,
    version: VersionRow,
    documentId: string,
  ): Promise<void> => {
    const { indexId } = version;
    const document = await findDocument(db, indexId, documentId);
    const hash = document?.contentHash;
    const stored = hash ? await findText(db, indexId, documentId, hash) : undefined;
    if (!document || !hash || !stored) return;
    const { title, mediaType, metadata } = document;
    const extracted = { title, text: stored.text, pages: stored.pages, mediaType: mediaType as DocumentMediaType };
    const { jobId, job } = task;
    const request = { documentId, jobId, keyId: job.createdBy, title, metadata, document: extracted, hash };
    const build = await stageBuild(deps, context, version, request);
    // If the document has changed, the version either already contains it or still lacks it.
    await context.write((tx) => publishBuild(tx, { indexId, documentId }, hash, build, now()));
  };

  return {
    kind: BUILD_KIND,
    concurrency: 1,

    async run(task, context) {
      const place = task.job.payload as unknown as BuildPayload;
      for (;;) {
        const version = await findVersion(db, place.indexId, place.version);
        if (version?.state !== "building") break;
        const missing = await listMissingDocuments(db, place, DOCUMENTS_AT_ONCE);
        for (const documentId of missing) {
          context.signal.throwIfAborted();
          await add(context, task, version, documentId);
        }
        await context.write(async (tx) => {
          if ((await listMissingDocuments(tx, place, 1)).length > 0) return;
          await updateVersion(tx, place, { state: "ready" });
        });
      }
      await context.finish(async () => ({ version: place.version }));
    },
  };
};
