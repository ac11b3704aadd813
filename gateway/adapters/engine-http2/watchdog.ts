interface Watched {
  /** The time (`performance.now()`) after which the stream has failed. */
  expiresAt: number;
  expire(now: number): void;
}

/** A missed deadline is detected within this time. */
const TICK_MS = 100;

/** One timer for the deadlines of all streams. A timer per token would cost more than forwarding the token. */
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
    // No timer runs while there are no streams.
    if (this.#watched.size === 0) this.close();
    const now = performance.now();
    for (const item of this.#watched) if (now >= item.expiresAt) item.expire(now);
  }
}
