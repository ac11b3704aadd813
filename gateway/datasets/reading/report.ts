import { type KeyedContent, toNewSample } from "../content";
import type { ValidationReport } from "../contract";
import { countCharacters } from "./characters";
import type { FileFormat } from "./detect-format";
import { isField, METADATA_PREFIX } from "./fields";
import { Lengths } from "./lengths";
import type { Draft } from "./map-row";
import { toPreview } from "./preview";
import type { RowProblem } from "./rows";

const KEPT_ERRORS = 1000;
const PREVIEW_SAMPLES = 20;
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
    this.#errorCount += problems.length;
    const room = KEPT_ERRORS - this.#errors.length;
    this.#errors.push(...problems.slice(0, room).map((problem) => ({ line, ...problem })));
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
      duplicates: { exact: this.#exact, near: this.#near },
      empty: Object.fromEntries(empty),
      lengths: Object.fromEntries(lengths.flatMap(([field, summary]) => (summary ? [[field, summary]] : []))),
      preview: this.#preview,
    };
  }
}

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
