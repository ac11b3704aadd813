import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";
import { formatSpan, type LimitReading, policyHeader, rateLimitHeader, toSeconds } from "./headers";
import { RollingWindow } from "./window";

/** What one request holds until it has ended. */
export interface Reservation {
  /** `ratelimit`, `ratelimit-policy` and `x-ratelimit-*`, for the answer whatever it will be. */
  readonly headers: Record<string, string>;
  /** Gives the parallel slot back; only the first call counts. The request stays in its window. */
  release(): void;
}

/** One limit of a key as it stands now. Times are milliseconds from now. */
interface LimitReadout {
  name: "requests_per_minute" | "parallel_requests";
  limit: number;
  used: number;
  remaining: number;
  /** rolling: the last `windowSeconds`; none: what runs now. */
  window: "rolling" | "none";
  windowSeconds?: number;
  wouldRefuse: boolean;
  /** Until the next request fits; undefined when it fits now or depends on what runs. */
  freesInMs?: number;
}

/** Where every request is counted before it runs. */
export interface Ledger {
  /**
   * Takes one request and one parallel slot of the key in a single step, or neither. Throws rate_limited with
   * `retryAfterMs` and the headers of the limit that refused.
   */
  reserve(principal: Principal): Reservation;
  /** The headers as they stand, for an answer that takes nothing from the limits. */
  look(principal: Principal): Reservation;
  /** The limits of the key and what they would say to a request now. Takes nothing. */
  explain(principal: Principal): LimitReadout[];
  /** Keys that the ledger remembers now. */
  readonly activeKeys: number;
}

/** `retry-after` for a parallel slot. When one becomes free is unknown: it depends on when an answer ends. */
const PARALLEL_RETRY_MS = 1000;
const WINDOW_MS = 60_000;
/** How often keys that send nothing are forgotten. */
const SWEEP_MS = 60_000;

/**
 * The ledger of one process. Requests are limited over a rolling minute, parallel requests by what runs. It is
 * synchronous from the check to the count, so no number of parallel callers gets past a limit. `now` is in milliseconds
 * and monotonic: a clock that is set back or forth neither frees nor locks anybody.
 */
export const createLedger = ({ now = () => performance.now() }: { now?: () => number } = {}): Ledger => {
  const accounts = new Map<string, Account>();
  let sweptAtMs = now();

  const forgetIdle = (nowMs: number): void => {
    if (nowMs - sweptAtMs < SWEEP_MS) return;
    sweptAtMs = nowMs;
    for (const [keyId, account] of accounts) if (account.isIdle(nowMs)) accounts.delete(keyId);
  };

  const accountOf = (keyId: string): Account => {
    const known = accounts.get(keyId);
    if (known) return known;
    const account = new Account();
    accounts.set(keyId, account);
    return account;
  };

  return {
    reserve(principal) {
      const nowMs = now();
      forgetIdle(nowMs);
      return accountOf(principal.keyId).reserve(principal, nowMs);
    },
    look: (principal) => (accounts.get(principal.keyId) ?? new Account()).look(principal, now()),
    explain: (principal) => (accounts.get(principal.keyId) ?? new Account()).explain(principal.limits, now()),
    get activeKeys() {
      return accounts.size;
    },
  };
};

/** What one key uses. Limits come with each call, so a change of them holds from the next request on. */
class Account {
  readonly #requests = new RollingWindow(WINDOW_MS);
  #running = 0;
  #policy = { requestsPerMinute: 0, parallelRequests: 0, header: "" };

