import { type ColumnMapping, checkMappedColumns, checkMapping, doubleUse, fieldProblem } from "./column-mapping";
import { LIST_FIELDS, MAX_METADATA_NAMES, METADATA_PREFIX } from "./fields";
import { guessFields } from "./guess-fields";
import type { ReadingLimits } from "./limits";
import { nameProblem } from "./names";
import { formatCount, tooLarge } from "./problems";
import type { RowProblem } from "./rows";

/** What becomes of the columns of a row. */
export interface RowPlan {
  /** The field of each column, null where the column is left out. */
  fields: readonly (string | null)[];
  /** The same, each field once. */
  filled: readonly string[];
  /** Why no row with these columns can be a sample. */
  problem?: RowProblem;
}

/** Decides once for each column of a file which field it fills. */
export class ColumnPlan {
  /** By column, in the order in which the columns came. */
  readonly #fields = new Map<string, string | null>();
  /** Plan of the last row: most rows have the columns of the row before. */
  #last: { columns: readonly string[]; plan: RowPlan } | undefined;

  /** Throws like `checkMapping`. */
  constructor(
    private readonly mapping: ColumnMapping,
    private readonly limits: ReadingLimits,
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

  /** Field by column, without the columns that are left out. */
  get mapped(): Record<string, string> {
    const pairs = [...this.#fields].flatMap(([column, field]) => (field === null ? [] : [[column, field]]));
    return Object.fromEntries(pairs);
  }

  /** Throws payload_too_large when the file has too many different columns. */
  plan(columns: readonly string[], line: number): RowPlan {
    if (this.#last && isSame(this.#last.columns, columns)) return this.#last.plan;
    this.#add(columns);
    if (this.#fields.size > this.limits.maxColumns) {
      const message = `here the file has more than ${formatCount(this.limits.maxColumns)} different columns.`;
      throw tooLarge(`${message} Leave some out, or raise GROUNDWIRE_MAX_DATASET_COLUMNS.`, { line });
    }
    const fields = columns.map((column) => this.#fields.get(column) ?? null);
    const filled = [...new Set(fields)].filter((field) => field !== null);
    const plan = { fields, filled, problem: problemOf(columns, fields) };
    this.#last = { columns, plan };
    return plan;
  }

  /** To be called when all columns have come. Throws invalid_request when the mapping names others. */
  checkMapped(): void {
    checkMappedColumns(this.mapping, this.columns);
  }

  #add(columns: readonly string[]): void {
    const isNew = (column: string) => !this.#fields.has(column) && nameProblem(column) === undefined;
    const fresh = columns.filter(isNew);
    const unnamed = fresh.filter((column) => !Object.hasOwn(this.mapping, column));
    const taken = new Set([...this.#fields.values(), ...Object.values(this.mapping)].filter((field) => field !== null));
    const guessed = guessFields(unnamed, taken);
    for (const column of fresh) this.#fields.set(column, guessed.get(column) ?? this.mapping[column] ?? null);
  }
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((name, i) => name === b[i]));

const problemOf = (columns: readonly string[], fields: readonly (string | null)[]): RowProblem | undefined => {
  const filled = new Map<string, string>();
  for (const [i, column] of columns.entries()) {
    const field = fields[i] ?? null;
    const other = field === null ? undefined : filled.get(field);
    const isDouble = field !== null && other !== undefined && !LIST_FIELDS.has(field);
    const message =
      nameProblem(column) ??
      (field === null ? undefined : fieldProblem(field)) ??
      (isDouble ? doubleUse(field, other, column) : undefined);
    if (message) return { column, message };
    if (field !== null) filled.set(field, column);
  }
  const metadata = [...filled.keys()].filter((field) => field.startsWith(METADATA_PREFIX)).length;
  if (metadata <= MAX_METADATA_NAMES) return undefined;
  const message = `${metadata} columns go to metadata, which holds ${MAX_METADATA_NAMES}: map those that you don't need to null.`;
  return { column: null, message };
};
