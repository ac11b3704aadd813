import { appendAudit } from "../../../db/audit";
import type { Db } from "../../../db/client";
import { findNewestFailure, findStateCounts, listOpenJobs } from "../../../db/documents";
import { isConstraint } from "../../../db/errors";
import * as store from "../../../db/indexes";
import { findJob, requestCancel } from "../../../db/jobs";
import { AppError, toAppError } from "../../../lib/errors";
import { newId } from "../../../lib/ids";
import type { PageQuery } from "../../contract";
import type { Seal } from "../../idempotency/service";
import type { Models } from "../../models/registry";
import { type NumberedPage, type NumberedQuery, numberedPage, pageOf, readTimeCursor, timeCursor } from "../../paging";
import type { Principal } from "../../principal";
import type { RetrievalSettings } from "../../retrieval-contract";
import { findReranker } from "../query/rerank";
import { toIndex, toIngestion } from "../wire";
import type { CreateIndex, Ingestion, RagIndex, RagIndexPage, UpdateIndex } from "./contract";
import { DEFAULT_RETRIEVAL, mergeRetrieval } from "./defaults";
import { findIndex, indexOpener, noSuchIndex } from "./open-index";
import { type IndexDefaults, indexDefaults, versionFields } from "./version-fields";

interface IndexDeps {
  db: Db;
  models: Pick<Models, "get" | "list" | "resolve">;
  /** Frees the memory in which a deleted index is searched. */
  forget(id: string): Promise<void>;
  /** Id of the vector store in use. Undefined: vectors are searched in memory. */
  vectorStore?: string;
  now?: () => Date;
}

export type IndexSort = store.IndexSort;
export type Indexes = ReturnType<typeof createIndexes>;

/** Indexes that a page offers to choose from. */
const MAX_NAMES = 500;