  reserve(principal: Principal, nowMs: number): Reservation {
    const { requestsPerMinute, parallelRequests } = principal.limits;
    if (this.#requests.used(nowMs) >= requestsPerMinute) throw this.#refuseRequest(principal, nowMs);
    if (this.#running >= parallelRequests) throw this.#refuseParallel(principal, nowMs);
    this.#requests.add(nowMs);
    this.#running++;
    let isReleased = false;
    return {
      headers: this.look(principal, nowMs).headers,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#running--;
      },
    };
  }

  look(principal: Principal, nowMs: number): Reservation {
    const readings = [this.#requestsLeft(principal, nowMs), this.#parallelLeft(principal)];
    return { headers: this.#headers(principal, readings, nowMs), release: () => {} };
  }

  explain({ requestsPerMinute, parallelRequests }: Principal["limits"], nowMs: number): LimitReadout[] {
    const used = this.#requests.used(nowMs);
    const isSpent = used >= requestsPerMinute;
    return [
      {
        name: "requests_per_minute",
        limit: requestsPerMinute,
        used,
        remaining: Math.max(0, requestsPerMinute - used),
        window: "rolling",
        windowSeconds: WINDOW_MS / 1000,
        wouldRefuse: isSpent,
        freesInMs: isSpent ? this.#requests.fitsInMs(requestsPerMinute, nowMs) : undefined,
      },
      {
        name: "parallel_requests",
        limit: parallelRequests,
        used: this.#running,
        remaining: Math.max(0, parallelRequests - this.#running),
        window: "none",
        wouldRefuse: this.#running >= parallelRequests,
      },
    ];
  }

  isIdle(nowMs: number): boolean {
    return this.#running === 0 && this.#requests.used(nowMs) === 0;
  }

  #refuseRequest(principal: Principal, nowMs: number): AppError {
    const limit = principal.limits.requestsPerMinute;
    const retryAfterMs = this.#requests.fitsInMs(limit, nowMs);
    // The window as the client has to see it: nothing is left until a request fits again.
    const reading: LimitReading = { name: "requests", remaining: 0, changesInMs: retryAfterMs };
    return new AppError(
      "rate_limited",
      `The key "${principal.keyName}" has sent the ${limit} requests that it may send in a minute. Send the next one in ${toSeconds(retryAfterMs)} s.`,
      { retryAfterMs, headers: this.#headers(principal, [reading], nowMs) },
    );
  }

  #refuseParallel(principal: Principal, nowMs: number): AppError {
    const limit = principal.limits.parallelRequests;
    // Only the limit that refused: the other one's window may end after the time to retry, and would contradict it.
    const headers = this.#headers(principal, [{ name: "parallel", remaining: 0 }], nowMs);
    return new AppError(
      "rate_limited",
      `The key "${principal.keyName}" has ${limit} requests running, as many as it may. Send this one when one of them has ended.`,
      { retryAfterMs: PARALLEL_RETRY_MS, headers },
    );
  }

  #requestsLeft({ limits }: Principal, nowMs: number): LimitReading {
    const remaining = Math.max(0, limits.requestsPerMinute - this.#requests.used(nowMs));
    return { name: "requests", remaining, changesInMs: this.#requests.changesInMs(nowMs) };
  }

  #parallelLeft({ limits }: Principal): LimitReading {
    return { name: "parallel", remaining: Math.max(0, limits.parallelRequests - this.#running) };
  }

  #headers(principal: Principal, readings: readonly LimitReading[], nowMs: number): Record<string, string> {
    const { requestsPerMinute } = principal.limits;
    return {
      ratelimit: rateLimitHeader(readings),
      "ratelimit-policy": this.#policyOf(principal),
      "x-ratelimit-limit-requests": String(requestsPerMinute),
      "x-ratelimit-remaining-requests": String(Math.max(0, requestsPerMinute - this.#requests.used(nowMs))),
      "x-ratelimit-reset-requests": formatSpan(this.#requests.emptyInMs(nowMs)),
    };
  }

  #policyOf({ keyId, limits }: Principal): string {
    const { requestsPerMinute, parallelRequests } = limits;
    const known = this.#policy;
    if (known.requestsPerMinute !== requestsPerMinute || known.parallelRequests !== parallelRequests) {
      const header = policyHeader(keyId, requestsPerMinute, parallelRequests);
      this.#policy = { requestsPerMinute, parallelRequests, header };
    }
    return this.#policy.header;
  }
}
