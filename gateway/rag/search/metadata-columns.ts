import {
  type Condition,
  conditionsOf,
  isOperators,
  type Metadata,
  type MetadataFilter,
  type MetadataValue,
  matches,
} from "../../ports/metadata-filter";
import { grown } from "./slots";

/**
 * The metadata of chunks by slot: one column per field, with a number for each distinct value. A filter checks each
 * distinct value once, then looks up one number per chunk: 0.1 ms per condition at 100,000 chunks.
 */
export class MetadataColumns {
  readonly #columns = new Map<string, Column>();

  set(slot: number, metadata: Metadata): void {
    for (const [field, value] of Object.entries(metadata)) {
      if (value !== null) this.#columns.getOrInsertComputed(field, () => new Column()).set(slot, value);
    }
  }

  remove(slot: number): void {
    for (const [field, column] of this.#columns) if (column.remove(slot) === 0) this.#columns.delete(field);
  }

  /** Sets slots that don't match to 0. */
  keepMatching(filter: MetadataFilter, slots: Uint8Array): void {
    for (const [field, condition] of conditionsOf(filter)) this.#keepMatchingField(field, condition, slots);
    for (const each of filter.and ?? []) this.keepMatching(each, slots);
    if (filter.or) this.#keepMatchingAny(filter.or, slots);
  }

  #keepMatchingField(field: string, condition: Condition, slots: Uint8Array): void {
    const column = this.#columns.get(field);
    if (column) column.keepMatching(condition, slots);
    else if (!matches(condition, null)) slots.fill(0);
  }

  #keepMatchingAny(filters: MetadataFilter[], slots: Uint8Array): void {
    const any = new Uint8Array(slots.length);
    for (const filter of filters) {
      const matching = slots.slice();
      this.keepMatching(filter, matching);
      for (let slot = 0; slot < any.length; slot++) any[slot] = (any[slot] as number) | (matching[slot] as number);
    }
    slots.set(any);
  }
}

/** Values by slot. The number 0 means null. */
class Column {
  #numbers = new Uint32Array(64);
  readonly #numberOf = new Map<MetadataValue, number>();
  readonly #values: MetadataValue[] = [null];
  /** By number: how many chunks have the value. */
  readonly #uses: number[] = [0];
  readonly #unused: number[] = [];

  set(slot: number, value: MetadataValue): void {
    if (slot >= this.#numbers.length) this.#numbers = grown(this.#numbers, slot);
    const number = this.#numberOf.getOrInsertComputed(value, () => this.#add(value));
    this.#numbers[slot] = number;
    this.#uses[number] = (this.#uses[number] ?? 0) + 1;
  }

  /** Returns how many distinct values are left. */
  remove(slot: number): number {
    const number = this.#numbers[slot] ?? 0;
    if (number === 0) return this.#numberOf.size;
    this.#numbers[slot] = 0;
    const uses = (this.#uses[number] as number) - 1;
    this.#uses[number] = uses;
    if (uses === 0) {
      this.#numberOf.delete(this.#values[number] as MetadataValue);
      this.#values[number] = null;
      this.#unused.push(number);
    }
    return this.#numberOf.size;
  }

  keepMatching(condition: Condition, slots: Uint8Array): void {
    const isMatch = this.#matchingNumbers(condition);
    const numbers = this.#numbers;
    const known = Math.min(slots.length, numbers.length);
    for (let slot = 0; slot < known; slot++) {
      slots[slot] = (slots[slot] as number) & (isMatch[numbers[slot] as number] as number);
    }
    if (isMatch[0] !== 1) slots.fill(0, known);
  }

  /** By number: 1 if the value matches, else 0. */
  #matchingNumbers(condition: Condition): Uint8Array {
    const isMatch = new Uint8Array(this.#values.length);
    if (condition === null) isMatch[0] = 1;
    else if (!isOperators(condition)) isMatch[this.#numberOf.get(condition) ?? isMatch.length] = 1;
    else
      for (let number = 0; number < isMatch.length; number++) {
        isMatch[number] = matches(condition, this.#values[number] ?? null) ? 1 : 0;
      }
    return isMatch;
  }

  #add(value: MetadataValue): number {
    const number = this.#unused.pop() ?? this.#values.length;
    this.#values[number] = value;
    return number;
  }
}
