import { contentHash, type KeyedContent, keyOfContent, toContent } from "../content";
import type { ValidationReport } from "../contract";
import type { NewSample } from "../sample-contract";
import { isExport } from "../spreadsheet-text";
import { type Cells, exportCells, textCells, typedCells } from "./cells";
import type { ColumnMapping } from "./column-mapping";
import { ColumnPlan, type RowPlan } from "./column-plan";
import type { FileFormat } from "./detect-format";
import { Duplicates } from "./duplicates";
import { type ReadingLimits, tooManyRows } from "./limits";
import { mapRow } from "./map-row";
import { invalid } from "./problems";
import { ReportBuilder } from "./report";
import { toRowProblem } from "./row-problem";
import type { RawRow, Row, RowProblem } from "./rows";
import { checkSample, type SampleProblem } from "./sample-check";

/** A sample that was read, checked and may be stored. */
export type ReadSample = KeyedContent & { hash: string };

interface CollectorOptions {
  format: FileFormat;
  limits: ReadingLimits;
  mapping: ColumnMapping;
  /** The dataset's own check, of samples in the form of an upload. */
  findSchemaProblems(sample: NewSample): SampleProblem[];
}

/** Turns rows into samples, one at a time, and gathers the report. */
export class SampleCollector {
  readonly #report = new ReportBuilder();
  readonly #duplicates = new Duplicates();
  readonly #plan: ColumnPlan;
  readonly #hasHeader: boolean;
  #cells: Cells | undefined;

  /** Throws invalid_request for a mapping that can't be. */
  constructor(private readonly options: CollectorOptions) {
    this.#plan = new ColumnPlan(options.mapping, options.limits);
    this.#hasHeader = options.format === "csv" || options.format === "parquet";
  }

  get rows(): number {
    return this.#report.rows;
  }

  /**
   * The sample of a row; undefined when the row is refused or says what an earlier one has said. Throws dataset_invalid
   * when no row of the file can be a sample, payload_too_large at too many rows or columns.
   */
  add(row: RawRow): ReadSample | undefined {
    const { limits } = this.options;
    this.#report.addRow();
    if (this.rows > limits.maxRows) throw tooManyRows(limits, row);
    if ("problem" in row) {
      if (row.columns) this.#planRow(row.columns, row.line);
      return this.#reject(row.line, [row.problem]);
    }
    const { fields, filled, problem } = this.#planRow(row.columns, row.line);
    if (problem) return this.#reject(row.line, [problem]);
    const mapped = mapRow(row, fields, this.#cellsOf(row));
    this.#report.addDraft(mapped.draft, filled);
    if (mapped.problem) return this.#reject(row.line, [mapped.problem]);
    // A row of JSON need not have the column that a value is missing from.
    const inColumns = (found: SampleProblem) =>
      toRowProblem(found, [...row.columns, ...this.#plan.columns], [...fields, ...this.#plan.fields]);
    const checked = checkSample(mapped.draft);
    if ("problems" in checked) return this.#reject(row.line, checked.problems.map(inColumns));
    const unfit = this.options.findSchemaProblems(checked.sample);
    if (unfit.length > 0) return this.#reject(row.line, unfit.map(inColumns));
    return this.#keep(checked.sample, row, inColumns);
  }

  /** To be called after the last row. Throws invalid_request when the mapping names columns that never came. */
  finish(): ValidationReport {
    if (this.rows === 0) throw invalid("the file holds no rows. Upload one that does.");
    this.#plan.checkMapped();
    return this.#report.finish(this.options.format, this.#plan.columns, this.#plan.mapped);
  }

  #planRow(columns: readonly string[], line: number): RowPlan {
    const isHeader = this.#hasHeader && this.#plan.columns.length === 0;
    const plan = this.#plan.plan(columns, line);
    if (isHeader) this.#checkHeader(plan);
    return plan;
  }

  /** In a file with a header a column that can't be is one problem of the file, not one of every row. */
  #checkHeader({ fields, problem }: RowPlan): void {
    this.#plan.checkMapped();
    if (problem) throw invalid(problem.message, { column: problem.column ?? undefined });
    if (!fields.includes("input")) {
      throw invalid("no column holds the input. Name one of them input, or map one to it.");
    }
  }

  #cellsOf({ columns }: Row): Cells {
    if (this.options.format !== "csv") return typedCells;
    this.#cells ??= isExport(columns) ? exportCells : textCells;
    return this.#cells;
  }

  #reject(line: number, problems: readonly RowProblem[]): undefined {
    this.#report.reject(line, problems);
  }

  #keep(sample: NewSample, { line }: Row, inColumns: (problem: SampleProblem) => RowProblem): ReadSample | undefined {
    const content = toContent(sample);
    const hash = contentHash(content);
    const read: ReadSample = { ...content, key: sample.key ?? keyOfContent(hash), hash };
    const likeness = this.#duplicates.add(read, line);
    if (likeness.kind === "exact") {
      this.#report.addExactDuplicate();
      return undefined;
    }
    if (likeness.kind === "sameKey") {
      const message = `key "${read.key}" stands in line ${likeness.line} already, with another content.`;
      return this.#reject(line, [inColumns({ path: "/key", message })]);
    }
    this.#report.accept(read, likeness.kind === "near");
    return read;
  }
}
