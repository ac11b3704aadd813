const FAILURES_TO_OPEN = 5;
const EJECTION_MS = 30_000;
const MAX_EJECTION_MS = 300_000;

/**
 * Outlier ejection for one node, with Envoy's defaults: five consecutive failures eject it for 30 s × the number of
 * ejections, at most 300 s. After that, one request at a time tests it.
 */
export class Breaker {
  #failures = 0;
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
    this.#failures = 0;
    this.#isTrying = false;
    this.#openUntil = 0;
    this.#ejections = 0;
  }

  failed(): void {
    this.#failures++;
    if (!this.#isTrying && (this.isEjected || this.#failures < FAILURES_TO_OPEN)) return;
    this.#isTrying = false;
    this.#ejections++;
    this.#openUntil = this.now() + Math.min(EJECTION_MS * this.#ejections, MAX_EJECTION_MS);
  }

  /** Call this if a request's end says nothing about the node: the caller disconnected, or the node rejected it. */
  ended(): void {
    this.#isTrying = false;
  }
}
