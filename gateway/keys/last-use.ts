const WRITE_INTERVAL_MS = 60_000;

/**
 * Collects last-use times and writes them once a minute in one transaction, so that requests don't write. After a
 * failure, they are written a minute later.
 */
export class LastUse {
  #pending = new Map<string, Date>();
  readonly #timer: Timer;

  constructor(private readonly write: (uses: ReadonlyMap<string, Date>) => Promise<void>) {
    this.#timer = setInterval(() => this.flush().catch(() => {}), WRITE_INTERVAL_MS);
    this.#timer.unref();
  }

  touch(id: string, at: Date): void {
    this.#pending.set(id, at);
  }

  async flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const uses = this.#pending;
    this.#pending = new Map();
    try {
      await this.write(uses);
    } catch (error) {
      this.#pending = new Map([...uses, ...this.#pending]);
      throw error;
    }
  }

  /** Writes the remaining times. If that fails, only the last minute is lost. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch(() => {});
  }
}
