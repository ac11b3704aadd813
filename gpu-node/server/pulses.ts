/** The sign of life of one running request. Times on the clock of `performance.now()`. */
export interface Pulse {
  beatAt: number;
  /** It waits for its client to read, so nothing is due. */
  held: boolean;
}

/** Everything of one kind that runs, and since when none of it has got on. */
export class Pulses {
  readonly #running = new Set<Pulse>();

  /** Watches one request until `stop`. */
  watch(): Pulse {
    const pulse = { beatAt: performance.now(), held: false };
    this.#running.add(pulse);
    return pulse;
  }

  stop(pulse: Pulse): void {
    this.#running.delete(pulse);
  }

  /** Milliseconds since the last beat of any request that owes one; undefined when none does. */
  silentMs(now = performance.now()): number | undefined {
    let silentMs: number | undefined;
    for (const { beatAt, held } of this.#running) {
      if (!held) silentMs = Math.min(silentMs ?? Number.POSITIVE_INFINITY, now - beatAt);
    }
    return silentMs;
  }
}
