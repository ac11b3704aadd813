const FIRST_ROOM = 1024;

/** Collects lengths, four bytes each, and says how they are spread. */
export class Lengths {
  #values = new Uint32Array(FIRST_ROOM);
  #count = 0;

  add(length: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Uint32Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = length;
  }

  /** Exact, by nearest rank: p95 is the smallest length that at least 95% of all do not exceed. Undefined without any. */
  summary(): { min: number; p50: number; p95: number; max: number } | undefined {
    if (this.#count === 0) return undefined;
    const sorted = this.#values.slice(0, this.#count).sort();
    const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) };
  }
}
