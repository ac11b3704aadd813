import type { ValidationReport } from "./contract";
import type { ColumnMapping } from "./reading/columns/mapping";
import type { FileFormat } from "./reading/formats/detect-format";

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

/** The result of a worker, as JSON. */
export interface ImportResult {
  report: ValidationReport;
  /** stored: a new revision; unchanged: the newest has this very content; refused: rows are wrong; checked: a dry run. */
  outcome: "stored" | "unchanged" | "refused" | "checked";
  datasetId: string | null;
}

export interface ImportProgress {
  rows: number;
  accepted: number;
}

/** The report that the worker stored; earlier versions stored no warnings or examples. */
export const readResult = (stored: unknown): ImportResult => {
  const { report, ...result } = stored as ImportResult;
  return { ...result, report: { ...report, warnings: report.warnings ?? [], examples: report.examples ?? {} } };
};
