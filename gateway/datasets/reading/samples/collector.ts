import { contentHash, type KeyedContent, keyOfContent, toContent } from "../../content";
import type { ValidationReport } from "../../contract";
import type { NewSample } from "../../sample-contract";
import { type Cells, exportCells, isExport, mapRow, textCells, typedCells } from "../columns/cells";
import { type ColumnMapping, ColumnPlan, type RowPlan } from "../columns/mapping";
import type { FileFormat } from "../formats/detect-format";
import { invalid, type ReadingLimits, tooManyRows } from "../limits";
import { type RawRow, type Row, type RowProblem, Unreadable, type Warning } from "../rows";
import { checkSample, INPUT_EMPTY, type SampleProblem, toRowProblem } from "./check";
import { Duplicates } from "./duplicates";
import { MAX_ERRORS, ReportBuilder } from "./report";

const MAX_LISTED_LENGTH = 500;

/** A checked sample that can be stored. */
export type ReadSample = KeyedContent & { hash: string };

interface CollectorOptions {
  format: FileFormat;
  limits: ReadingLimits;
  mapping: ColumnMapping;
  /** The dataset's own check, for samples in the shape of an upload. */
  findSchemaProblems(sample: NewSample): SampleProblem[];
}

/** Converts rows to samples, one at a time, and collects the report. */
export class SampleCollector {
  readonly #report = new ReportBuilder();
  readonly #duplicates = new Duplicates();
  readonly #plan: ColumnPlan;
  readonly #hasHeader: boolean;
  #hasInput = true;
  /** JSON rows before the first one with an input: their number, and the lines that a report can list. */
  readonly #withoutInput = { count: 0, lines: [] as number[] };
  #cells: Cells | undefined;

  /** Throws invalid_request for an invalid mapping. */
  constructor(private readonly options: CollectorOptions) {
    this.#plan = new ColumnPlan(options.mapping, options.limits, this.warn);
    this.#hasHeader = options.format === "csv" || options.format === "parquet";
  }

  get rows(): number {
    return this.#report.counts.rows;
  }

  /** Records a warning. The file's reader calls this too. */
  readonly warn = (warning: Warning): void => this.#report.warn(warning);

  /**
   * Converts a row to a sample; undefined if the row is rejected or a duplicate. Throws dataset_invalid if no row of
   * the file can be a sample, payload_too_large for too many rows or columns.
   */
  add(row: RawRow): ReadSample | undefined {
    const { limits } = this.options;
    this.#report.counts.rows++;
    if (this.rows > limits.maxRows) throw tooManyRows(limits, row);
    if ("problem" in row) {
      if (row.columns) this.#planRow(row.columns, row.line);
      return this.#reject(row.line, [row.problem]);
    }
    const { fields, filled } = this.#planRow(row.columns, row.line);
    this.#report.addExamples(row);
    // The reason is reported once for the whole file.
    if (!this.#hasInput || this.#isWithoutInput(row.line)) return this.#reject(row.line, []);
    const unreadable = this.#passOver(row, fields);
    if (unreadable) return this.#reject(row.line, [unreadable]);
    const mapped = mapRow(row, fields, this.#cellsOf(row));
    this.#report.addDraft(mapped.draft, filled);
    if (mapped.problem) return this.#reject(row.line, [mapped.problem]);
    // A JSON row may lack the column whose value is missing.
    const inColumns = (found: SampleProblem) =>
      toRowProblem(found, [...row.columns, ...this.#plan.columns], [...fields, ...this.#plan.fields]);
    const checked = checkSample(mapped.draft);
    if ("problems" in checked) return this.#reject(row.line, checked.problems.map(inColumns));
    const unfit = this.options.findSchemaProblems(checked.sample);
    if (unfit.length > 0) return this.#reject(row.line, unfit.map(inColumns));
    return this.#keep(checked.sample, row, inColumns);
  }

  /** Call this after the last row. Throws invalid_request if the mapping names columns that the file doesn't have. */
  finish(): ValidationReport {
    if (this.rows === 0) throw invalid("the file has no rows. Upload a file with rows.");
    this.#plan.checkMapped();
    const [line] = this.#withoutInput.lines;
    if (line !== undefined && !this.#plan.fields.includes("input")) this.#reportNoInput(line);
    return this.#report.finish(this.options.format, this.#plan.columns, this.#plan.mapped);
  }

  #planRow(columns: readonly string[], line: number): RowPlan {
    const isHeader = this.#hasHeader && this.#plan.columns.length === 0;
    const plan = this.#plan.plan(columns, line);
    if (isHeader) this.#checkHeader(plan, line);
    return plan;
  }

  /** If the file has a header, a missing column is one problem of the file, not of every row. */
  #checkHeader({ fields }: RowPlan, line: number): void {
    this.#plan.checkMapped();
    this.#hasInput = fields.includes("input");
    if (!this.#hasInput) this.#reportNoInput(line);
  }

  /** Whether every JSON row so far has lacked an input. Once a row has one, the rows before it are reported. */
  #isWithoutInput(line: number): boolean {
    if (this.#hasHeader) return false;
    const { count, lines } = this.#withoutInput;
    if (!this.#plan.fields.includes("input")) {
      this.#withoutInput.count++;
      if (lines.length < MAX_ERRORS) lines.push(line);
      return true;
    }
    for (let i = 0; i < count; i++) this.#report.addProblem(lines[i] ?? 0, { column: null, message: INPUT_EMPTY });
    this.#withoutInput.count = 0;
    return false;
  }

  #reportNoInput(line: number): void {
    const columns = this.#plan.columns.map((column) => `"${column}"`).join(", ");
    const message = `no column has the input. Name one of ${columns.slice(0, MAX_LISTED_LENGTH)} input, or map one to it.`;
    this.#report.addProblem(line, { column: null, message });
  }

  /** An unreadable value rejects its row. In metadata, only the value is left out. */
  #passOver({ columns, values, line }: Row, fields: readonly (string | null)[]): RowProblem | undefined {
    for (const [i, value] of values.entries()) {
      if (!(value instanceof Unreadable)) continue;
      const { message } = value;
      const column = columns[i] ?? null;
      if (fields[i]?.startsWith("metadata") ?? true)
        this.warn({ line, column, message: `${message} The value is left out.` });
      else return { column, message };
    }
    return undefined;
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
      this.#report.counts.duplicates.exact++;
      return undefined;
    }
    if (likeness.kind === "sameKey") {
      const message = `key "${read.key}" is already used on line ${likeness.line} with different content.`;
      return this.#reject(line, [inColumns({ path: "/key", message })]);
    }
    this.#report.accept(read, likeness.kind === "near");
    return read;
  }
}
