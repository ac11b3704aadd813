/**
 * What was read from the database less than `maxAgeMs` ago. Its bound is what makes a revocation in another process
 * hold here: nothing older is ever given out, also when the clock is set back.
 */
export class Fresh<V> {
  readonly #entries = new Map<string, { value: V; readAtMs: number }>();

  constructor(private readonly maxAgeMs: number) {}

  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.readAtMs;
    return ageMs >= 0 && ageMs < this.maxAgeMs ? entry.value : undefined;
  }

  /** `readAtMs`: when the read began, not when it ended. */
  set(key: string, value: V, readAtMs: number): void {
    this.#entries.set(key, { value, readAtMs });
  }

  drop(matches: (value: V) => boolean): void {
    for (const [key, { value }] of this.#entries) if (matches(value)) this.#entries.delete(key);
  }

  /** Forgets what is too old to be given out. */
  sweep(nowMs: number): void {
    for (const key of this.#entries.keys()) if (this.get(key, nowMs) === undefined) this.#entries.delete(key);
  }
}
