import { GrowableMemory } from "./growable-memory";

/* A posting is one 32-bit number: the slot of a chunk in the upper 24 bits, the count of the term in the lower 8. */
export const MAX_SLOTS = 2 ** 24;
const MAX_COUNT = 255;
const SMALLEST = 2;

/**
 * Lists of postings by term, in one memory. A full list moves to a block of twice the size, and the next list that needs
 * its old size gets its old block.
 */
export class Postings {
  readonly #memory = new GrowableMemory();
  #numbers = new Uint32Array(this.#memory.buffer);
  #end = 0;
  /** Offsets of unused blocks by their size. */
  readonly #unused = new Map<number, number[]>();
  readonly #lists: List[] = [];
  readonly #dropped: number[] = [];

  /** The number of an empty list. */
  create(): number {
    return this.#dropped.pop() ?? this.#lists.push({ offset: 0, length: 0, capacity: 0 }) - 1;
  }

  /** An empty list's number is reused. */
  drop(term: number): void {
    this.#dropped.push(term);
  }

  /** A view that is valid until the next change. */
  list(term: number): Uint32Array {
    const { offset, length } = this.#listOf(term);
    return this.#numbers.subarray(offset, offset + length);
  }

  lengthOf(term: number): number {
    return this.#listOf(term).length;
  }

  add(term: number, slot: number, count: number): void {
    const list = this.#listOf(term);
    if (list.length === list.capacity) this.#grow(list);
    this.#numbers[list.offset + list.length++] = slot * 256 + Math.min(count, MAX_COUNT);
  }

  /** Keeps the postings of slots with `alive[slot] === 1`. */
  purge(term: number, alive: Uint8Array): void {
    const list = this.#listOf(term);
    const { offset, length } = list;
    let kept = offset;
    for (let at = offset; at < offset + length; at++) {
      const posting = this.#numbers[at] as number;
      if (alive[posting >>> 8] === 1) this.#numbers[kept++] = posting;
    }
    list.length = kept - offset;
    if (list.length === 0) this.#release(list);
  }

  #listOf(term: number): List {
    return this.#lists[term] as List;
  }

  #grow(list: List): void {
    const { offset, length } = list;
    const capacity = Math.max(SMALLEST, list.capacity * 2);
    const moved = this.#unused.get(capacity)?.pop() ?? this.#append(capacity);
    this.#numbers.copyWithin(moved, offset, offset + length);
    this.#release(list);
    Object.assign(list, { offset: moved, length, capacity });
  }

  #append(capacity: number): number {
    const offset = this.#end;
    this.#end += capacity;
    if (this.#memory.reserve(this.#end * 4)) this.#numbers = new Uint32Array(this.#memory.buffer);
    return offset;
  }

  #release(list: List): void {
    if (list.capacity > 0) this.#unused.getOrInsertComputed(list.capacity, () => []).push(list.offset);
    Object.assign(list, { offset: 0, length: 0, capacity: 0 });
  }
}

interface List {
  offset: number;
  length: number;
  capacity: number;
}
