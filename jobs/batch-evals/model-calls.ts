import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type ErrorKind, toAppError } from "../../lib/errors";
import type { CallLimiter, Waited } from "./call-limiter";
import { RunStopped } from "./stops";

interface Policy {
  /** Maximum number of attempts that end with this error; Infinity: unlimited while other calls of the run succeed. */
  attempts: number;
  /** The first pause lasts up to `baseMs`, later ones up to twice the one before, at most `capMs`. */
  baseMs: number;
  capMs: number;
}

/** The node or a limit asks to wait, which is never the sample's fault. */
const WAITS: Policy = { attempts: Number.POSITIVE_INFINITY, baseMs: 500, capMs: 15_000 };

/** How errors are retried, by kind. All others fail the sample immediately. */
const POLICIES: Partial<Record<ErrorKind, Policy>> = {
  rate_limited: WAITS,
  budget_exceeded: WAITS,
  overloaded: WAITS,
  unavailable: WAITS,
  model_loading: WAITS,
  upstream_error: { attempts: 5, baseMs: 500, capMs: 15_000 },
  internal: { attempts: 3, baseMs: 500, capMs: 15_000 },
  // A timeout is expensive, and the same sample is likely to take as long again.
  deadline_exceeded: { attempts: 2, baseMs: 500, capMs: 15_000 },
};

/** Errors that concern the run's key or model, and therefore every sample. */
const STOPS: ReadonlySet<ErrorKind> = new Set([
  "missing_api_key",
  "invalid_api_key",
  "insufficient_role",
  "budget_exhausted",
  "model_not_found",
  "method_not_allowed",
  "not_implemented",
]);
/** Errors about the key itself. */
const KEY_ERRORS: ReadonlySet<ErrorKind> = new Set(["missing_api_key", "invalid_api_key"]);

/** Errors that ask for fewer parallel calls. */
const REFUSALS: ReadonlySet<ErrorKind> = new Set(["rate_limited", "overloaded", "unavailable", "model_loading"]);

/** Without one successful call for this long, the run stops. */
const OUTAGE_MS = 15 * 60_000;

/** Maximum pause of an independent call, so that it soon notices when an admin raises a limit. */
const MAX_PAUSE_MS = 60_000;

/** A shorter wait is part of normal backpressure. */
const SHORT_WAIT_MS = 2000;

interface ModelCallsOptions {
  limiter: CallLimiter;
  /** Throws if the run's key is no longer valid. The gateway also refuses a worker that it considers dead. */
  checkKey(): Promise<void>;
  /**
   * Whether the calls are independent of each other. Then only an invalid key stops all calls, and a call may wait for
   * any length of time.
   */
  areIndependent?: boolean;
  monotonicMs?: () => number;
  random?: () => number;
}

/** Calls models for a run: limits parallel calls, and retries by kind of error. */
export class ModelCalls {
  #succeededAtMs: number;
  /** The last error that asked to wait, and when the first one since the last success came. */
  #refusal: { error: AppError; atMs: number } | undefined;
  readonly #monotonicMs: () => number;
  readonly #random: () => number;
  readonly #stops: ReadonlySet<ErrorKind>;

  constructor(private readonly options: ModelCallsOptions) {
    this.#stops = options.areIndependent ? KEY_ERRORS : STOPS;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    this.#succeededAtMs = this.#monotonicMs();
  }

  /** Why no call has succeeded for a few seconds, and since when; null while calls succeed. */
  get waiting(): { error: AppError; forMs: number } | null {
    if (!this.#refusal) return null;
    const { error, atMs } = this.#refusal;
    const forMs = this.#monotonicMs() - atMs;
    return forMs < SHORT_WAIT_MS ? null : { error, forMs };
  }

  /**
   * Sends a call until it succeeds. `signal` ends waiting for a place and pauses between attempts, but not a call that
   * was sent. Throws the last error, RunStopped, and the signal's reason.
   */
  async send<T>(
    signal: AbortSignal,
    send: () => Promise<T>,
    waitedOf: (answer: T) => Waited,
    onAttempt: () => void,
  ): Promise<T> {
    const failures = new Map<ErrorKind, number>();
    for (let attempt = 1; ; attempt++) {
      const leave = await this.options.limiter.enter(signal);
      onAttempt();
      try {
        const answer = await send();
        leave(waitedOf(answer));
        this.#succeededAtMs = this.#monotonicMs();
        this.#refusal = undefined;
        return answer;
      } catch (thrown) {
        const error = toAppError(thrown);
        leave(REFUSALS.has(error.kind) ? "refused" : "failed");
        const count = (failures.get(error.kind) ?? 0) + 1;
        failures.set(error.kind, count);
        const pauseMs = await this.#pauseMs(error, attempt, count);
        await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  /**
   * The pause before the next attempt, with full jitter. `failures` counts only attempts that ended with this error, so
   * that waiting for a node to restart doesn't use up the others. Throws the error if no attempt is left.
   */
  async #pauseMs(error: AppError, attempt: number, failures: number): Promise<number> {
    const { areIndependent = false } = this.options;
    const stops = this.#stops.has(error.kind);
    if (stops) await this.#stop(error);
    const { attempts, baseMs, capMs } = POLICIES[error.kind] ?? (stops ? WAITS : NEVER);
    if (failures >= attempts) throw error;
    if (attempts === WAITS.attempts) {
      const nowMs = this.#monotonicMs();
      if (!areIndependent) {
        if (nowMs - this.#succeededAtMs >= OUTAGE_MS) throw new RunStopped(outage(error));
        if ((error.detail.retryAfterMs ?? 0) >= OUTAGE_MS) throw new RunStopped(longWait(error));
      }
      this.#refusal = { error, atMs: this.#refusal?.atMs ?? nowMs };
    }
    const longest = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 10));
    const { retryAfterMs } = error.detail;
    if (areIndependent && retryAfterMs !== undefined && retryAfterMs > MAX_PAUSE_MS) {
      return MAX_PAUSE_MS * (1 - this.#random() / 2);
    }
    if (retryAfterMs === undefined) return this.#random() * longest;
    // Many calls get the same retry time, and must not all return in the same moment.
    return retryAfterMs + this.#random() * Math.min(longest, Math.max(baseMs, retryAfterMs));
  }

  /** Throws RunStopped, unless the gateway only refused this worker, which a heartbeat corrects. */
  async #stop(error: AppError): Promise<void> {
    if (error.kind !== "invalid_api_key") throw new RunStopped(error);
    await this.options.checkKey().catch((thrown) => {
      throw new RunStopped(toAppError(thrown));
    });
  }
}

const NEVER: Policy = { attempts: 1, baseMs: 0, capMs: 0 };

const longWait = ({ kind, message, detail }: AppError): AppError =>
  new AppError(kind, `${message} Resume the run then.`, detail);

const outage = (error: AppError): AppError =>
  new AppError(
    error.kind,
    `No call has succeeded for ${OUTAGE_MS / 60_000} minutes, so the run has stopped. The last error: ${error.message} Resume the run when this is resolved.`,
  );
