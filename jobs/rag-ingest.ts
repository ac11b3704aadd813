import { dropBuilds, listStagedBuilds } from "../db/builds";
import type { Db, Tx } from "../db/client";
import { type DocumentRow, findDocument, updateDocument } from "../db/documents";
import { findIndexRevision, listLiveVersions, updateVersion, type VersionRow } from "../db/indexes";
import type { ClaimedTask } from "../db/jobs";
import { INGEST_KIND, type IngestPayload, type IngestTask, pendingOf } from "../gateway/rag/indexes/ingestion";
import { type NewContent, publishDocument } from "../gateway/rag/indexes/publish";
import type { ExtractedDocument } from "../gateway/rag/ingest/extract/document";
import type { Uploads } from "../gateway/uploads/service";
import { AppError, toAppError, toEnvelope } from "../lib/errors";
import type { Log } from "../lib/log";
import { Semaphore } from "../lib/semaphore";
import { type JobHandler, type TaskContext, TaskLost } from "./handler";
import { mergeCalls } from "./merged-calls";
import { deleteBuild, sweepIndexes } from "./rag-leftovers";
import type { Pipeline } from "./rag-pipeline";
import { type NearlyStaged, type StageDeps, sha256, stageBuild } from "./rag-stage";
import { MAX_ATTEMPTS } from "./run-task";

/**
 * Maximum number of documents that a worker processes in parallel. Short documents share requests and commits, so many
 * are needed to fill them.
 */
const CONCURRENCY = 64;
/** How many of them may be larger than SMALL_BYTES, because each is held in memory. */
const MAX_LARGE = 4;
const SMALL_BYTES = 65_536;
/** Maximum number of files extracted in parallel, each in a thread. */
const MAX_EXTRACTING = 4;
/** Stages of a shorter text are not recorded: they take little time, and each would cost a transaction. */
const MIN_CHARACTERS_FOR_STAGES = 10_000;

export interface IngestDeps extends StageDeps, Pipeline {
  db: Db;
  uploads: Pick<Uploads, "read" | "sizeOf" | "discard">;
  log: Log;
  now?: () => Date;
}

/** The document that a task adds content to. */
interface Ingested extends Pick<DocumentRow, "indexId" | "id" | "jobId"> {
  keyId: string;
}

/**
 * Reads, chunks and embeds one document, and makes it visible in the last step. An unusable file fails only its own
 * document. The task does nothing if the document was deleted or a newer job owns it.
 */
export const ragIngest = (deps: IngestDeps): JobHandler => {
  const { db, uploads, log, now = () => new Date() } = deps;
  const large = new Semaphore(MAX_LARGE);
  const extracting = new Semaphore(MAX_EXTRACTING);
  const shared: IngestDeps = {
    ...deps,
    gateway: mergeCalls(deps.gateway),
    extract: (file, signal) => extracting.run(() => deps.extract(file, signal), signal),
  };

  /** Returns null if the job no longer owns the document. */
  const begin = (context: TaskContext, { indexId, id, jobId }: Ingested): Promise<DocumentRow | null> =>
    context.write(async (tx) => {
      const document = await findDocument(tx, indexId, id);
      if (document?.jobId !== jobId || document.uploadId === null) return null;
      await updateDocument(tx, document, { state: "reading", updatedAt: now() });
      return document;
    });

  /** An inactive version that can no longer accept documents is retired, so that it doesn't block the active one. */
  const retireUnusable = async (context: TaskContext, version: VersionRow, thrown: unknown): Promise<boolean> => {
    const error = toAppError(thrown);
    const index = await findIndexRevision(db, version.indexId);
    if (error.kind !== "conflict" || !index || index.activeVersion === version.version) return false;
    const { indexId, version: number, jobId } = version;
    log.warn({ index: indexId, version: number, code: error.kind }, `a version was retired: ${error.message}`);
    const failure = { ...toEnvelope(error, jobId ?? "").error };
    await context.write(async (tx) => {
      await updateVersion(tx, version, { state: "retired", error: failure });
      await dropBuilds(tx, version);
    });
    return true;
  };

  const ingest = async (context: TaskContext, document: DocumentRow, key: Ingested): Promise<void> => {
    const { indexId, id: documentId, jobId } = key;
    const { content, extracted } = await read(shared, document, context.signal);
    const { title, metadata, hash } = content;
    const request = { documentId, jobId, keyId: key.keyId, title, metadata, document: extracted, hash };
    const onStage = async (state: "chunking" | "embedding"): Promise<void> => {
      if (extracted.text.length < MIN_CHARACTERS_FOR_STAGES) return;
      await context.write((tx) => changeDocument(tx, key, { state, updatedAt: now() }));
    };
    const builds: NearlyStaged[] = [];
    for (let isPublished = false; !isPublished; ) {
      // Versions may be added during this.
      for (const version of await listLiveVersions(db, indexId)) {
        if (builds.some((build) => build.version === version.version)) continue;
        try {
          builds.push(await stageBuild(shared, context, version, { ...request, onStage }));
        } catch (thrown) {
          if (!(await retireUnusable(context, version, thrown))) throw thrown;
        }
      }
      isPublished = await finished(context, async (tx) => {
        for (const build of builds) await build.complete(tx);
        const published = await publishDocument(tx, { indexId, documentId, jobId }, content, builds, now());
        if (published === "gone") throw new Superseded();
        return published === "published";
      });
    }
  };

  return {
    kind: INGEST_KIND,
    concurrency: CONCURRENCY,

    async run(task, context) {
      const key = keyOf(task);
      const document = await begin(context, key);
      if (!document) return context.finish(async () => ({}));
      try {
        // An earlier claim may have staged a build.
        if (task.leaseEpoch > 1) await discardStaged(deps, context, key);
        const isLarge = document.uploadId !== null && (await uploads.sizeOf(document.uploadId)) > SMALL_BYTES;
        const work = () => ingest(context, document, key);
        await (isLarge ? large.run(work, context.signal) : work());
      } catch (thrown) {
        if (thrown instanceof Superseded) return context.finish(async () => ({}));
        if (context.signal.reason === "cancelled") {
          await context.write((tx) => updateDocument(tx, key, { state: "cancelled", updatedAt: now() }));
        }
        if (thrown instanceof TaskLost || context.signal.aborted) throw thrown;
        const error = toAppError(thrown);
        const mayHelp = error.retryable || error.kind === "internal";
        if (mayHelp && task.attempts + 1 < MAX_ATTEMPTS) throw thrown;
        log.warn(
          { job: task.jobId, document: key.id, code: error.kind, err: error.cause ?? error },
          "a document failed",
        );
        const failure = { ...toEnvelope(error, task.jobId).error };
        return context.finish(async (tx) => {
          await updateDocument(tx, key, { state: "failed", error: failure, updatedAt: now() });
          return {};
        });
      }
      // If this fails, a sweep deletes it.
      if (document.uploadId !== null) await uploads.discard(document.uploadId).catch(() => undefined);
    },

    sweep: () => sweepIndexes(deps, now),
  };
};

