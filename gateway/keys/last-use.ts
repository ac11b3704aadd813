const EVERY_MS = 60_000;

/**
 * Remembers when things were last used and writes it once a minute, all in one transaction: a request costs no write.
 * What could not be written waits for the next minute.
 */
export class LastUse {
  #pending = new Map<string, Date>();
  readonly #timer: Timer;

  constructor(private readonly write: (uses: ReadonlyMap<string, Date>) => Promise<void>) {
    this.#timer = setInterval(() => this.flush().catch(() => {}), EVERY_MS);
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

  /** Writes what is left. Where that fails, the last minute is lost and nothing else. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch(() => {});
  }
}
