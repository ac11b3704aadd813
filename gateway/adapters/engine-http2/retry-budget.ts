const SHARE = 0.2;
const FLOOR = 3;
const HALF_WINDOW_MS = 5000;

/**
 * Limits the extra load that retries cause: at most 20 % of the requests of the last ten seconds, or of the active ones
 * if they are more, but 3 are always allowed. Envoy counts only what is active, so a node that rejects requests within
 * a millisecond would get every one of them twice.
 */
export class RetryBudget {
  #startedAt = Number.NEGATIVE_INFINITY;
  #current = { requests: 0, retries: 0 };
  #previous = { requests: 0, retries: 0 };

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Counts a request's first attempt. */
  requested(): void {
    this.#advance();
    this.#current.requests++;
  }

  /** Takes one retry; false if the budget is used up. `active`: requests that wait for an answer or receive one. */
  take(active: number): boolean {
    this.#advance();
    const load = Math.max(active, this.#current.requests + this.#previous.requests);
    if (this.#current.retries + this.#previous.retries >= Math.max(FLOOR, SHARE * load)) return false;
    this.#current.retries++;
    return true;
  }

  #advance(): void {
    const ageMs = this.now() - this.#startedAt;
    if (ageMs < HALF_WINDOW_MS) return;
    this.#previous = ageMs < 2 * HALF_WINDOW_MS ? this.#current : { requests: 0, retries: 0 };
    this.#current = { requests: 0, retries: 0 };
    this.#startedAt = this.now();
  }
}
