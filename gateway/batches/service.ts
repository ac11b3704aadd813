import { appendAudit } from "../../db/audit";
import { type BatchRow, deleteOldBatches, findBatch, insertBatch, listBatches, updateBatch } from "../../db/batches";
import type { Db, Reads } from "../../db/client";
import { findFile } from "../../db/files";
import { insertJob } from "../../db/jobs";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import { assertMayStore } from "../content-logging";
import type { Seal } from "../idempotency/service";
import { idListOf } from "../paging";
import type { Principal } from "../principal";
import { checkMetadataNames } from "../validation/metadata";
import type { Batch, BatchList, BatchQuery, CreateBatch } from "./contract";
import { BATCH_REQUESTS_KIND, type BatchRequestsPayload } from "./job";
import { NO_TOKENS } from "./results";
import { toBatch } from "./wire";

/** The only completion window that a batch can have. */
const WINDOW_MS = 24 * 3_600_000;
const DEFAULT_LIMIT = 20;
const MAX_DELETED = 500;

interface BatchesDeps {
  db: Db;
  /** How many days finished batches are kept. */
  days: number;
  now?: () => Date;
}

export type Batches = ReturnType<typeof createBatches>;

/** Batches of requests, which a jobs worker runs. A key only sees its own. */
export const createBatches = ({ db, days, now = () => new Date() }: BatchesDeps) => {
  const find = async (reads: Reads, { keyId }: Principal, id: string): Promise<BatchRow> => {
    const row = await findBatch(reads, id);
    if (row?.createdBy === keyId) return row;
    throw new AppError("not_found", `Batch ${id} not found. GET /v1/batches lists the batches of your key.`, {
      param: "id",
    });
  };

  return {
    /**
     * Creates a batch. Throws not_found or invalid_request for the file, and insufficient_role if the key's results may
     * not be stored.
     */
    async create(principal: Principal, request: CreateBatch, seal: Seal): Promise<Batch> {
      assertMayStore(principal, "batches", "Send the requests one by one.");
      const { keyId: createdBy, traceparent } = principal;
      const { input_file_id: inputFileId, endpoint, metadata, output_expires_after: kept } = request;
      checkMetadataNames(metadata);
      const id = newId("batch");
      return db.write(async (tx) => {
        const file = await findFile(tx, createdBy, inputFileId);
        if (file?.purpose !== "batch") throw unusableFile(inputFileId, file !== undefined);
        const at = now();
        const payload: BatchRequestsPayload = { batchId: id };
        const job = { id: newId("job"), kind: BATCH_REQUESTS_KIND, payload: { ...payload }, createdBy, traceparent };
        await insertJob(tx, job, [null], at);
        await insertBatch(tx, {
          ...{ id, endpoint, inputFileId, createdBy, jobId: job.id },
          status: "validating",
          metadata: metadata ?? null,
          outputSeconds: kept?.seconds ?? null,
          tokens: NO_TOKENS,
          createdAt: at,
          expiresAt: new Date(at.getTime() + WINDOW_MS),
        });
        const detail = { endpoint, input_file_id: inputFileId };
        await appendAudit(tx, { at, actor: principal, action: "batch.create", target: id, detail });
        const made = toBatch(await find(tx, principal, id));
        await seal(tx, made);
        return made;
      });
    },

    /** Lists the key's batches, newest first. */
    async list({ keyId }: Principal, { limit = DEFAULT_LIMIT, after }: BatchQuery): Promise<BatchList> {
      return idListOf(await listBatches(db, keyId, { limit: limit + 1, after }), limit, toBatch);
    },

    /** Throws not_found, as every method does. */
    get: async (principal: Principal, id: string): Promise<Batch> => toBatch(await find(db, principal, id)),

    /**
     * Starts to cancel a batch. The worker stops within a second and writes files with the results so far. Throws
     * conflict if all requests have finished.
     */
    cancel: (principal: Principal, id: string): Promise<Batch> =>
      db.write(async (tx) => {
        const { status, ending } = await find(tx, principal, id);
        if (status === "cancelling" || status === "cancelled") return toBatch(await find(tx, principal, id));
        if (ending !== null || (status !== "validating" && status !== "in_progress")) {
          throw new AppError("conflict", `This batch is ${status}, so it can't be cancelled.`);
        }
        const cancellingAt = now();
        // Nothing has run yet, so there are no results to keep.
        const isOver = status === "validating";
        const change = isOver
          ? { status: "cancelled" as const, endedAt: cancellingAt }
          : { status: "cancelling" as const };
        await updateBatch(tx, id, { ...change, cancellingAt });
        await appendAudit(tx, { at: cancellingAt, actor: principal, action: "batch.cancel", target: id });
        return toBatch(await find(tx, principal, id));
      }),

    /** Deletes batches that finished more than `days` ago. */
    sweep: (): Promise<void> => deleteOldBatches(db, new Date(now().getTime() - days * 86_400_000), MAX_DELETED),
  };
};

const unusableFile = (id: string, exists: boolean): AppError =>
  exists
    ? new AppError("invalid_request", `File ${id} is an output file. Upload a file with the purpose batch.`, {
        param: "input_file_id",
      })
    : new AppError("not_found", `File ${id} not found. GET /v1/files lists the files of your key.`, {
        param: "input_file_id",
      });
