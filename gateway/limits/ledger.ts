import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";

/** A reservation for one request, held until the request ends. */
export interface Reservation {
  /** `ratelimit`, `ratelimit-policy` and `x-ratelimit-*` for the response. */
  readonly headers: Record<string, string>;
  /** Releases the parallel slot; later calls do nothing. The request still counts in its window. */
  release(): void;
}

/** `retry-after` when no parallel slot is free. It is a guess: nothing predicts when a running answer ends. */
const PARALLEL_RETRY_MS = 1000;
const WINDOW_MS = 60_000;
/** How often idle keys are removed. */
const SWEEP_MS = 60_000;

/**
 * Limits each key's requests per rolling minute and its parallel requests, within this process. Checking and counting
 * is one synchronous step, so parallel callers can't exceed a limit. `now` is in monotonic milliseconds, so adjusting
 * the clock has no effect.
 */
export const createLedger = ({ now = () => performance.now() }: { now?: () => number } = {}) => {
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
    /**
     * Reserves one request and one parallel slot of the key, or neither. Throws rate_limited with `retryAfterMs` and
     * the headers of the exceeded limit.
     */
    reserve(principal: Principal): Reservation {
      const nowMs = now();
      forgetIdle(nowMs);
      return accountOf(principal.keyId).reserve(principal, nowMs);
    },
    /** The current headers, for a response that doesn't count against the limits. */
    look: (principal: Principal): Reservation =>
      (accounts.get(principal.keyId) ?? new Account()).look(principal, now()),
    /** The key's limits, and whether a request would be accepted now. Doesn't count. */
    explain: (principal: Principal) =>
      (accounts.get(principal.keyId) ?? new Account()).explain(principal.limits, now()),
    /** Number of keys in memory. */
    get activeKeys(): number {
      return accounts.size;
    },
  };
};

export type Ledger = ReturnType<typeof createLedger>;

/** One key's usage. Every call passes the limits, so a changed limit applies to the next request. */
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

  /** `freesInMs`: until the next request is accepted; null if it is accepted now or depends on active requests. */
  explain({ requestsPerMinute, parallelRequests }: Principal["limits"], nowMs: number) {
    const used = this.#requests.used(nowMs);
    const freesInMs = used >= requestsPerMinute ? this.#requests.fitsInMs(requestsPerMinute, nowMs) : null;
    const running = this.#running;
    return [
      {
        name: "requests_per_minute" as const,
        ...stateOf(requestsPerMinute, used),
        window: "rolling" as const,
        windowSeconds: WINDOW_MS / 1000,
        freesInMs,
      },
      {
        name: "parallel_requests" as const,
        ...stateOf(parallelRequests, running),
        window: "none" as const,
        windowSeconds: null,
        freesInMs: null,
      },
    ];
  }

  isIdle(nowMs: number): boolean {
    return this.#running === 0 && this.#requests.used(nowMs) === 0;
  }

  #refuseRequest(principal: Principal, nowMs: number): AppError {
    const limit = principal.limits.requestsPerMinute;
    const retryAfterMs = this.#requests.fitsInMs(limit, nowMs);
    // The headers show 0 remaining until a request is accepted again.
    const reading: LimitReading = { name: "requests", remaining: 0, changesInMs: retryAfterMs };
    return new AppError(
      "rate_limited",
      `The key "${principal.keyName}" has reached its limit of ${limit} requests per minute. Try again in ${toSeconds(retryAfterMs)} s.`,
      { retryAfterMs, headers: this.#headers(principal, [reading], nowMs) },
    );
  }

  #refuseParallel(principal: Principal, nowMs: number): AppError {
    const limit = principal.limits.parallelRequests;
    // Only the exceeded limit: the other limit's window may end later and contradict the retry time.
    const headers = this.#headers(principal, [{ name: "parallel", remaining: 0 }], nowMs);
    return new AppError(
      "rate_limited",
      `The key "${principal.keyName}" has reached its limit of ${limit} parallel requests. Try again when one of them has finished.`,
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

const stateOf = (limit: number, used: number) => ({
  limit,
  used,
  remaining: Math.max(0, limit - used),
  wouldRefuse: used >= limit,
});

/** Requests are counted in steps of 100 ms, so a window has at most 601 counters, whatever the limit is. */
const STEP_MS = 100;

/**
 * A rolling window over the last `lengthMs`. A request counts until its whole step is `lengthMs` old: at most 100 ms
 * too long and never too short, so a caller that checks `used` never exceeds its limit in any span of `lengthMs`. All
 * times are milliseconds of one monotonic clock.
 */
export class RollingWindow {
  #steps: { leavesAtMs: number; count: number }[] = [];
  #used = 0;

  constructor(readonly lengthMs: number) {}

  /** The number of requests that count at `nowMs`. */
  used(nowMs: number): number {
    let gone = 0;
    for (const step of this.#steps) {
      if (step.leavesAtMs > nowMs) break;
      this.#used -= step.count;
      gone++;
    }
    if (gone > 0) this.#steps.splice(0, gone);
    return this.#used;
  }

  add(nowMs: number): void {
    const leavesAtMs = (Math.floor(nowMs / STEP_MS) + 1) * STEP_MS + this.lengthMs;
    const last = this.#steps.at(-1);
    if (last && last.leavesAtMs >= leavesAtMs) last.count++;
    else this.#steps.push({ leavesAtMs, count: 1 });
    this.#used++;
  }

  /** Milliseconds until fewer than `limit` requests count; 0 if that is already true. */
  fitsInMs(limit: number, nowMs: number): number {
    let left = this.used(nowMs);
    for (const step of this.#steps) {
      if (left < limit) break;
      left -= step.count;
      if (left < limit) return step.leavesAtMs - nowMs;
    }
    return 0;
  }

  /** Milliseconds until the oldest requests stop counting; 0 if none count. */
  changesInMs(nowMs: number): number {
    this.used(nowMs);
    return (this.#steps[0]?.leavesAtMs ?? nowMs) - nowMs;
  }

  /** Milliseconds until no requests count. */
  emptyInMs(nowMs: number): number {
    return Math.max(0, (this.#steps.at(-1)?.leavesAtMs ?? nowMs) - nowMs);
  }
}

/** The remaining quota of one limit, for the `ratelimit` header. */
interface LimitReading {
  name: "requests" | "parallel";
  remaining: number;
  /** Milliseconds until more quota is available; undefined if that doesn't depend on time. */
  changesInMs?: number;
}

/** Whole seconds, rounded up, so that a client that waits this long isn't too early. */
const toSeconds = (ms: number): number => Math.ceil(ms / 1000);

/** `ratelimit-policy`: both limits of a key. Built once per key, because it rarely changes. */
export const policyHeader = (keyId: string, requestsPerMinute: number, parallelRequests: number): string => {
  const partition = `pk=:${btoa(keyId)}:`;
  return `"requests";q=${requestsPerMinute};w=60;${partition}, "parallel";q=${parallelRequests};qu="concurrent-requests";${partition}`;
};

/**
 * `ratelimit` (draft-ietf-httpapi-ratelimit-headers-11): `r` is the remaining quota, which doesn't grow for `t`
 * seconds.
 */
export const rateLimitHeader = (readings: readonly LimitReading[]): string => {
  let value = "";
  for (const { name, remaining, changesInMs } of readings) {
    value += `${value && ", "}"${name}";r=${remaining}`;
    if (changesInMs !== undefined) value += `;t=${toSeconds(changesInMs)}`;
  }
  return value;
};

/** A time span in OpenAI's format: `120ms`, `12.5s`, `6m0s`. */
export const formatSpan = (ms: number): string => {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
};
