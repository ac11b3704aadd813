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
import type { Dataset, ValidationReport } from "./contract";
import type { ColumnMapping } from "./reading/columns/mapping";
import type { FileFormat } from "./reading/formats/detect-format";
import { type DatasetService, nameTaken } from "./service";

export const IMPORT_KIND = "dataset-import";

/** Rows of an upload on their way into a dataset, and how they are to be read. */
export interface ImportOptions {
  format?: FileFormat;
  mapping?: ColumnMapping;
  /** refuse: one bad row refuses all; skip: good rows stay. */
  onError: "refuse" | "skip";
  /** Read and report, store nothing. */
  dryRun: boolean;
}

/** What becomes of the rows. */
export type ImportTarget =
  | { mode: "create"; name: string; description: string; schema: Record<string, unknown> | null }
  | { mode: "replace" | "merge"; datasetId: string };

/** The input of a worker, as JSON. */
export interface ImportPayload {
  uploadId: string;
  fileName: string | null;
  /** The samples of a JSON body, one on a line: lines of the report count samples. */
  isInline: boolean;
  options: ImportOptions;
  target: ImportTarget;
  /** Of the dataset that a `create` makes. */
  datasetId: string;
  createdBy: string;
}

/** What a worker answers, as JSON. */
export interface ImportResult {
  report: ValidationReport;
  /** stored: a new revision; unchanged: the newest has this very content; refused: rows are wrong; checked: a dry run. */
  outcome: "stored" | "unchanged" | "refused" | "checked";
  datasetId: string | null;
}

/** An import as its sender may look at it. */
export interface ImportView {
  job: string;
  state: JobRow["state"];
  progress: ImportProgress;
  payload: ImportPayload;
  /** Only of a completed one; one whose rows were refused is completed too. */
  result: ImportResult | undefined;
  /** What ended it. */
  error: AppError | undefined;
}

/** How far a worker is. */
export interface ImportProgress {
  rows: number;
  accepted: number;
}

interface ImportOutcome {
  dataset: Dataset | null;
  report: ValidationReport;
  isNew: boolean;
}

export interface Imports {
  /**
   * Hands an upload over to the worker. The upload is deleted when the job ends, even if the caller has disconnected.
   * Answers the id of the job. Throws conflict where a name is taken; the upload is still the caller's then.
   */
  enqueue(
    principal: Pick<Principal, "keyId">,
    upload: Upload,
    request: {
      target: ImportTarget;
      options: ImportOptions;
      isInline?: boolean;
      /** The upload stays until it is stored: a person looks at it first and decides then. */
      keepsUpload?: boolean;
    },
    seal: Seal,
  ): Promise<{ job: string }>;
  /** Waits for an import. Throws dataset_invalid with lines and columns, payload_too_large, and what `Jobs.wait` throws. */
  wait(job: string, signal: AbortSignal, onWithdrawn?: OnWithdrawn): Promise<ImportOutcome>;
  /** One of the caller's own. Throws not_found. */
  find(principal: Pick<Principal, "keyId">, job: string): Promise<ImportView>;
  /** False when it has ended already. Throws not_found. */
  cancel(principal: Pick<Principal, "keyId">, job: string): Promise<boolean>;
}

interface ImportDeps {
  db: Db;
  datasets: Pick<DatasetService, "get">;
  jobs: Jobs;
  uploads: Pick<Uploads, "discardSpent">;
  now?: () => Date;
}

export const createImports = ({ db, datasets, jobs, uploads, now = () => new Date() }: ImportDeps): Imports => {
  const own = async ({ keyId }: Pick<Principal, "keyId">, id: string): Promise<JobRow> => {
    const job = await jobs.get(id);
    if (job.createdBy === keyId && job.kind === IMPORT_KIND) return job;
    throw new AppError("not_found", "This import does not exist, or it ended more than 30 days ago.");
  };

  /** Deletes the upload before the caller gets the result. If that fails, a worker's sweep deletes it. */
  const clearUploads = (): Promise<void> => uploads.discardSpent().catch(() => undefined);

  return {
    async enqueue({ keyId }, upload, { target, options, isInline = false, keepsUpload = false }, seal) {
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
      };
      const job = { id: newId("job"), kind: IMPORT_KIND, payload: { ...payload }, createdBy: keyId };
      await db.write(async (tx) => {
        await insertJob(tx, job, [null], now());
        if (!keepsUpload) await handUploadToJob(tx, upload.id, job.id);
        await seal(tx, { job: job.id });
      });
      return { job: job.id };
    },

    async wait(id, signal, onWithdrawn) {
      const { result } = await jobs.wait(id, signal, onWithdrawn).finally(clearUploads);
      const { report, outcome, datasetId } = readResult(result);
      if (outcome === "refused") throw refusal(report);
      const dataset = datasetId === null ? null : await datasets.get(datasetId);
      return { dataset, report, isNew: outcome === "stored" };
    },

    async find(principal, id) {
      const { state, progress, payload, result, error } = await own(principal, id);
      const { rows = 0, accepted = 0 } = (progress ?? {}) as Partial<ImportProgress>;
      return {
        job: id,
        state,
        progress: { rows, accepted },
        payload: payload as unknown as ImportPayload,
        result: state === "completed" ? readResult(result) : undefined,
        error: state === "failed" ? fromEnvelope({ error }, "gateway") : undefined,
      };
    },

    async cancel(principal, id) {
      await own(principal, id);
      return jobs.cancel(id);
    },
  };
};

/** The report that the worker stored; earlier versions stored no warnings or examples. */
const readResult = (stored: unknown): ImportResult => {
  const { report, ...result } = stored as ImportResult;
  return { ...result, report: { ...report, warnings: report.warnings ?? [], examples: report.examples ?? {} } };
};

/** Every row that can't be used, by line and column. */
const refusal = ({ rejected, rows, accepted, errors }: ValidationReport): AppError => {
  const [first] = errors;
  const where = first
    ? ` Line ${first.line}${first.column === null ? "" : `, column ${first.column}`}: ${first.message}`
    : "";
  const way =
    accepted > 0 ? "Correct them, or send on_error=skip to keep the others." : "Correct them and send the file again.";
  return new AppError(
    "dataset_invalid",
    `${rejected} of ${rows} ${rows === 1 ? "row" : "rows"} can't be used, so nothing was stored.${where} ${way}`,
    { details: errors.map(({ line, column, message }) => ({ line, path: column ?? "", message })) },
  );
};
