const FAILURES_TO_OPEN = 5;
const EJECTION_MS = 30_000;
const MAX_EJECTION_MS = 300_000;

/**
 * Outlier ejection for one node, with Envoy's defaults: five consecutive failures eject it for 30 s × the number of
 * ejections, at most 300 s. After that, one request at a time probes it. Unlike in Envoy, a request that is retried and
 * fails again counts once, because then the request may be at fault.
 */
export class Breaker {
  /** Hashes of the requests that have failed since the last success. */
  readonly #failed = new Set<unknown>();
  #ejections = 0;
  #openUntil = 0;
  #isTrying = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Milliseconds until the node is tried again; 0 if it accepts requests. */
  get openForMs(): number {
    return Math.max(0, this.#openUntil - this.now());
  }

  get isEjected(): boolean {
    return this.#openUntil > 0;
  }

  /** Whether a request may go to the node now. While half open, one at a time. */
  allows(): boolean {
    return !this.isEjected || (this.openForMs === 0 && !this.#isTrying);
  }

  started(): void {
    if (this.isEjected) this.#isTrying = true;
  }

  succeeded(): void {
    this.#failed.clear();
    this.#isTrying = false;
    this.#openUntil = 0;
    this.#ejections = 0;
  }

  /** `body` is the request's; undefined if it wasn't sent. */
  failed(body?: string): void {
    const request = body === undefined ? Symbol() : Bun.hash(body);
    if (this.#failed.has(request)) {
      this.ended();
      return;
    }
    // While the node is ejected, only a failed probe counts.
    if (this.isEjected && !this.#isTrying) return;
    this.#failed.add(request);
    if (!this.#isTrying && this.#failed.size < FAILURES_TO_OPEN) return;
    this.#isTrying = false;
    this.#ejections++;
    this.#openUntil = this.now() + Math.min(EJECTION_MS * this.#ejections, MAX_EJECTION_MS);
  }

  /** Call this if a request's end says nothing about the node: the caller disconnected, or the node rejected it. */
  ended(): void {
    this.#isTrying = false;
  }
}
