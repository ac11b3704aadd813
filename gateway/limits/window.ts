/** Requests are counted in steps of 100 ms, so a window has at most 601 counters, whatever the limit is. */
const STEP_MS = 100;

/**
 * A rolling window over the last `lengthMs`. A request counts until its whole step is `lengthMs` old: at most 100 ms
 * too long and never too short, so a caller that checks `used` never exceeds its limit in any span of `lengthMs`. All
 * times are milliseconds of one monotonic clock.
 */
export class RollingWindow {
  #steps: { leavesAtMs: number; count: number }[] = [];
  #used = 0;

  constructor(readonly lengthMs: number) {}

  /** The number of requests that count at `nowMs`. */
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

  /** Milliseconds until fewer than `limit` requests count; 0 if that is already true. */
  fitsInMs(limit: number, nowMs: number): number {
    let left = this.used(nowMs);
    for (const step of this.#steps) {
      if (left < limit) break;
      left -= step.count;
      if (left < limit) return step.leavesAtMs - nowMs;
    }
    return 0;
  }

  /** Milliseconds until the oldest requests stop counting; 0 if none count. */
  changesInMs(nowMs: number): number {
    this.used(nowMs);
    return (this.#steps[0]?.leavesAtMs ?? nowMs) - nowMs;
  }

  /** Milliseconds until no requests count. */
  emptyInMs(nowMs: number): number {
    return Math.max(0, (this.#steps.at(-1)?.leavesAtMs ?? nowMs) - nowMs);
  }
}
