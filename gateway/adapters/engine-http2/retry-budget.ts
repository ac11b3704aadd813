const SHARE = 0.2;
const FLOOR = 3;

/** Bounds retries to 20 % of the requests that run, but never below 3, so that a failing node is not buried in them (Envoy's retry budget). */
export class RetryBudget {
  #running = 0;
  #retrying = 0;

  started(): void {
    this.#running++;
  }

  ended(): void {
    this.#running--;
  }

  /** True when a retry may start; then `giveBack` follows. */
  take(): boolean {
    if (this.#retrying >= Math.max(FLOOR, this.#running * SHARE)) return false;
    this.#retrying++;
    return true;
  }

  giveBack(): void {
    this.#retrying--;
  }
}
