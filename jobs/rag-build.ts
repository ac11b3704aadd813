import type { Db } from "../db/client";
import { type DocumentRow, findDocument, findText } from "../db/documents";
import { findVersion, listMissingDocuments, updateVersion, type VersionRow } from "../db/indexes";
import type { ClaimedTask } from "../db/jobs";
import { BUILD_KIND, type BuildPayload } from "../gateway/rag/indexes/ingestion";
import { publishBuild } from "../gateway/rag/indexes/publish";
import type { DocumentMediaType } from "../gateway/rag/ingest/extract/document";
import { Semaphore } from "../lib/semaphore";
import type { JobHandler, TaskContext } from "./handler";
import { mergeCalls } from "./merged-calls";
import { type StageDeps, stageBuild } from "./rag-stage";

/** Maximum number of documents embedded in parallel. Short ones share requests and commits. */
const DOCUMENTS_AT_ONCE = 20;
/** How many of them may be longer than SHORT_CHARACTERS, because each is held in memory. */
const MAX_LONG = 2;
const SHORT_CHARACTERS = 65_536;

export interface BuildDeps extends StageDeps {
  db: Db;
  now?: () => Date;
}

/**
 * Builds a version of an index from the stored texts. It adds missing documents, a few at a time, until none is left,
 * so another worker can continue at any time, and documents added during the build are included.
 */
export const ragBuild = (deps: BuildDeps): JobHandler => {
  const { db, now = () => new Date() } = deps;
  const long = new Semaphore(MAX_LONG);
  const shared = { ...deps, gateway: mergeCalls(deps.gateway) };

  const add = async (
    context: TaskContext,
    task: ClaimedTask,
    version: VersionRow,
    documentId: string,
  ): Promise<void> => {
    const document = await findDocument(db, version.indexId, documentId);
    if (!document) return;
    const work = () => addDocument(context, task, version, document);
    await (document.characters > SHORT_CHARACTERS ? long.run(work, context.signal) : work());
  };

  const addDocument = async (
    context: TaskContext,
    task: ClaimedTask,
    version: VersionRow,
    document: DocumentRow,
  ): Promise<void> => {
    const { indexId } = version;
    const { id: documentId, contentHash: hash } = document;
    const stored = hash ? await findText(db, indexId, documentId, hash) : undefined;
    if (!hash || !stored) return;
    const { title, mediaType, metadata } = document;
    const extracted = { title, text: stored.text, pages: stored.pages, mediaType: mediaType as DocumentMediaType };
    const { jobId, job } = task;
    const request = { documentId, jobId, keyId: job.createdBy, title, metadata, document: extracted, hash };
    const build = await stageBuild(shared, context, version, request);
    // If the document has changed, the version either already contains it or still lacks it.
    await context.write(async (tx) => {
      await build.complete(tx);
      await publishBuild(tx, { indexId, documentId }, hash, build, now());
    });
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
        context.signal.throwIfAborted();
        const added = await Promise.allSettled(missing.map((id) => add(context, task, version, id)));
        for (const { reason } of added.filter((each) => each.status === "rejected")) throw reason;
        await context.write(async (tx) => {
          if ((await listMissingDocuments(tx, place, 1)).length > 0) return;
          await updateVersion(tx, place, { state: "ready" });
        });
      }
      await context.finish(async () => ({ version: place.version }));
    },
  };
};
