/** A key or session that was revoked in another process is refused in this one after this time at the latest. */
const MAX_AGE_MS = 1000;

/** What was read from the database within the last second; nothing older is given out, also when the clock is set back. */
export class Fresh<V> {
  readonly #entries = new Map<string, { value: V; readAtMs: number }>();

  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.readAtMs;
    return ageMs >= 0 && ageMs < MAX_AGE_MS ? entry.value : undefined;
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
