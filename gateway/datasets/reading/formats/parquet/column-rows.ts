import type { DecodedArray } from "hyparquet";
import { type ReadingLimits, rowTooLong } from "../../limits";
import type { ColumnSlices } from "./column-slices";
import { countBytes } from "./values";

/** Hands out the rows of one column, as many at a time as are wanted. */
export class ColumnRows {
  #rows: DecodedArray = [];
  #at = 0;
  /** The last row of a slice of lists, which may go on in the next one. */
  #begun: unknown[] = [];
  #isAtEnd = false;

  constructor(
    private readonly slices: ColumnSlices,
    private readonly limits: ReadingLimits,
  ) {}

  /** Rows that can be taken now; 0 at the end. */
  available(): number {
    while (this.#at === this.#rows.length && !this.#isAtEnd) this.#load();
    return this.#rows.length - this.#at;
  }

  /** `count` is at most `available()`. */
  take(count: number): unknown[] {
    const rows = Array.from<unknown>(this.#rows.slice(this.#at, this.#at + count));
    this.#at += count;
    return rows;
  }

  #load(): void {
    const rows = this.slices.next(this.#begun);
    const isList = rows !== undefined && this.slices.isNested;
    this.#rows = isList ? rows.slice(0, -1) : (rows ?? this.#begun);
    this.#begun = isList ? Array.from<unknown>(rows.slice(-1)) : [];
    this.#at = 0;
    this.#isAtEnd = rows === undefined;
    if (countBytes(this.#begun) <= this.limits.maxRowBytes) return;
    throw rowTooLong(this.limits, { column: this.slices.column });
  }
}