export const createIndexes = ({ db, models, forget, vectorStore, now = () => new Date() }: IndexDeps) => {
  const find = (principal: Principal, idOrName: string) => findIndex(db, principal, idOrName);

  const ingestionOf = async ({ ingestionJobId }: store.IndexRow): Promise<Ingestion | null> => {
    const job = ingestionJobId === null ? undefined : await findJob(db, ingestionJobId);
    return job ? toIngestion(job, await findStateCounts(db, { jobId: job.id }), now()) : null;
  };

  const read = async (index: store.IndexRow): Promise<RagIndex> => {
    const live = await store.listLiveVersions(db, index.id);
    const versions = live.filter(({ version, state }) => version === index.activeVersion || state === "building");
    const numbers = versions.map(({ version }) => version);
    const [totals, states, ingestion, lastError] = await Promise.all([
      store.findVersionTotals(db, index.id, numbers),
      findStateCounts(db, { indexId: index.id }),
      ingestionOf(index),
      findNewestFailure(db, index.id),
    ]);
    return toIndex({ index, versions, totals, states, ingestion, lastError });
  };

  return {
    find,
    ingestionOf,
    assertMayCreate,

    open: indexOpener(db, vectorStore).open,

    /** The indexes that the key may use, newest first. */
    async list({ allowedIndexes: allowed }: Principal, { limit = 20, after }: PageQuery): Promise<RagIndexPage> {
      const rows = await store.listIndexes(db, { allowed, limit: limit + 1, cursor: readTimeCursor(after) });
      const page = pageOf(
        rows,
        limit,
        (row) => row,
        (last) => timeCursor(last.createdAt, last.id),
      );
      return { ...page, data: await Promise.all(page.data.map(read)) };
    },

    /** A numbered page of the indexes that the key may use. */
    async listNumbered(
      { allowedIndexes: allowed }: Principal,
      { sort, ...place }: NumberedQuery<store.IndexSort>,
    ): Promise<NumberedPage<RagIndex>> {
      return numberedPage(place, await store.countIndexes(db, allowed), async (slice) =>
        Promise.all((await store.listSortedIndexes(db, { ...slice, allowed, sort })).map(read)),
      );
    },

    /** Ids and names of the indexes that the key may use, by name. */
    names: ({ allowedIndexes }: Principal) => store.listIndexNames(db, allowedIndexes, MAX_NAMES),

    /** The given documents that exist in those of the given indexes that the key may use. */
    visibleDocuments: ({ allowedIndexes: allowed }: Principal, which: { indexIds: string[]; ids: string[] }) =>
      store.listVisibleDocuments(db, { ...which, allowed }),

    defaults: (principal: Principal): IndexDefaults => indexDefaults(models, principal),

    get: async (principal: Principal, idOrName: string): Promise<RagIndex> => read(await find(principal, idOrName)),

    /** Throws conflict if the name is taken, model_not_found, invalid_request; unavailable until a node has reported. */
    async create(principal: Principal, request: CreateIndex, seal?: Seal): Promise<RagIndex> {
      const { name, description = "", retrieval } = request;
      assertMayCreate(principal, name);
      const at = now();
      const id = newId("idx");
      const fields = versionFields(models, principal, request);
      const settings = mergeRetrieval(DEFAULT_RETRIEVAL, retrieval);
      assertReranker(models, principal, DEFAULT_RETRIEVAL, settings);
      return unlessTaken(name, () =>
        db.write(async (tx) => {
          const stamps = { createdBy: principal.keyId, createdAt: at, updatedAt: at };
          await store.insertIndex(tx, { id, name, description, retrieval: settings, ...stamps });
          await store.insertVersion(tx, {
            ...fields,
            indexId: id,
            version: 1,
            state: "ready",
            createdAt: at,
            activatedAt: at,
          });
          await appendAudit(tx, { at, actor: principal, action: "index.create", target: id, detail: { name } });
          const index = await store.findIndex(tx, id);
          if (!index) throw noSuchIndex(id);
          const versions = await store.listLiveVersions(tx, id);
          const made = toIndex({ index, versions, totals: new Map(), states: {}, ingestion: null, lastError: null });
          await seal?.(tx, made);
          return made;
        }),
      );
    },

    /** Throws not_found, conflict, invalid_request, and model_not_found for a rerank model. */
    async update(principal: Principal, idOrName: string, request: UpdateIndex): Promise<RagIndex> {
      const { id } = await find(principal, idOrName);
      const { name, description, retrieval } = request;
      await unlessTaken(name ?? "", () =>
        db.write(async (tx) => {
          const at = now();
          const current = await store.findIndex(tx, id);
          if (!current) throw noSuchIndex(idOrName);
          const before = current.retrieval as RetrievalSettings;
          const settings = retrieval && mergeRetrieval(before, retrieval);
          if (settings) assertReranker(models, principal, before, settings);
          await store.updateIndex(tx, id, { name, description, retrieval: settings });
          await store.raiseRevision(tx, id, at);
          await appendAudit(tx, {
            at,
            actor: principal,
            action: "index.update",
            target: id,
            detail: { ...request },
          });
        }),
      );
      return read(await find(principal, id));
    },

    /** Takes effect for the next query. A worker deletes the content. Throws not_found. */
    async remove(principal: Principal, idOrName: string): Promise<void> {
      const { id, name } = await find(principal, idOrName);
      await db.write(async (tx) => {
        const at = now();
        const building = (await store.listLiveVersions(tx, id)).flatMap(({ state, jobId }) =>
          state === "building" && jobId !== null ? [jobId] : [],
        );
        for (const job of [...building, ...(await listOpenJobs(tx, id))]) await requestCancel(tx, job, at);
        if (!(await store.updateIndex(tx, id, { deletedAt: at }))) throw noSuchIndex(idOrName);
        await appendAudit(tx, { at, actor: principal, action: "index.delete", target: id, detail: { name } });
      });
      // If this fails, the search Worker frees the memory at its next check.
      forget(id).catch(() => undefined);
    },
  };
};

/** A key that is limited to some indexes could not see a new one with a different name. Throws insufficient_role. */
const assertMayCreate = ({ allowedIndexes, keyName }: Principal, name: string): void => {
  if (allowedIndexes?.includes(name) ?? true) return;
  throw new AppError(
    "insufficient_role",
    `The key "${keyName}" may only use the indexes ${allowedIndexes?.join(", ")}. Ask an admin for a key that may use "${name}".`,
    { param: "name" },
  );
};

/** Throws what `findReranker` throws if the settings change to a rerank model that no node has, once a node has reported. */
const assertReranker = (
  models: Pick<Models, "resolve">,
  principal: Principal,
  before: RetrievalSettings,
  after: RetrievalSettings,
): void => {
  const isSameModel = (before.rerank_model ?? null) === (after.rerank_model ?? null);
  if (before.rerank === after.rerank && isSameModel) return;
  try {
    findReranker(models, principal, after);
  } catch (thrown) {
    if (toAppError(thrown).kind !== "unavailable") throw thrown;
  }
};

const unlessTaken = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isConstraint(error)) throw error;
    throw new AppError("conflict", `An index named "${name}" already exists. Use another name.`, { param: "name" });
  }
};
