import { AppError } from "../../../../lib/errors";
import { nearest } from "../../../../lib/nearest";
import { nameProblem } from "../formats/header";
import { FORBIDDEN_NAMES, formatCount, type ReadingLimits, tooLarge } from "../limits";
import type { Warn } from "../rows";
import {
  FIELDS,
  guessFields,
  LIST_FIELDS,
  MAX_METADATA_NAME_LENGTH,
  MAX_METADATA_NAMES,
  METADATA_PREFIX,
} from "./fields";

/** Column in the file → sample field; null skips the column. Columns that are not in the mapping are guessed. */
export type ColumnMapping = Readonly<Record<string, string | null>>;

const MAX_LISTED_COLUMNS = 20;

/** Throws invalid_request for an unknown field, and for two columns that map to the same single-value field. */
export const checkMapping = (mapping: ColumnMapping): void => {
  const filled = new Map<string, string>();
  for (const [column, field] of Object.entries(mapping)) {
    if (field === null) continue;
    const problem = fieldProblem(field);
    if (problem) throw refuse(problem);
    const other = filled.get(field);
    if (other !== undefined && !LIST_FIELDS.has(field)) {
      const both = quoted([other, column]);
      throw refuse(
        `${field} takes one value, but the columns ${both} both map to it. Map one of them to another field or to null.`,
      );
    }
    filled.set(field, column);
  }
};

const fieldProblem = (field: string): string | undefined => {
  if (!field.startsWith(METADATA_PREFIX)) {
    if (FIELDS.some((known) => known === field)) return undefined;
    const near = nearest(field, FIELDS);
    const hint = near ? `Did you mean ${near}?` : `Fields: ${FIELDS.join(", ")} and metadata.<name>.`;
    return `"${field}" is not a sample field. ${hint}`;
  }
  const name = field.slice(METADATA_PREFIX.length);
  if (name === "" || FORBIDDEN_NAMES.has(name)) return `"${name}" is not allowed as a metadata name. Choose another.`;
  if (name.length <= MAX_METADATA_NAME_LENGTH) return undefined;
  return `a metadata name is limited to ${MAX_METADATA_NAME_LENGTH} characters: map the column to a shorter one, or to null.`;
};

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(" and ");

const refuse = (message: string): AppError =>
  new AppError("invalid_request", `mapping: ${message}`, { param: "mapping" });

export interface RowPlan {
  /** The field of each column; null if the column is skipped. */
  fields: readonly (string | null)[];
  filled: readonly string[];
}

/** Decides once per column of a file which field it fills. */
export class ColumnPlan {
  readonly #fields = new Map<string, string | null>();
  /** The previous row's plan, because most rows have the same columns. */
  #last: { columns: readonly string[]; plan: RowPlan } | undefined;

  constructor(
    private readonly mapping: ColumnMapping,
    private readonly limits: ReadingLimits,
    private readonly warn: Warn,
  ) {
    checkMapping(mapping);
  }

  get columns(): string[] {
    return [...this.#fields.keys()];
  }

  /** In the order of `columns`. */
  get fields(): (string | null)[] {
    return [...this.#fields.values()];
  }

  /** Column → field, without the skipped columns. */
  get mapped(): Record<string, string> {
    const pairs = [...this.#fields].flatMap(([column, field]) => (field === null ? [] : [[column, field]]));
    return Object.fromEntries(pairs);
  }

  /** Throws payload_too_large if the file has too many distinct columns. */
  plan(columns: readonly string[], line: number): RowPlan {
    if (this.#last && isSame(this.#last.columns, columns)) return this.#last.plan;
    this.#add(columns, line);
    if (this.#fields.size > this.limits.maxColumns) {
      const message = `the file has more than ${formatCount(this.limits.maxColumns)} distinct columns by this line.`;
      throw tooLarge(`${message} Leave some out, or raise GROUNDWIRE_MAX_DATASET_COLUMNS.`, { line });
    }
    const fields = this.#withinMetadata(columns, line);
    const plan = { fields, filled: [...new Set(fields)].filter((field) => field !== null) };
    this.#last = { columns, plan };
    return plan;
  }

  /** Call this after all rows. Throws invalid_request if the mapping names a column that the file doesn't have. */
  checkMapped(): void {
    const unknown = Object.keys(this.mapping).filter((column) => !this.#fields.has(column));
    if (unknown.length === 0) return;
    const { columns } = this;
    const shown = columns.slice(0, MAX_LISTED_COLUMNS).join(", ");
    const more = columns.length > MAX_LISTED_COLUMNS ? ` and ${columns.length - MAX_LISTED_COLUMNS} more` : "";
    throw refuse(`the file has no column ${quoted(unknown.slice(0, MAX_LISTED_COLUMNS))}. It has ${shown}${more}.`);
  }

  #add(columns: readonly string[], line: number): void {
    const fresh = columns.filter((column) => !this.#fields.has(column));
    const unnamed = fresh.filter((column) => !Object.hasOwn(this.mapping, column));
    const taken = new Set([...this.#fields.values(), ...Object.values(this.mapping)].filter((field) => field !== null));
    const guessed = guessFields(unnamed, taken);
    for (const column of fresh) {
      const field = guessed.get(column);
      const problem = nameProblem(column) ?? (field === undefined ? undefined : this.#problemOf(field));
      if (problem) {
        const message = `${problem} The column is left out: rename it to keep it.`;
        this.warn({ line, column: column.toWellFormed(), message });
      }
      this.#fields.set(column, problem ? null : (field ?? this.mapping[column] ?? null));
    }
  }

  #problemOf(field: string): string | undefined {
    const other = LIST_FIELDS.has(field) ? undefined : [...this.#fields].find(([, filled]) => filled === field);
    return other ? `the column "${other[0]}" already fills ${field}.` : fieldProblem(field);
  }

  #withinMetadata(columns: readonly string[], line: number): (string | null)[] {
    let room = MAX_METADATA_NAMES;
    return columns.map((column) => {
      const field = this.#fields.get(column) ?? null;
      if (!field?.startsWith(METADATA_PREFIX) || room-- > 0) return field;
      const message = `metadata is limited to ${MAX_METADATA_NAMES} values, so this column is left out. Map columns that you don't need to null.`;
      this.warn({ line, column, message });
      return null;
    });
  }
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((name, i) => name === b[i]));
