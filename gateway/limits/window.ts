/** Requests are counted in steps of 100 ms, so a window holds at most 601 numbers whatever the limit is. */
const STEP_MS = 100;

/**
 * A rolling window: what happened in the last `lengthMs`. A request counts until its whole step is `lengthMs` old, so
 * at most 100 ms too long and never too short: no span of `lengthMs` holds more than what was admitted by `used`.
 * All times are milliseconds of one monotonic clock.
 */
export class RollingWindow {
  #steps: { leavesAtMs: number; count: number }[] = [];
  #used = 0;

  constructor(readonly lengthMs: number) {}

  /** Requests that count at `nowMs`. */
  used(nowMs: number): number {
    let gone = 0;
    for (const step of this.#steps) {
      if (step.leavesAtMs > nowMs) break;
      this.#used -= step.count;
      gone++;
    }
    if (gone > 0) this.#steps.splice(0, gone);
    return this.#used;
  }

  add(nowMs: number): void {
    const leavesAtMs = (Math.floor(nowMs / STEP_MS) + 1) * STEP_MS + this.lengthMs;
    const last = this.#steps.at(-1);
    if (last && last.leavesAtMs >= leavesAtMs) last.count++;
    else this.#steps.push({ leavesAtMs, count: 1 });
    this.#used++;
  }

  /** Milliseconds until fewer than `limit` count; 0 when that is so now. */
  fitsInMs(limit: number, nowMs: number): number {
    let left = this.used(nowMs);
    for (const step of this.#steps) {
      if (left < limit) break;
      left -= step.count;
      if (left < limit) return step.leavesAtMs - nowMs;
    }
    return 0;
  }

  /** Milliseconds until the oldest requests leave; 0 when none count. */
  changesInMs(nowMs: number): number {
    this.used(nowMs);
    return (this.#steps[0]?.leavesAtMs ?? nowMs) - nowMs;
  }

  /** Milliseconds until none count. */
  emptyInMs(nowMs: number): number {
    return Math.max(0, (this.#steps.at(-1)?.leavesAtMs ?? nowMs) - nowMs);
  }
}
