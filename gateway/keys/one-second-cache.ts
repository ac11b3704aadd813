/** A key or session that another process revoked is rejected within this time. */
const MAX_AGE_MS = 1000;

/** Caches database reads for a second, even if the clock is set back. */
export class OneSecondCache<V> {
  readonly #entries = new Map<string, { value: V; readAtMs: number }>();

  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.readAtMs;
    return ageMs >= 0 && ageMs < MAX_AGE_MS ? entry.value : undefined;
  }

  /** `readAtMs`: the start of the read, not its end. */
  set(key: string, value: V, readAtMs: number): void {
    this.#entries.set(key, { value, readAtMs });
  }

  drop(matches: (value: V) => boolean): void {
    for (const [key, { value }] of this.#entries) if (matches(value)) this.#entries.delete(key);
  }

  /** Deletes expired entries. */
  sweep(nowMs: number): void {
    for (const key of this.#entries.keys()) if (this.get(key, nowMs) === undefined) this.#entries.delete(key);
  }
}
