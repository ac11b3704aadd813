import { type KeyedContent, toNewSample } from "../content";
import type { ValidationReport } from "../contract";
import { countCharacters } from "./characters";
import { isField, METADATA_PREFIX } from "./fields";
import type { FileFormat } from "./formats/detect-format";
import { NumberText } from "./formats/json-value";
import { Lengths } from "./lengths";
import type { Draft } from "./map-row";
import { toPreview } from "./preview";
import { type Row, type RowProblem, Unreadable, type Warning } from "./rows";

const KEPT_ERRORS = 1000;
/** Most kinds of warnings. */
const KEPT_WARNINGS = 100;
const PREVIEW_SAMPLES = 20;
/** Most example values per column, and characters per value. */
const EXAMPLES = 3;
const EXAMPLE_LENGTH = 100;
/** Examples are taken from this many rows. */
const EXAMPLE_ROWS = 200;
const TEXT_FIELDS = ["input", "references", "contexts", "output"] as const;

/** Gathers what is said about an upload, row by row, in bounded memory but for the lengths: 16 bytes a sample. */
export class ReportBuilder {
  #rows = 0;
  #accepted = 0;
  #rejected = 0;
  #exact = 0;
  #near = 0;
  #errorCount = 0;
  readonly #errors: ValidationReport["errors"] = [];
  /** By column and message. */
  readonly #warnings = new Map<string, ValidationReport["warnings"][number]>();
  readonly #examples = new Map<string, string[]>();
  readonly #preview: ValidationReport["preview"] = [];
  #drafts = 0;
  /** Of these rows those with a value, by field. */
  readonly #filled = new Map<string, number>();
  readonly #lengths = TEXT_FIELDS.map((field) => ({ field, lengths: new Lengths() }));

  get rows(): number {
    return this.#rows;
  }

  addRow(): void {
    this.#rows++;
  }

  /** Counts which of the fields have a value, in a row that could be mapped. */
  addDraft(draft: Draft, fields: readonly string[]): void {
    this.#drafts++;
    for (const field of fields) {
      this.#filled.set(field, (this.#filled.get(field) ?? 0) + (isFilled(draft, field) ? 1 : 0));
    }
  }

  reject(line: number, problems: readonly RowProblem[]): void {
    this.#rejected++;
    for (const problem of problems) this.addProblem(line, problem);
  }

  /** A problem of the file; rows it affects are counted as rejected separately. */
  addProblem(line: number, { column, message }: RowProblem): void {
    this.#errorCount++;
    if (this.#errors.length < KEPT_ERRORS) this.#errors.push({ line, column, message });
  }

  /** Counts a repeated warning. */
  warn({ line, column, message }: Warning): void {
    const kind = JSON.stringify([column, message]);
    const known = this.#warnings.get(kind);
    if (known) known.count++;
    else if (this.#warnings.size < KEPT_WARNINGS) this.#warnings.set(kind, { line, column, message, count: 1 });
  }

  /** Keeps the first values of each column. */
  addExamples({ columns, values }: Row): void {
    if (this.#rows > EXAMPLE_ROWS) return;
    for (const [i, column] of columns.entries()) {
      const kept = this.#examples.get(column) ?? [];
      if (kept.length >= EXAMPLES) continue;
      const text = exampleOf(values[i]);
      if (text === "" || kept.includes(text)) continue;
      kept.push(text);
      this.#examples.set(column, kept);
    }
  }

  addExactDuplicate(): void {
    this.#exact++;
  }

  accept(sample: KeyedContent, isNear: boolean): void {
    this.#accepted++;
    if (isNear) this.#near++;
    for (const { field, lengths } of this.#lengths) {
      const length = countCharacters(sample[field]);
      if (length > 0) lengths.add(length);
    }
    if (this.#preview.length < PREVIEW_SAMPLES) this.#preview.push(toPreview(toNewSample(sample)));
  }

  finish(format: FileFormat, columns: string[], mapping: Record<string, string>): ValidationReport {
    const empty = [...this.#filled].map(([field, filled]) => [field, this.#drafts - filled] as const);
    const lengths = this.#lengths.map(({ field, lengths }) => [field, lengths.summary()] as const);
    return {
      format,
      rows: this.#rows,
      accepted: this.#accepted,
      rejected: this.#rejected,
      columns,
      mapping,
      error_count: this.#errorCount,
      errors: this.#errors,
      warnings: [...this.#warnings.values()],
      examples: Object.fromEntries(columns.map((column) => [column, this.#examples.get(column) ?? []])),
      duplicates: { exact: this.#exact, near: this.#near },
      empty: Object.fromEntries(empty),
      lengths: Object.fromEntries(lengths.flatMap(([field, summary]) => (summary ? [[field, summary]] : []))),
      preview: this.#preview,
    };
  }
}

/** A value as display text, truncated. */
const exampleOf = (value: unknown): string => {
  if (value === null || value === undefined || value instanceof Unreadable) return "";
  const isPlain = typeof value !== "object" || value instanceof NumberText;
  const text = (isPlain ? String(value) : JSON.stringify(value)).trim().toWellFormed();
  return text.length > EXAMPLE_LENGTH ? `${text.slice(0, EXAMPLE_LENGTH).toWellFormed()}…` : text;
};

const isFilled = (draft: Draft, field: string): boolean => {
  if (isField(field)) return hasValue(draft[field]);
  const { metadata } = draft;
  const name = field.slice(METADATA_PREFIX.length);
  const isThere = typeof metadata === "object" && metadata !== null && Object.hasOwn(metadata, name);
  return isThere && hasValue(Reflect.get(metadata, name));
};

const hasValue = (value: unknown): boolean => {
  if (typeof value === "string") return value.trim() !== "";
  return typeof value === "object" && value !== null
    ? Object.keys(value).length > 0
    : value !== undefined && value !== null;
};
