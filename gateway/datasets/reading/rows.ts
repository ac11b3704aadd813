/**
 * What is wrong with one row; the others can still be read. `column` is a name in the file, null for the row itself.
 */
export interface RowProblem {
  column: string | null;
  message: string;
}

/** Something that was skipped or reinterpreted without rejecting a row. `line` is null if the warning has no line. */
export interface Warning {
  line: number | null;
  column: string | null;
  message: string;
}

export type Warn = (warning: Warning) => void;

/** A value that can't be read, and why. It rejects its row; in metadata, only the value is left out. */
export class Unreadable {
  constructor(readonly message: string) {}
}

/** A row as it is in the file: values by column name, not interpreted yet. */
export interface Row {
  /** The line it starts on, from 1. */
  line: number;
  columns: readonly string[];
  /**
   * JSON values in the order of `columns`, or `Unreadable`. A number may be a `NumberText`; CSV values are all text.
   */
  values: readonly unknown[];
}

/** A row that can't be read, and why. */
export interface BrokenRow {
  line: number;
  /** The column names, if they are known. */
  columns?: readonly string[];
  problem: RowProblem;
}

export type RawRow = Row | BrokenRow;
