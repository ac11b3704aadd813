import { Value } from "@sinclair/typebox/value";
import type { Db } from "../../db/client";
import { findDataset } from "../../db/datasets";
import { insertJob, type JobRow } from "../../db/jobs";
import { handUploadToJob } from "../../db/uploads";
import { AppError, fromEnvelope } from "../../lib/errors";
import { newId } from "../../lib/ids";
import type { Seal } from "../idempotency/service";
import type { Jobs, OnWithdrawn } from "../jobs/service";
import type { Principal } from "../principal";
import type { Upload, Uploads } from "../uploads/service";
import { CreateDataset, type Dataset, type ValidationReport } from "./contract";
import {
  IMPORT_KIND,
  type ImportOptions,
  type ImportPayload,
  type ImportProgress,
  type ImportResult,
  type ImportTarget,
  readResult,
} from "./import-job";
import type { ColumnMapping } from "./reading/columns/mapping";
import { assertSampleSchema } from "./schema-check";
import { type DatasetService, nameTaken } from "./service";

const POLL_MS = 25;

/** A requested import: its rows are stored as an upload, and the rest of the request has been checked. */
export interface UploadRequest {
  upload: Upload;
  /** The rows were sent as the samples of a JSON body. */
  isInline: boolean;
  options: ImportOptions;
  /** Name, description, schema and mode, if the request has them. */
  fields: { name?: string; description?: string; schema?: Record<string, unknown>; mode?: "replace" | "merge" };
  /** The complete request, to recognise when it is repeated. */
  sent: unknown;
}

interface ImportDecision {
  name: string;
  mode: "replace" | "merge";
  onError: ImportOptions["onError"];
  mapping: ColumnMapping;
  /** False: read the file again with this mapping. */
  stores: boolean;
}

export interface ImportView {
  job: string;
  state: JobRow["state"];
  progress: ImportProgress;
  payload: ImportPayload;
  /** Only for a completed import. An import with rejected rows is completed too. */
  result: ImportResult | undefined;
  error: AppError | undefined;
}

interface ImportOutcome {
  dataset: Dataset | null;
  report: ValidationReport;
  isNew: boolean;
}

type KeyHolder = Pick<Principal, "keyId" | "requestId" | "traceparent">;

interface EnqueueRequest {
  target: ImportTarget;
  options: ImportOptions;
  isInline?: boolean;
  /** Keep the upload until a person has reviewed the report and decided. */
  keepsUpload?: boolean;
}

interface ImportDeps {
  db: Db;
  datasets: Pick<DatasetService, "get">;
  jobs: Jobs;
  uploads: Pick<Uploads, "discard" | "discardSpent" | "get">;
  now?: () => Date;
}

export type Imports = ReturnType<typeof createImports>;

