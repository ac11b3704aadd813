import type { ValidationReport } from "./contract";
import type { ColumnMapping } from "./reading/columns/mapping";
import type { FileFormat } from "./reading/formats/detect-format";

export const IMPORT_KIND = "dataset-import";

/** How to read an upload, and whether to store its rows. */
export interface ImportOptions {
  format?: FileFormat;
  mapping?: ColumnMapping;
  /** refuse: one bad row rejects the whole upload; skip: valid rows are stored. */
  onError: "refuse" | "skip";
  /** Read and report without storing anything. */
  dryRun: boolean;
}

export type ImportTarget =
  | { mode: "create"; name: string; description: string; schema: Record<string, unknown> | null }
  | { mode: "replace" | "merge"; datasetId: string };

/** The worker's input, as JSON. */
export interface ImportPayload {
  uploadId: string;
  fileName: string | null;
  /** The rows are the samples of a JSON body, one per line, so the report's line numbers count samples. */
  isInline: boolean;
  options: ImportOptions;
  target: ImportTarget;
  /** The id of the dataset that `create` makes. */
  datasetId: string;
  createdBy: string;
  /** The request that asked for the import, for the audit log. */
  requestId?: string;
}

/** The worker's result, as JSON. */
export interface ImportResult {
  report: ValidationReport;
  /**
   * stored: a new revision; unchanged: the newest already has this content; refused: invalid rows; checked: a dry run.
   */
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
