/** Parallel calls at the start. */
const FIRST_LIMIT = 4;
/** After backpressure, the limit is multiplied by this; after a long queue, by the second. */
const AFTER_REFUSAL = 0.5;
const AFTER_QUEUE = 0.8;
/** A call that queued longer than it ran, and longer than this, asks for a lower limit. Milliseconds. */
const LONG_QUEUE_MS = 200;
/** Up to this queue time, or a quarter of the running time, the limit may grow. Milliseconds. */
const SHORT_QUEUE_MS = 50;

/** How long a call waited on the node and in total, in milliseconds; null: no node was called. */
export type Waited = { queueMs: number; totalMs: number } | null;

/**
 * Limits the parallel calls of a run as TCP limits its window: doubles until the first backpressure, then adds one call
 * per round and halves at each refusal. Long queues also lower it, so that a run gives way to interactive traffic.
 */
export class CallLimiter {
  #limit: number;
  #running = 0;
  #isStarting = true;
  /** Calls that started before the last reduction don't reduce the limit again. */
  #reductions = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly max: number) {
    this.#limit = Math.min(FIRST_LIMIT, max);
  }

  get limit(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  /** Waits for a free place; throws the signal's reason. Call the returned function with the call's outcome. */
  async enter(signal: AbortSignal): Promise<(outcome: Waited | "refused" | "failed") => void> {
    while (this.#running >= this.limit) await this.#turn(signal);
    signal.throwIfAborted();
    this.#running++;
    const before = this.#reductions;
    return (outcome) => {
      this.#running--;
      if (outcome === "refused") this.#reduce(AFTER_REFUSAL, before);
      else if (outcome !== "failed") this.#learn(outcome, before);
      let free = this.limit - this.#running;
      for (const wake of this.#waiting) if (free-- > 0) wake();
    };
  }

  #learn(waited: Waited, before: number): void {
    const { queueMs, totalMs } = waited ?? { queueMs: 0, totalMs: 0 };
    const ranMs = totalMs - queueMs;
    if (queueMs > Math.max(LONG_QUEUE_MS, ranMs)) this.#reduce(AFTER_QUEUE, before);
    else if (queueMs <= Math.max(SHORT_QUEUE_MS, ranMs / 4)) {
      this.#limit = Math.min(this.max, this.#limit + (this.#isStarting ? 1 : 1 / this.#limit));
    }
  }

  #reduce(factor: number, before: number): void {
    if (before !== this.#reductions) return;
    this.#reductions++;
    this.#isStarting = false;
    this.#limit = Math.max(1, this.#limit * factor);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => {
      this.#waiting.delete(wake);
      resolve();
    };
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    signal.removeEventListener("abort", wake);
  }
}
