/** A slot is the position of a chunk in the arrays of its index. */
export interface ScoredSlot {
  slot: number;
  score: number;
}

/** Keeps the `size` best slots in a heap whose root is the worst of them. For equal scores, lower slots win. */
export class Best {
  readonly #slots: Uint32Array;
  readonly #scores: Float64Array;
  #count = 0;
  /** Only higher scores are added. */
  worst = Number.NEGATIVE_INFINITY;

  constructor(private readonly size: number) {
    this.#slots = new Uint32Array(size);
    this.#scores = new Float64Array(size);
  }

  /** Call it in slot order: then an equal score comes from a higher slot and loses. */
  offer(slot: number, score: number): void {
    if (score <= this.worst) return;
    if (this.#count < this.size) this.#rise(this.#count++, slot, score);
    else this.#sink(slot, score);
    if (this.#count === this.size) this.worst = this.#scores[0] as number;
  }

  /** In no particular order. */
  slots(): Uint32Array {
    return this.#slots.slice(0, this.#count);
  }

  /** Best first. */
  sorted(): ScoredSlot[] {
    const all = Array.from({ length: this.#count }, (_, at) => ({
      slot: this.#slots[at] as number,
      score: this.#scores[at] as number,
    }));
    return all.sort((a, b) => b.score - a.score || a.slot - b.slot);
  }

  #isWorse(at: number, slot: number, score: number): boolean {
    const other = this.#scores[at] as number;
    return other < score || (other === score && (this.#slots[at] as number) > slot);
  }

  #put(at: number, slot: number, score: number): void {
    this.#slots[at] = slot;
    this.#scores[at] = score;
  }

  #rise(from: number, slot: number, score: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#isWorse(parent, slot, score)) break;
      this.#put(at, this.#slots[parent] as number, this.#scores[parent] as number);
      at = parent;
    }
    this.#put(at, slot, score);
  }

  /** Replaces the root. */
  #sink(slot: number, score: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      const right = child + 1;
      if (right < this.#count && this.#isWorse(right, this.#slots[child] as number, this.#scores[child] as number)) {
        child = right;
      }
      if (!this.#isWorse(child, slot, score)) break;
      this.#put(at, this.#slots[child] as number, this.#scores[child] as number);
      at = child;
    }
    this.#put(at, slot, score);
  }
}
