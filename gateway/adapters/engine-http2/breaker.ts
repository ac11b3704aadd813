const FAILURES_TO_SUSPECT = 5;
const EJECTION_MS = 30_000;
const MAX_EJECTION_MS = 300_000;
/** After a successful check, failures don't count for this long. The requests are at fault, and a check costs a slot. */
const TRUST_MS = 10_000;

/**
 * Outlier ejection for one node, with Envoy's defaults: five consecutive failures eject it for 30 s × the number of
 * ejections, at most 300 s. After that, one request at a time probes it. Unlike in Envoy, failures alone don't eject: a
 * caller can send requests that always fail. So they make the node suspect, and the caller of `failed` checks it.
 */
export class Breaker {
  /** Hashes of the requests that have failed since the last success. A retried request counts once. */
  readonly #failed = new Set<unknown>();
  #ejections = 0;
  #openUntil = 0;
  #isTrying = false;
  #isSuspect = false;
  #trustedUntil = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Milliseconds until the node is tried again; 0 if it accepts requests. */
  get openForMs(): number {
    return Math.max(0, this.#openUntil - this.now());
  }

  get isEjected(): boolean {
    return this.#openUntil > 0;
  }

  /** Whether the node has failed several times and is being checked. */
  get isSuspect(): boolean {
    return this.#isSuspect;
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
    this.#isSuspect = false;
    this.#openUntil = 0;
    this.#ejections = 0;
  }

  /**
   * Counts a failure and returns true if the node is now suspect: the caller must check it, then call `checked`. `body`
   * is the request's; undefined if it wasn't sent.
   */
  failed(body?: string): boolean {
    const request = body === undefined ? Symbol() : Bun.hash(body);
    if (this.#failed.has(request)) {
      this.ended();
      return false;
    }
    // While the node is ejected, only a failed probe counts.
    if (this.isEjected ? !this.#isTrying : this.now() < this.#trustedUntil) return false;
    this.#failed.add(request);
    if (this.#isSuspect || (!this.#isTrying && this.#failed.size < FAILURES_TO_SUSPECT)) return false;
    this.#isSuspect = true;
    return true;
  }

  /** The result of the check. It doesn't count if a request has succeeded since the node became suspect. */
  checked(isWorking: boolean): void {
    if (!this.#isSuspect) return;
    if (isWorking) {
      this.succeeded();
      this.#trustedUntil = this.now() + TRUST_MS;
      return;
    }
    this.#isTrying = false;
    this.#isSuspect = false;
    this.#ejections++;
    this.#openUntil = this.now() + Math.min(EJECTION_MS * this.#ejections, MAX_EJECTION_MS);
  }

  /** Call this if a request's end says nothing about the node: the caller disconnected, or the node rejected it. */
  ended(): void {
    if (!this.#isSuspect) this.#isTrying = false;
  }
}