/** The document was deleted, or a newer job owns it. */
class Superseded extends Error {}

/** Rolls back a transaction without failing. */
class NotYet extends Error {}

/** Finishes the task in the transaction of `work`. If `work` returns false, changes nothing and returns false. */
const finished = async (context: TaskContext, work: (tx: Tx) => Promise<boolean>): Promise<boolean> => {
  try {
    await context.finish(async (tx) => {
      if (!(await work(tx))) throw new NotYet();
      return {};
    });
    return true;
  } catch (thrown) {
    if (thrown instanceof NotYet) return false;
    throw thrown;
  }
};

const keyOf = ({ job, jobId, payload }: ClaimedTask): Ingested => {
  const { indexId } = job.payload as unknown as IngestPayload;
  const { documentId } = payload as unknown as IngestTask;
  return { indexId, id: documentId, jobId, keyId: job.createdBy };
};

const changeDocument = async (tx: Tx, key: Ingested, changes: Partial<DocumentRow>): Promise<void> => {
  if (!(await updateDocument(tx, key, changes))) throw new Superseded();
};

/** Deletes the builds that earlier attempts of this task staged. */
const discardStaged = async (
  deps: IngestDeps,
  context: TaskContext,
  { indexId, id, jobId }: Ingested,
): Promise<void> => {
  for (const build of await listStagedBuilds(deps.db, { indexId, documentId: id, jobId })) {
    await deleteBuild(deps, build, { writes: context });
  }
};

const read = async (
  { uploads, extract }: Pick<IngestDeps, "uploads" | "extract">,
  document: DocumentRow,
  signal: AbortSignal,
): Promise<{ content: NewContent; extracted: ExtractedDocument }> => {
  const pending = pendingOf(document);
  if (!pending || document.uploadId === null) throw new Error(`The document ${document.id} has no pending content.`);
  const { fileName: name, mediaType, source, metadata } = pending;
  const bytes = Buffer.concat(await Array.fromAsync(uploads.read(document.uploadId)));
  signal.throwIfAborted();
  const extracted = await extract({ name, bytes, mediaType: mediaType ?? undefined }, signal);
  signal.throwIfAborted();
  if (extracted.text.trim() === "") {
    throw new AppError("invalid_request", `${name} has no text. Add a file with text.`);
  }
  const { text, pages } = extracted;
  const content = {
    title: pending.title ?? extracted.title ?? name,
    source,
    mediaType: extracted.mediaType,
    metadata,
    fileHash: document.pendingHash,
    text,
    pages,
    hash: sha256(text),
  };
  return { content, extracted };
};
