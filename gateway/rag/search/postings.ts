import { GrowableMemory } from "./growable-memory";
import { grown } from "./slots";

/* A posting is one 32-bit number: the slot of a chunk in the upper 24 bits, the count of the term in the lower 8. */
const MAX_COUNT = 255;
const SMALLEST = 2;

/**
 * Posting lists by term, in one memory. A full list moves to a block of twice the size, and other lists reuse its old
 * block.
 */
export class Postings {
  readonly #memory = new GrowableMemory();
  #numbers = new Uint32Array(this.#memory.buffer);
  #end = 0;
  /** Offsets of unused blocks, by size. */
  readonly #unused = new Map<number, number[]>();
  /* By term. Objects would take 20 MB more for 300,000 terms. */
  #offsets = new Uint32Array(64);
  #lengths = new Uint32Array(64);
  #capacities = new Uint32Array(64);
  #terms = 0;
  readonly #dropped: number[] = [];

  /** Creates an empty list and returns its number. */
  create(): number {
    const term = this.#dropped.pop() ?? this.#terms++;
    if (term >= this.#offsets.length) {
      this.#offsets = grown(this.#offsets, term);
      this.#lengths = grown(this.#lengths, term);
      this.#capacities = grown(this.#capacities, term);
    }
    return term;
  }

  /** Frees an empty list. Its number can be reused. */
  drop(term: number): void {
    this.#dropped.push(term);
  }

  /** A view that is valid until the next change. */
  list(term: number): Uint32Array {
    const offset = this.#offsets[term] as number;
    return this.#numbers.subarray(offset, offset + this.lengthOf(term));
  }

  lengthOf(term: number): number {
    return this.#lengths[term] as number;
  }

  add(term: number, slot: number, count: number): void {
    const length = this.lengthOf(term);
    if (length === this.#capacities[term]) this.#grow(term);
    this.#numbers[(this.#offsets[term] as number) + length] = slot * 256 + Math.min(count, MAX_COUNT);
    this.#lengths[term] = length + 1;
  }

  /** Keeps the postings of slots with `alive[slot] === 1`. */
  purge(term: number, alive: Uint8Array): void {
    const offset = this.#offsets[term] as number;
    const end = offset + this.lengthOf(term);
    let kept = offset;
    for (let at = offset; at < end; at++) {
      const posting = this.#numbers[at] as number;
      if (alive[posting >>> 8] === 1) this.#numbers[kept++] = posting;
    }
    this.#lengths[term] = kept - offset;
    if (kept === offset) this.#release(term);
  }

  #grow(term: number): void {
    const offset = this.#offsets[term] as number;
    const capacity = Math.max(SMALLEST, (this.#capacities[term] as number) * 2);
    const moved = this.#take(capacity) ?? this.#append(capacity);
    this.#numbers.copyWithin(moved, offset, offset + this.lengthOf(term));
    this.#release(term);
    this.#offsets[term] = moved;
    this.#capacities[term] = capacity;
  }

  /** An unused block of this size, or half of a larger one. */
  #take(capacity: number): number | undefined {
    const block = this.#unused.get(capacity)?.pop();
    if (block !== undefined || capacity >= this.#end) return block;
    const larger = this.#take(capacity * 2);
    if (larger !== undefined) this.#giveBack(larger + capacity, capacity);
    return larger;
  }

  #giveBack(offset: number, capacity: number): void {
    this.#unused.getOrInsertComputed(capacity, () => []).push(offset);
  }

  #append(capacity: number): number {
    const offset = this.#end;
    this.#end += capacity;
    if (this.#memory.reserve(this.#end * 4)) this.#numbers = new Uint32Array(this.#memory.buffer);
    return offset;
  }

  /** Frees the list's block. The length stays. */
  #release(term: number): void {
    const capacity = this.#capacities[term] as number;
    if (capacity > 0) this.#giveBack(this.#offsets[term] as number, capacity);
    this.#capacities[term] = 0;
  }
}
