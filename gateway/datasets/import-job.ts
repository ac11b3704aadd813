import type { ValidationReport } from "./contract";
import type { ColumnMapping } from "./reading/columns/mapping";
import type { FileFormat } from "./reading/formats/detect-format";

export const IMPORT_KIND = "dataset-import";

/** An import of uploaded rows into a dataset, and how to read them. */
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

/** The input of a worker, as JSON. */
export interface ImportPayload {
  uploadId: string;
  fileName: string | null;
  /** The samples of a JSON body, one per line, so line numbers in the report count samples. */
  isInline: boolean;
  options: ImportOptions;
  target: ImportTarget;
  /** For the dataset that `create` makes. */
  datasetId: string;
  createdBy: string;
}

/** The result of a worker, as JSON. */
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