export const createImports = ({ db, datasets, jobs, uploads, now = () => new Date() }: ImportDeps) => {
  const importOf = async ({ keyId }: KeyHolder, id: string): Promise<JobRow> => {
    const job = await jobs.get(id);
    if (job.createdBy === keyId && job.kind === IMPORT_KIND) return job;
    throw new AppError("not_found", "This import does not exist, or it ended more than 30 days ago.");
  };

  /** Deletes the upload before the caller gets the result. If that fails, a worker's sweep deletes it. */
  const clearUploads = (): Promise<void> => uploads.discardSpent().catch(() => undefined);

  /**
   * Hands an upload over to the worker, which deletes it when the job ends, even if the caller has disconnected.
   * Returns the job's id. Throws conflict if the name is taken; the upload is then still the caller's to delete.
   */
  const enqueue = async (
    { keyId, requestId, traceparent }: KeyHolder,
    upload: Upload,
    { target, options, isInline = false, keepsUpload = false }: EnqueueRequest,
    seal?: Seal,
  ): Promise<{ job: string }> => {
    const isNew = target.mode === "create" && !options.dryRun;
    if (isNew && (await findDataset(db, target.name))) throw nameTaken(target.name);
    const payload: ImportPayload = {
      uploadId: upload.id,
      fileName: upload.fileName,
      isInline,
      options,
      target,
      datasetId: target.mode === "create" ? newId("ds") : target.datasetId,
      createdBy: keyId,
      requestId,
    };
    const job = { id: newId("job"), kind: IMPORT_KIND, payload: { ...payload }, createdBy: keyId, traceparent };
    await db.write(async (tx) => {
      await insertJob(tx, job, [null], now());
      if (!keepsUpload) await handUploadToJob(tx, upload.id, job.id);
      await seal?.(tx, { job: job.id });
    });
    return { job: job.id };
  };

  /** Reads an upload and reports on it without storing samples. The name may already be taken. */
  const preview = (principal: KeyHolder, upload: Upload, target: ImportTarget, mapping?: ColumnMapping) => {
    const options = { mapping, onError: "skip", dryRun: true } as const;
    return enqueue(principal, upload, { target, options, keepsUpload: true });
  };

  const targetOf = async (
    { name = "", description = "", schema, mode = "replace" }: UploadRequest["fields"],
    dataset: string | undefined,
  ): Promise<ImportTarget> => {
    if (dataset !== undefined) return { mode, datasetId: (await datasets.get(dataset)).id };
    if (schema) await assertSampleSchema(schema);
    return { mode: "create", name, description, schema: schema ?? null };
  };

  const find = async (principal: KeyHolder, id: string): Promise<ImportView> => {
    const { state, progress, payload, result, error } = await importOf(principal, id);
    const { rows = 0, accepted = 0 } = (progress ?? {}) as Partial<ImportProgress>;
    return {
      job: id,
      state,
      progress: { rows, accepted },
      payload: payload as unknown as ImportPayload,
      result: state === "completed" ? readResult(result) : undefined,
      error: state === "failed" ? fromEnvelope({ error }, "gateway") : undefined,
    };
  };

  return {
    enqueue,
    preview,

    /**
     * Enqueues an API request: for a new dataset, or a revision of the given one. `once` runs its argument unless the
     * same request was already sent. An upload that is not enqueued is deleted. Throws what `enqueue` throws,
     * invalid_request for the sample schema, and not_found for the dataset.
     */
    async submit(
      principal: KeyHolder,
      { upload, options, isInline, fields }: UploadRequest,
      dataset: string | undefined,
      once: (make: (seal: Seal) => Promise<{ job: string }>) => Promise<{ job: string }>,
    ): Promise<string> {
      let isHandedOver = false;
      try {
        const target = await targetOf(fields, dataset);
        const { job } = await once(async (seal) => {
          const made = await enqueue(principal, upload, { target, options, isInline }, seal);
          isHandedOver = true;
          return made;
        });
        return job;
      } finally {
        // A repeated or rejected upload is no longer needed.
        if (!isHandedOver) await uploads.discard(upload.id);
      }
    },

    /**
     * Stores a previewed upload, or reads it again. Only what was previewed is stored, so a new mapping is previewed
     * first. `isReread`: the user chose to store, but changed the mapping. Throws an error about `name` or `onError` if
     * the user has to change it.
     */
    async decide(
      principal: KeyHolder,
      { payload, result: { report } }: ImportView & { result: ImportResult },
      { name, mode, onError, mapping, stores }: ImportDecision,
    ): Promise<{ job: string; isReread?: boolean }> {
      const target: ImportTarget =
        payload.target.mode === "create" ? { ...payload.target, name } : { ...payload.target, mode };
      const upload = await uploads.get(payload.uploadId, principal.keyId);
      const isShown = report.columns.every((column) => (mapping[column] ?? undefined) === report.mapping[column]);
      if (!stores || !isShown) {
        return { ...(await preview(principal, upload, target, mapping)), isReread: stores };
      }
      if (target.mode === "create" && !Value.Check(CreateDataset.properties.name, name)) {
        const message = "Enter a name of 1 to 100 characters on one line that doesn’t start with ds_";
        throw new AppError("invalid_request", message, { param: "name" });
      }
      if (onError === "refuse" && report.rejected > 0) {
        const message = "Some rows can’t be used. Correct the file and upload it again, or store the usable rows";
        throw new AppError("dataset_invalid", message, { param: "onError" });
      }
      return enqueue(principal, upload, { target, options: { mapping, onError, dryRun: false }, keepsUpload: true });
    },

    /** Waits for an import. Throws dataset_invalid with lines and columns, payload_too_large, and what `Jobs.wait` throws. */
    async wait(id: string, signal: AbortSignal, onWithdrawn?: OnWithdrawn): Promise<ImportOutcome> {
      const { result } = await jobs.wait(id, signal, onWithdrawn).finally(clearUploads);
      const { report, outcome, datasetId } = readResult(result);
      if (outcome === "refused") throw refusal(report);
      const dataset = datasetId === null ? null : await datasets.get(datasetId);
      return { dataset, report, isNew: outcome === "stored" };
    },

    /** One of the caller's imports, after waiting up to `patienceMs` for it to end. Throws not_found. */
    async find(principal: KeyHolder, id: string, patienceMs = 0): Promise<ImportView> {
      const endMs = performance.now() + patienceMs;
      for (;;) {
        const view = await find(principal, id);
        const isOpen = view.state === "queued" || view.state === "running";
        if (!isOpen || performance.now() >= endMs) return view;
        await Bun.sleep(POLL_MS);
      }
    },

    /** False if it has already ended. Throws not_found. */
    async cancel(principal: KeyHolder, id: string): Promise<boolean> {
      await importOf(principal, id);
      return jobs.cancel(id);
    },
  };
};

/** The error for rejected rows, with the first one's line and column. */
const refusal = ({ rejected, rows, accepted, errors }: ValidationReport): AppError => {
  const [first] = errors;
  const where = first
    ? ` Line ${first.line}${first.column === null ? "" : `, column ${first.column}`}: ${first.message}`
    : "";
  const way =
    accepted > 0 ? "Fix them, or send on_error=skip to store the others." : "Fix them and send the file again.";
  return new AppError(
    "dataset_invalid",
    `${rejected} of ${rows} ${rows === 1 ? "row" : "rows"} can't be used, so nothing was stored.${where} ${way}`,
    { details: errors.map(({ line, column, message }) => ({ line, path: column ?? "", message })) },
  );
};
