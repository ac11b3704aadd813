/** What is wrong in one row; the others can still be read. `column` is a name of the file, null for the row itself. */
export interface RowProblem {
  column: string | null;
  message: string;
}

/** A row as it stands in the file: values beside the names of their columns, nothing understood yet. */
export interface Row {
  /** Where it begins, from 1. */
  line: number;
  columns: readonly string[];
  /** JSON values in the order of `columns`; from CSV they are all text. */
  values: readonly unknown[];
}

/** A row that can't be read, and why. */
export interface BrokenRow {
  line: number;
  /** Where the file has said them before. */
  columns?: readonly string[];
  problem: RowProblem;
}

export type RawRow = Row | BrokenRow;
