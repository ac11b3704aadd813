import { type KeyedContent, toNewSample } from "../../content";
import type { ValidationReport } from "../../contract";
import type { NewSample } from "../../sample-contract";
import type { Draft } from "../columns/cells";
import { isField, METADATA_PREFIX } from "../columns/fields";
import type { FileFormat } from "../formats/detect-format";
import { NumberText } from "../formats/json-value";
import { type Row, type RowProblem, Unreadable, type Warning } from "../rows";

export const MAX_ERRORS = 1000;
const MAX_WARNINGS = 100;
/** Maximum number of preview samples, characters per string, and items per list. */
const MAX_PREVIEW_SAMPLES = 20;
const MAX_PREVIEW_CHARACTERS = 500;
const MAX_PREVIEW_ITEMS = 10;
/** Maximum number of example values per column, and characters per value. */
const MAX_EXAMPLES = 3;
const MAX_EXAMPLE_LENGTH = 100;
/** Number of rows that examples are taken from. */
const MAX_EXAMPLE_ROWS = 200;
const TEXT_FIELDS = ["input", "references", "contexts", "output"] as const;

/** Collects an upload's report, row by row. Its memory is bounded, except for 32 bytes per sample for the lengths. */
export class ReportBuilder {
  readonly counts = { rows: 0, accepted: 0, rejected: 0, error_count: 0, duplicates: { exact: 0, near: 0 } };
  readonly #errors: ValidationReport["errors"] = [];
  readonly #warnings = new Map<string, ValidationReport["warnings"][number]>();
  readonly #examples = new Map<string, string[]>();
  readonly #preview: ValidationReport["preview"] = [];
  #drafts = 0;
  /** How many of the drafts have a value, by field. */
  readonly #filled = new Map<string, number>();
  readonly #lengths = TEXT_FIELDS.map((field) => ({ field, lengths: new Lengths() }));

  /** Counts the fields of a mapped row that have a value. */
  addDraft(draft: Draft, fields: readonly string[]): void {
    this.#drafts++;
    for (const field of fields) {
      this.#filled.set(field, (this.#filled.get(field) ?? 0) + (isFilled(draft, field) ? 1 : 0));
    }
  }

  reject(line: number, problems: readonly RowProblem[]): void {
    this.counts.rejected++;
    for (const problem of problems) this.addProblem(line, problem);
  }

  /** A problem of the whole file. The rows it affects are counted as rejected separately. */
  addProblem(line: number, { column, message }: RowProblem): void {
    this.counts.error_count++;
    if (this.#errors.length < MAX_ERRORS) this.#errors.push({ line, column, message });
  }

  warn({ line, column, message }: Warning): void {
    const kind = JSON.stringify([column, message]);
    const known = this.#warnings.get(kind);
    if (known) known.count++;
    else if (this.#warnings.size < MAX_WARNINGS) this.#warnings.set(kind, { line, column, message, count: 1 });
  }

  addExamples({ columns, values }: Row): void {
    if (this.counts.rows > MAX_EXAMPLE_ROWS) return;
    for (const [i, column] of columns.entries()) {
      const kept = this.#examples.get(column) ?? [];
      if (kept.length >= MAX_EXAMPLES) continue;
      const text = exampleOf(values[i]);
      if (text === "" || kept.includes(text)) continue;
      kept.push(text);
      this.#examples.set(column, kept);
    }
  }

  accept(sample: KeyedContent, isNear: boolean): void {
    this.counts.accepted++;
    if (isNear) this.counts.duplicates.near++;
    for (const { field, lengths } of this.#lengths) {
      const length = countCharacters(sample[field]);
      if (length > 0) lengths.add(length);
    }
    if (this.#preview.length < MAX_PREVIEW_SAMPLES) this.#preview.push(toPreview(toNewSample(sample)));
  }

  finish(format: FileFormat, columns: string[], mapping: Record<string, string>): ValidationReport {
    const empty = [...this.#filled].map(([field, filled]) => [field, this.#drafts - filled] as const);
    const lengths = this.#lengths.map(({ field, lengths }) => [field, lengths.summary()] as const);
    return {
      format,
      ...this.counts,
      columns,
      mapping,
      errors: this.#errors,
      warnings: [...this.#warnings.values()],
      examples: Object.fromEntries(columns.map((column) => [column, this.#examples.get(column) ?? []])),
      empty: Object.fromEntries(empty),
      lengths: Object.fromEntries(lengths.flatMap(([field, summary]) => (summary ? [[field, summary]] : []))),
      preview: this.#preview,
    };
  }
}

const exampleOf = (value: unknown): string => {
  if (value === null || value === undefined || value instanceof Unreadable) return "";
  const isPlain = typeof value !== "object" || value instanceof NumberText;
  const text = (isPlain ? String(value) : JSON.stringify(value)).trim().toWellFormed();
  return text.length > MAX_EXAMPLE_LENGTH ? `${text.slice(0, MAX_EXAMPLE_LENGTH).toWellFormed()}…` : text;
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

/** A sample for display: strings are truncated to 500 characters, lists to 10 items. */
const toPreview = (sample: NewSample): NewSample => shorten(sample) as NewSample;

const shorten = (value: unknown): unknown => {
  if (typeof value === "string") return value.length > MAX_PREVIEW_CHARACTERS ? `${cut(value)}…` : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, MAX_PREVIEW_ITEMS).map(shorten);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner)]));
};

const cut = (text: string): string => text.slice(0, MAX_PREVIEW_CHARACTERS).replace(/[\ud800-\udbff]$/, "");

export class Lengths {
  readonly #values: number[] = [];

  add(length: number): void {
    this.#values.push(length);
  }

  /**
   * Exact percentiles by nearest rank: at least 95 % of the lengths are at most p95. Undefined if there are no lengths.
   */
  summary(): { min: number; p50: number; p95: number; max: number } | undefined {
    if (this.#values.length === 0) return undefined;
    const sorted = Uint32Array.from(this.#values).sort();
    const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) };
  }
}

/** The number of characters in a value's strings, in UTF-16 code units. Of chat messages, only the content counts. */
export const countCharacters = (value: unknown): number => {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countCharacters(item), 0);
  if ("content" in value) return countCharacters(value.content);
  return "text" in value ? countCharacters(value.text) : 0;
};
