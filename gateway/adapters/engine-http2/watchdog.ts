interface Watched {
  /** `performance.now()` from which on it is too late. */
  expiresAt: number;
  expire(now: number): void;
}

/** Deadlines are seen at most this late. */
const TICK_MS = 100;

/** One timer for the deadlines of all streams: a timer per token would cost more than passing the token on. */
export class Watchdog {
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined;

  watch(item: Watched): void {
    this.#watched.add(item);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  forget(item: Watched): void {
    this.#watched.delete(item);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    // Without streams nothing is woken up.
    if (this.#watched.size === 0) this.close();
    const now = performance.now();
    for (const item of this.#watched) if (now >= item.expiresAt) item.expire(now);
  }
}
