/** The ratio of a bucket's upper bound to its lower bound. */
const GROWTH = 1.1;
const LOG_GROWTH = Math.log(GROWTH);
const MIN_VALUE = 0.01;
/** 10^8 ms, more than a day. Larger values count as this one. */
const LAST_BUCKET = Math.ceil(Math.log(1e8 / MIN_VALUE) / LOG_GROWTH);
const CHUNK = 16;

const bucketOf = (value: number): number =>
  value > MIN_VALUE ? Math.min(LAST_BUCKET, Math.ceil(Math.log(value / MIN_VALUE) / LOG_GROWTH)) : 0;

/** The value with the same relative distance to both bounds of the bucket: 2ab / (a + b), where b is the upper bound. */
const middleOf = (bucket: number): number => {
  if (bucket === 0) return 0;
  const upper = MIN_VALUE * GROWTH ** bucket;
  return (2 * upper) / (1 + GROWTH);
};

/**
 * Counts values in buckets whose bounds have a constant ratio (the idea of DDSketch, Masson et al., VLDB 2019). A
 * quantile is at most (1.1 − 1) / (1.1 + 1) = 4.8 % off, or 0.01 for smaller values. Takes at most 1 KB, and less if
 * the values are close together. Adding two histograms is exact.
 */
export class LogHistogram {
  count = 0;
  #counts = new Uint32Array(0);
  #first = 0;

  record(value: number): void {
    this.#add(bucketOf(value), 1);
  }

  merge(other: LogHistogram): void {
    for (let i = 0; i < other.#counts.length; i++) {
      const count = other.#counts[i] ?? 0;
      if (count > 0) this.#add(other.#first + i, count);
    }
  }

  /** The ⌈q·n⌉-th smallest value (nearest rank), 0 < q ≤ 1; undefined without values. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined;
    let left = Math.max(1, Math.ceil(q * this.count));
    for (let i = 0; i < this.#counts.length; i++) {
      left -= this.#counts[i] ?? 0;
      if (left <= 0) return middleOf(this.#first + i);
    }
    return undefined;
  }

  /** The first bucket that is not empty, then the counts up to the last one that is not; [] without values. */
  toStored(): number[] {
    const counts = [...this.#counts];
    const first = counts.findIndex((count) => count > 0);
    const last = counts.findLastIndex((count) => count > 0);
    return first === -1 ? [] : [this.#first + first, ...counts.slice(first, last + 1)];
  }

  /** Adds what `toStored` returned. Stored counts depend on the bounds of the buckets, so these must never change. */
  addStored(stored: readonly number[]): void {
    const first = (stored[0] ?? 0) - 1;
    for (let i = 1; i < stored.length; i++) {
      const count = stored[i] ?? 0;
      if (count > 0) this.#add(first + i, count);
    }
  }

  #add(bucket: number, count: number): void {
    if (bucket < this.#first || bucket >= this.#first + this.#counts.length) this.#makeRoom(bucket);
    const i = bucket - this.#first;
    this.#counts[i] = (this.#counts[i] ?? 0) + count;
    this.count += count;
  }

  #makeRoom(bucket: number): void {
    const isEmpty = this.#counts.length === 0;
    const first = Math.min(isEmpty ? bucket : this.#first, Math.floor(bucket / CHUNK) * CHUNK);
    const end = Math.max(isEmpty ? bucket : this.#first + this.#counts.length, first + CHUNK, bucket + 1);
    const grown = new Uint32Array(end - first);
    grown.set(this.#counts, isEmpty ? 0 : this.#first - first);
    this.#counts = grown;
    this.#first = first;
  }
}
