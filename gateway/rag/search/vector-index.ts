import { AppError } from "../../../lib/errors";
import { Best, type ScoredSlot } from "./best";
import { dotProductsOn } from "./dot-products";
import { GrowableMemory } from "./growable-memory";
import { grown } from "./slots";

/** Maximum chunks that are all compared exactly, which takes about as long as comparing 40,000 as 8-bit integers. */
const EXACT_ROWS = 10_000;
/** Rows per call into WebAssembly. */
const BATCH_ROWS = 4096;
/** Number of chunks to rescore exactly for k results, because the order by 8-bit integers is off by a few ranks. */
const rescoredFor = (k: number): number => 2 * k + 100;

/* Layout of both memories: the query, then the results of a batch, then the rows. */
const MAX_DIMENSION = 4096;
const OUT = MAX_DIMENSION * 4;
const ROWS = OUT + BATCH_ROWS * 4;

/** Maximum of a query's integers, so that a sum of MAX_DIMENSION products with bytes fits into 32 bits. */
const QUERY_MAX = 4095;

/**
 * Cosine search over L2-normalised vectors by slot. All rows are compared as 8-bit integers, then the best ones in single
 * precision, so scores are exact. `docs/decisions/0013-search-in-memory.md` compares the alternatives.
 */
export class VectorIndex {
  readonly #exact = new GrowableMemory();
  readonly #bytes = new GrowableMemory();
  readonly #exactKernel = dotProductsOn(this.#exact);
  readonly #bytesKernel = dotProductsOn(this.#bytes);
  readonly #rowBytes: number;
  /** Bytes of a group of four interleaved rows. */
  readonly #groupBytes: number;
  /** By slot: the factor that converts the row's integers back to floats. */
  #scales = new Float32Array(0);

  /** Throws invalid_request beyond 4096 dimensions. */
  constructor(readonly dimension: number) {
    if (dimension < 1 || dimension > MAX_DIMENSION) {
      const message = `Vectors of ${dimension} dimensions can't be searched. Use a model with 1 to ${MAX_DIMENSION} dimensions.`;
      throw new AppError("invalid_request", message);
    }
    const padded = Math.ceil(dimension / 16) * 16;
    this.#rowBytes = padded * 4;
    this.#groupBytes = padded * 4;
  }

  /** Throws invalid_request for a vector of a different dimension. */
  check({ length }: Float32Array): void {
    if (length === this.dimension) return;
    const message = `The vector has ${length} dimensions, but the index has ${this.dimension}. Use the index's embedding model.`;
    throw new AppError("invalid_request", message);
  }

  /** Replaces the vector of the slot. Throws invalid_request for a vector of a different dimension. */
  set(slot: number, vector: Float32Array): void {
    this.check(vector);
    this.#exact.reserve(this.#offset(slot + 1));
    new Float32Array(this.#exact.buffer, this.#offset(slot), this.dimension).set(vector);
    const largest = maxAbs(vector);
    this.#setBytes(slot, vector, largest === 0 ? 0 : 127 / largest);
    if (slot >= this.#scales.length) this.#scales = grown(this.#scales, slot);
    this.#scales[slot] = largest / 127;
  }

  /**
   * The `k` closest slots with `allowed[slot] === 1`, best first. `allowed` covers every slot; `allowedCount` is the
   * number of 1s.
   */
  search(query: Float32Array, k: number, allowed: Uint8Array, allowedCount: number): ScoredSlot[] {
    const isFew = allowedCount <= Math.max(EXACT_ROWS, rescoredFor(k));
    const candidates = isFew ? slotsOf(allowed, allowedCount) : this.#closestByBytes(query, rescoredFor(k), allowed);
    const cosines = this.cosines(query, candidates);
    const best = new Best(k);
    for (let i = 0; i < candidates.length; i++) best.offer(candidates[i] as number, cosines[i] as number);
    return best.sorted();
  }

  /** Exact cosines in the order of `slots`. */
  cosines(query: Float32Array, slots: Uint32Array): Float32Array {
    this.check(query);
    const { buffer } = this.#exact;
    new Float32Array(buffer, 0, this.dimension).set(query);
    const cosines = new Float32Array(slots.length);
    const addresses = new Uint32Array(buffer, OUT, BATCH_ROWS);
    const results = new Float32Array(buffer, OUT, BATCH_ROWS);
    for (let from = 0; from < slots.length; from += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, slots.length - from);
      for (let i = 0; i < count; i++) addresses[i] = this.#offset(slots[from + i] as number);
      this.#exactKernel.float32(OUT, OUT + count * 4, this.#rowBytes, 0);
      cosines.set(results.subarray(0, count), from);
    }
    return cosines;
  }

  /** The best candidates by 8-bit integers, in slot order, because reading neighbours is faster. */
  #closestByBytes(query: Float32Array, count: number, allowed: Uint8Array): Uint32Array {
    this.check(query);
    const factor = QUERY_MAX / (maxAbs(query) || 1);
    const numbers = new Int16Array(this.#bytes.buffer, 0, this.dimension);
    for (let i = 0; i < this.dimension; i++) numbers[i] = Math.round((query[i] as number) * factor);
    const results = new Int32Array(this.#bytes.buffer, OUT, BATCH_ROWS);
    const scales = this.#scales;
    const best = new Best(count);
    for (let from = 0; from < allowed.length; from += BATCH_ROWS) {
      const rows = Math.min(BATCH_ROWS, allowed.length - from);
      this.#bytesKernel.int8(this.#groupOffset(from), this.#groupOffset(from + rows + 3), this.#groupBytes, 0, OUT);
      for (let i = 0; i < rows; i++) {
        const score = (results[i] as number) * (scales[from + i] as number);
        if (score > best.worst && allowed[from + i] === 1) best.offer(from + i, score);
      }
    }
    return best.slots().sort();
  }

  #offset(slot: number): number {
    return ROWS + slot * this.#rowBytes;
  }

  /** Byte offset of the group with this slot. */
  #groupOffset(slot: number): number {
    return ROWS + (slot >> 2) * this.#groupBytes;
  }

  #setBytes(slot: number, vector: Float32Array, factor: number): void {
    this.#bytes.reserve(this.#groupOffset(slot + 4));
    const group = new Int8Array(this.#bytes.buffer, this.#groupOffset(slot), this.#groupBytes);
    const row = (slot & 3) * 16;
    for (let i = 0; i < vector.length; i++) {
      group[(i >> 4) * 64 + row + (i & 15)] = Math.round((vector[i] as number) * factor);
    }
  }
}

const maxAbs = (vector: Float32Array): number => {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i] as number));
  return largest;
};

const slotsOf = (allowed: Uint8Array, count: number): Uint32Array => {
  const slots = new Uint32Array(count);
  let at = 0;
  for (let slot = 0; slot < allowed.length && at < count; slot++) if (allowed[slot] === 1) slots[at++] = slot;
  return slots;
};
