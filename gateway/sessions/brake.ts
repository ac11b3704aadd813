import { AppError } from "../../lib/errors";

const MINUTE_MS = 60_000;
/**
 * Maximum failures per address and minute: more than typos explain. A key has 256 random bits, so this limit protects
 * against load, not against guessing.
 */
const MAX_FAILURES_PER_MINUTE = 30;
/** Maximum number of addresses in memory. Beyond it, the oldest is removed. */
const MAX_ADDRESSES = 10_000;

/** Counts failed sign-ins by address over a sliding minute, in this process. */
export class SignInBrake {
  /** The times of each address's latest failures, in milliseconds, oldest first. */
  readonly #failures = new Map<string, number[]>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Throws rate_limited, with the time until the next attempt, after too many failures. */
  check(address: string): void {
    const [oldest, ...later] = this.#recent(address);
    if (oldest === undefined || later.length + 1 < MAX_FAILURES_PER_MINUTE) return;
    const retryAfterMs = oldest + MINUTE_MS - this.now();
    const seconds = Math.ceil(retryAfterMs / 1000);
    throw new AppError("rate_limited", `Too many failed sign-ins. Try again in ${seconds} s.`, { retryAfterMs });
  }

  /** Records a failure. */
  failed(address: string): void {
    const recent = this.#recent(address);
    this.#failures.delete(address);
    this.#failures.set(address, [...recent, this.now()]);
    if (this.#failures.size <= MAX_ADDRESSES) return;
    const [longest] = this.#failures.keys();
    if (longest !== undefined) this.#failures.delete(longest);
  }

  #recent(address: string): number[] {
    const since = this.now() - MINUTE_MS;
    return (this.#failures.get(address) ?? []).filter((at) => at > since);
  }
}
