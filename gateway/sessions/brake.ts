import { AppError } from "../../lib/errors";

const MINUTE_MS = 60_000;
/** More than anyone mistypes; a key has 256 random bits, so this keeps load away rather than guesses. */
const TRIES_A_MINUTE = 30;
/** Addresses that are remembered. Beyond it the longest known is forgotten. */
const MOST_ADDRESSES = 10_000;

/** Counts sign-ins that failed, by the address they came from, in a sliding minute of this process. */
export class SignInBrake {
  /** When each of an address's last failures was, in milliseconds, oldest first. */
  readonly #failures = new Map<string, number[]>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Throws rate_limited, with the time until the next try, while too many have failed. */
  check(address: string): void {
    const [oldest, ...later] = this.#recent(address);
    if (oldest === undefined || later.length + 1 < TRIES_A_MINUTE) return;
    const retryAfterMs = oldest + MINUTE_MS - this.now();
    const seconds = Math.ceil(retryAfterMs / 1000);
    throw new AppError("rate_limited", `Too many sign-ins failed. Try again in ${seconds} s.`, { retryAfterMs });
  }

  /** Notes a failure. */
  failed(address: string): void {
    const recent = this.#recent(address);
    this.#failures.delete(address);
    this.#failures.set(address, [...recent, this.now()]);
    if (this.#failures.size <= MOST_ADDRESSES) return;
    const [longest] = this.#failures.keys();
    if (longest !== undefined) this.#failures.delete(longest);
  }

  #recent(address: string): number[] {
    const since = this.now() - MINUTE_MS;
    return (this.#failures.get(address) ?? []).filter((at) => at > since);
  }
}
