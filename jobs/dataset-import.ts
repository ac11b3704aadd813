import type { Db } from "../db/client";
import {
  type DatasetWithLatest,
  deleteRevisionPart,
  findDataset,
  listDoomedRevisions,
  stageRevision,
} from "../db/datasets";
import { findMemberCount, insertMembers } from "../db/samples";
import { ChangeCounter } from "../gateway/datasets/changes";
import { toRow } from "../gateway/datasets/content";
import type { ValidationReport } from "../gateway/datasets/contract";
import { IMPORT_KIND, type ImportPayload, type ImportResult } from "../gateway/datasets/import-job";
import { publish } from "../gateway/datasets/publish";
import { readUpload } from "../gateway/datasets/reading/read-upload";
import type { Uploads } from "../gateway/uploads/service";
import type { Config } from "../lib/config";
import { AppError } from "../lib/errors";
import type { JobHandler, TaskContext } from "./handler";

/** How often progress is saved, in addition to after each group of rows. */
const PROGRESS_MS = 500;
const MARK_ROWS = 5000;
/** Maximum number of members deleted in one transaction. */
const MAX_MEMBERS_PER_DELETE = 1000;

interface ImportDeps {
  db: Db;
  uploads: Uploads;
  config: Pick<Config, "datasets">;
  /** Folder for temporary files. */
  spoolDir: string;
  now?: () => Date;
}

/** Id of the revision that a job stages. It follows from the job's id, so the job's next worker finds the revision. */
const revisionOf = (jobId: string): string => jobId.replace(/^job/, "rev");

/**
 * Reads an upload into a dataset. Samples are staged batch by batch and are not visible until the last transaction
 * makes them the newest revision. After a worker dies, the next one starts again.
 */
export const datasetImport = ({ db, uploads, config, spoolDir, now = () => new Date() }: ImportDeps): JobHandler => ({
  kind: IMPORT_KIND,
  // `ReadingThread` measures the memory of the whole process: two Parquet imports in parallel could abort each other.
  concurrency: 1,

  async run(task, context) {
    const payload = task.job.payload as unknown as ImportPayload;
    const { options, uploadId, fileName, createdBy } = payload;
    const revisionId = revisionOf(task.jobId);
    if (!options.dryRun) {
      // An earlier attempt may have staged samples in a different order, or with a different schema.
      while (!(await deleteRevisionPart(context, revisionId, MAX_MEMBERS_PER_DELETE)));
      const staged = { id: revisionId, jobId: task.jobId, source: fileName, createdBy };
      await context.write((tx) => stageRevision(tx, staged, now()));
    }
    const report = await stage({ db, uploads, config, spoolDir }, context, payload, revisionId);
    const isRefused = report.accepted === 0 || (report.rejected > 0 && options.onError === "refuse");
    await context.finish(async (tx) => {
      const done = (outcome: ImportResult["outcome"], datasetId: string | null) => ({ report, outcome, datasetId });
      if (options.dryRun) return done("checked", null);
      if (isRefused) return done("refused", null);
      const staged = await findMemberCount(tx, revisionId);
      if (staged !== report.accepted) throw new Error(`${staged} samples are staged, ${report.accepted} were read.`);
      const published = await publish(tx, revisionId, payload, report, now());
      return { ...done(published.isNew ? "stored" : "unchanged", payload.datasetId), report: published.report };
    });
    // Also deletes an upload that an earlier dry run checked: it is no longer needed.
    if (!options.dryRun && !isRefused) await uploads.discard(uploadId);
  },

  async sweep() {
    await uploads.discardSpent();
    for (;;) {
      const doomed = await listDoomedRevisions(db, 20);
      if (doomed.length === 0) return;
      for (const id of doomed) while (!(await deleteRevisionPart(db, id, MAX_MEMBERS_PER_DELETE)));
    }
  },
});

/**
 * Reads the upload into the staged revision. A dry run only compares the samples with the dataset's newest revision.
 */
const stage = async (
  { db, uploads, config, spoolDir }: Omit<ImportDeps, "now">,
  context: TaskContext,
  { options, uploadId, fileName, isInline, target }: ImportPayload,
  revisionId: string,
): Promise<ValidationReport> => {
  const dataset = target.mode === "create" ? undefined : await findTarget(db, target.datasetId);
  const schema = target.mode === "create" ? target.schema : dataset?.sampleSchema;
  const changes = options.dryRun && dataset ? new ChangeCounter(db, dataset.latest) : undefined;
  // Stops the thread and deletes the file, even if a write fails.
  await using reading = readUpload(
    { name: fileName ?? "", bytes: uploads.read(uploadId) },
    {
      limits: config.datasets,
      stallMs: config.datasets.stallMs,
      spoolDir,
      signal: context.signal,
      format: options.format,
      mapping: options.mapping,
      schema: schema ?? undefined,
    },
  );
  let accepted = 0;
  let savedAt = performance.now();
  let savedMark = 0;
  for (;;) {
    const { value, done } = await reading.next();
    if (done) {
      const report = isInline ? { ...value, format: "inline" as const } : value;
      return changes ? { ...report, changes: await changes.finish() } : report;
    }
    const { samples, rows } = value;
    const from = accepted;
    accepted += samples.length;
    await changes?.add(samples);
    if (!options.dryRun && samples.length > 0) {
      const members = samples.map((sample, index) => ({ ...toRow(sample), key: sample.key, position: from + index }));
      await context.write((tx) => insertMembers(tx, revisionId, members));
    }
    const mark = Math.floor(rows / MARK_ROWS);
    if (mark === savedMark && performance.now() - savedAt < PROGRESS_MS) continue;
    await context.progress({ rows, accepted }, mark);
    savedAt = performance.now();
    savedMark = mark;
  }
};

/** Loads the dataset of a new revision with its current schema. Throws not_found if it was deleted in the meantime. */
const findTarget = async (db: Db, datasetId: string): Promise<DatasetWithLatest> => {
  const dataset = await findDataset(db, datasetId);
  if (dataset) return dataset;
  throw new AppError("not_found", "The dataset was deleted in the meantime, so the samples were not stored.");
};
