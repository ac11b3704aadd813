import { type AuditEntry, appendAudit } from "../../../db/audit";
import { findChunkCounts } from "../../../db/builds";
import { listChunks } from "../../../db/chunks";
import type { Db, Tx } from "../../../db/client";
import * as store from "../../../db/documents";
import { type IndexRow, updateIndex } from "../../../db/indexes";
import { findJob, insertJob, requestCancel } from "../../../db/jobs";
import { AppError } from "../../../lib/errors";
import { newId } from "../../../lib/ids";
import type { PageQuery } from "../../contract";
import type { Seal } from "../../idempotency/service";
import {
  type NumberedPage,
  type NumberedQuery,
  numberedPage,
  pageOf,
  readNumberCursor,
  readTimeCursor,
  timeCursor,
} from "../../paging";
import type { Principal } from "../../principal";
import type { Uploads } from "../../uploads/service";
import { toChunk, toDocument, toIngestion } from "../wire";
import type {
  AddedDocuments,
  ChunkPage,
  DocumentQuery,
  DocumentText,
  Ingestion,
  RagDocument,
  RagDocumentPage,
} from "./contract";
import { INGEST_KIND, type IngestPayload } from "./ingestion";
import { documentRow, type NewFile, type PlannedFile, pendingFields, planFiles } from "./plan";
import { unpublishDocument } from "./publish";
import type { DocumentsRequest } from "./read-request";
import type { Indexes } from "./service";

interface DocumentDeps {
  db: Db;
  indexes: Pick<Indexes, "find" | "ingestionOf">;
  uploads: Pick<Uploads, "discard">;
  now?: () => Date;
}

export type DocumentSort = store.DocumentSort;
export type Documents = ReturnType<typeof createDocuments>;

