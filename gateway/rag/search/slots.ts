import { AppError } from "../../../lib/errors";

/** Maximum chunks per index, because a posting has 24 bits for the slot. */
const MAX_SLOTS = 2 ** 24;

/**
 * Positions of chunks in the arrays of an index. Call `reuse` when no array refers to removed chunks any more; then their
 * slots can be reused.
 */
export class Slots {
  #alive = new Uint8Array(64);
  #end = 0;
  #removed: number[] = [];
  #unused: number[] = [];
  /** Increases with every removal. */
  removals = 0;

  /** 1 for slots with a chunk, else 0. Valid until the next change. */
  get alive(): Uint8Array {
    return this.#alive.subarray(0, this.#end);
  }

  /** Number of slots with a chunk. */
  get count(): number {
    return this.#end - this.#removed.length - this.#unused.length;
  }

  get removedCount(): number {
    return this.#removed.length;
  }

  /** Throws storage_full if the index has 2^24 chunks. */
  take(): number {
    const slot = this.#unused.pop() ?? this.#append();
    this.#alive[slot] = 1;
    return slot;
  }

  remove(slot: number): void {
    this.#alive[slot] = 0;
    this.#removed.push(slot);
    this.removals++;
  }

  reuse(): void {
    this.#unused = this.#unused.concat(this.#removed);
    this.#removed = [];
  }

  #append(): number {
    if (this.#end === MAX_SLOTS) {
      throw new AppError("storage_full", `An index has at most ${MAX_SLOTS} chunks. Split it into several indexes.`);
    }
    if (this.#end === this.#alive.length) this.#alive = grown(this.#alive, this.#end);
    return this.#end++;
  }
}

type Numbers = Uint8Array | Uint32Array | Float32Array;

/** A copy with room for `index` and half as much again. */
export const grown = <T extends Numbers>(numbers: T, index: number): T => {
  const copy = new (numbers.constructor as new (length: number) => T)(Math.ceil((index + 1) * 1.5));
  copy.set(numbers);
  return copy;
};