export const createDocuments = ({ db, indexes, uploads, now = () => new Date() }: DocumentDeps) => {
  const find = async (index: IndexRow, id: string): Promise<store.DocumentRow> => {
    const document = await store.findDocument(db, index.id, id);
    if (document) return document;
    throw new AppError("not_found", `Document "${id}" not found in the index "${index.name}".`, {
      param: "document_id",
    });
  };

  const toWire = async (index: IndexRow, rows: readonly store.DocumentRow[]): Promise<RagDocument[]> => {
    const place = { indexId: index.id, version: index.activeVersion };
    const ids = rows.map(({ id }) => id);
    const counts = ids.length === 0 ? new Map<string, number>() : await findChunkCounts(db, place, ids);
    return rows.map((row) => toDocument(row, counts.get(row.id) ?? 0));
  };

  const one = async (index: IndexRow, id: string): Promise<RagDocument> => {
    const [document] = await toWire(index, [await find(index, id)]);
    if (!document) throw new Error(`The document ${id} was not read.`);
    return document;
  };

  /** Starts a job for these documents. Earlier jobs no longer change them. */
  const startJob = async (
    tx: Tx,
    indexId: string,
    ids: readonly string[],
    { actor, action }: Pick<AuditEntry, "actor" | "action"> & { actor: Principal },
    at: Date,
  ): Promise<Ingestion> => {
    const payload: IngestPayload = { indexId, total: ids.length };
    const { keyId: createdBy, traceparent } = actor;
    const job = { id: newId("job"), kind: INGEST_KIND, payload: { ...payload }, createdBy, traceparent };
    const tasks = ids.map((documentId) => ({ documentId }));
    await insertJob(tx, job, tasks, at);
    if (!(await updateIndex(tx, indexId, { ingestionJobId: job.id }))) throw deletedMeanwhile();
    const queued = { state: "queued", error: null, jobId: job.id, updatedAt: at } as const;
    await store.updateDocuments(tx, indexId, ids, queued);
    await appendAudit(tx, { at, actor, action, target: indexId, detail: { documents: ids.length, job: job.id } });
    const row = await findJob(tx, job.id);
    if (!row) throw new Error(`The job ${job.id} was not stored.`);
    return toIngestion(row, {}, at);
  };

  const storeFiles = async (
    tx: Tx,
    indexId: string,
    planned: readonly PlannedFile[],
    by: string,
    at: Date,
  ): Promise<void> => {
    const added = planned.filter(({ outcome }) => outcome === "added");
    const rows = added.map(({ file, documentId }) => ({ ...documentRow(file, by, at), indexId, id: documentId }));
    await store.insertDocuments(tx, rows);
    for (const { file, replaces } of planned) {
      if (replaces) await store.updateDocument(tx, replaces, pendingFields(file));
    }
  };

  /** Returns in `surplus` the uploads that no document uses any more. */
  const add = (
    indexId: string,
    files: readonly NewFile[],
    actor: Principal,
    seal: Seal,
  ): Promise<{ added: AddedDocuments; surplus: string[] }> =>
    db.write(async (tx) => {
      const at = now();
      const existing = await store.listMatchingDocuments(tx, indexId, {
        ids: files.flatMap(({ id }) => id ?? []),
        sources: files.flatMap(({ content }) => content.source ?? []),
        hashes: files.map(({ hash }) => hash),
      });
      const planned = planFiles(files, existing);
      await storeFiles(tx, indexId, planned, actor.keyId, at);
      const ids = planned.filter(({ outcome }) => outcome !== "unchanged").map(({ documentId }) => documentId);
      const started = { actor, action: "index.ingest" };
      const ingestion = ids.length === 0 ? null : await startJob(tx, indexId, ids, started, at);
      const surplus = planned.flatMap(({ file, outcome, replaces }) =>
        outcome === "unchanged" ? file.uploadId : (replaces?.uploadId ?? []),
      );
      const documents = planned.map(({ file, documentId: id, outcome }) => ({
        id,
        source: file.content.source,
        outcome,
      }));
      const added: AddedDocuments = { ingestion, documents };
      await seal(tx, added);
      return { added, surplus };
    });

  /** Deletes unused uploads. If this fails, the worker's sweep deletes them later. */
  const discardAll = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) await uploads.discard(id).catch(() => undefined);
  };

  return {
    /**
     * Adds the stored files of a request; a job makes them searchable. `once` runs its argument unless the same request was
     * already sent. Deletes unused uploads. Throws not_found, and invalid_request if an id or source appears twice.
     */
    async submit(
      principal: Principal,
      idOrName: string,
      { files }: Pick<DocumentsRequest, "files">,
      once: (make: (seal: Seal) => Promise<AddedDocuments>) => Promise<AddedDocuments>,
    ): Promise<AddedDocuments> {
      let unneeded = files.map(({ uploadId }) => uploadId);
      try {
        const { id } = await indexes.find(principal, idOrName);
        return await once(async (seal) => {
          const { added, surplus } = await add(id, files, principal, seal);
          unneeded = surplus;
          return added;
        });
      } finally {
        await discardAll(unneeded);
      }
    },

    /** Newest first. */
    async list(principal: Principal, idOrName: string, query: DocumentQuery): Promise<RagDocumentPage> {
      const index = await indexes.find(principal, idOrName);
      const { limit = 20, after, state, search } = query;
      const cursor = readTimeCursor(after);
      const rows = await store.listDocuments(db, index.id, { limit: limit + 1, cursor, state, search });
      const page = pageOf(
        rows,
        limit,
        (row) => row,
        (last) => timeCursor(last.createdAt, last.id),
      );
      return { ...page, data: await toWire(index, page.data) };
    },

    /** A numbered page of the matching documents. */
    async listNumbered(
      principal: Principal,
      idOrName: string,
      { sort, state, search, ...place }: NumberedQuery<store.DocumentSort> & store.DocumentFilter,
    ): Promise<NumberedPage<RagDocument>> {
      const index = await indexes.find(principal, idOrName);
      const filter = { state, search };
      return numberedPage(place, await store.countDocuments(db, index.id, filter), async (slice) =>
        toWire(index, await store.listSortedDocuments(db, index.id, { ...slice, sort, ...filter })),
      );
    },

    /** Documents of the last ingestion: in progress, then failed, then queued, then all others. */
    async listIngested(principal: Principal, idOrName: string, limit: number): Promise<RagDocument[]> {
      const index = await indexes.find(principal, idOrName);
      const { ingestionJobId: jobId } = index;
      return jobId === null ? [] : toWire(index, await store.listJobDocuments(db, jobId, limit));
    },

    get: async (principal: Principal, idOrName: string, id: string): Promise<RagDocument> =>
      one(await indexes.find(principal, idOrName), id),

    /** Takes effect for the next query. Throws not_found. */
    async remove(principal: Principal, idOrName: string, id: string): Promise<void> {
      const index = await indexes.find(principal, idOrName);
      const { uploadId, title } = await find(index, id);
      await db.write(async (tx) => {
        const at = now();
        await unpublishDocument(tx, { indexId: index.id, documentId: id }, at);
        const detail = { title, index: index.id };
        await appendAudit(tx, { at, actor: principal, action: "document.delete", target: id, detail });
      });
      if (uploadId !== null) await discardAll([uploadId]);
    },

    /** Retries those of these documents that failed or were cancelled. Throws not_found, and conflict if there are none. */
    async retry(principal: Principal, idOrName: string, ids: readonly string[]): Promise<void> {
      const { id: indexId } = await indexes.find(principal, idOrName);
      await db.write(async (tx) => {
        const found = await store.listMatchingDocuments(tx, indexId, { ids, sources: [], hashes: [] });
        const unread = found.filter(
          ({ uploadId, state }) => uploadId !== null && (state === "failed" || state === "cancelled"),
        );
        if (found[0] && unread.length === 0) throw nothingToRetry(found[0].state);
        const unreadIds = unread.map(({ id }) => id);
        const retried = { actor: principal, action: "index.retry" };
        if (unread.length > 0) await startJob(tx, indexId, unreadIds, retried, now());
      });
    },

    /** The visible text, or an earlier text by its hash. Throws not_found. */
    async text(principal: Principal, idOrName: string, id: string, hash?: string): Promise<DocumentText> {
      const index = await indexes.find(principal, idOrName);
      const { contentHash } = await find(index, id);
      const wanted = hash ?? contentHash;
      const row = wanted === null ? undefined : await store.findText(db, index.id, id, wanted);
      if (row) return { text: row.text, pages: row.pages, hash: row.hash };
      throw hash === undefined
        ? new AppError("not_found", "This document has no text yet. See its state and error.", {
            param: "document_id",
          })
        : new AppError("not_found", `This document has no text with the hash ${hash}.`, { param: "hash" });
    },

    /** The document's chunks in the active version, in order. */
    async chunks(
      principal: Principal,
      idOrName: string,
      id: string,
      { limit = 20, after }: PageQuery,
    ): Promise<ChunkPage> {
      const index = await indexes.find(principal, idOrName);
      await find(index, id);
      const place = { indexId: index.id, version: index.activeVersion, documentId: id };
      const rows = await listChunks(db, place, { limit: limit + 1, after: readNumberCursor(after) });
      return pageOf(rows, limit, toChunk, ({ position }) => String(position));
    },

    /** Cancels every job that adds documents. Searchable documents are kept. Throws not_found, conflict. */
    async cancel(principal: Principal, idOrName: string): Promise<Ingestion> {
      const index = await indexes.find(principal, idOrName);
      const jobs = await db.write(async (tx) => {
        const at = now();
        const open = await store.listOpenJobs(tx, index.id);
        for (const job of open) {
          await requestCancel(tx, job, at);
          await store.cancelQueuedDocuments(tx, job, at);
        }
        if (open.length > 0) await appendAudit(tx, { at, actor: principal, action: "index.cancel", target: index.id });
        return open;
      });
      const ingestion = await indexes.ingestionOf(index);
      if (jobs.length === 0 || !ingestion)
        throw new AppError("conflict", "No documents are being added to this index, so there is nothing to cancel.");
      return ingestion;
    },
  };
};

const deletedMeanwhile = (): AppError =>
  new AppError("not_found", "The index was deleted during the request, so nothing was added.");

const nothingToRetry = (state: store.DocumentState): AppError =>
  new AppError("conflict", `This document is ${state}. Only failed and cancelled documents can be retried.`);
