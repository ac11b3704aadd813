import { setTimeout as sleep } from "node:timers/promises";
import { toAppError } from "../lib/errors";

/** How long work is retried while the other service is unreachable or busy. */
const MAX_RETRY_MS = 120_000;
const PAUSE_MS = 1000;

/**
 * Retries `work` for two minutes while its error is retryable, and without a limit while it is rate-limited. Then
 * throws the error.
 */
export const retry = async <T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  monotonicMs = () => performance.now(),
): Promise<T> => {
  const untilMs = monotonicMs() + MAX_RETRY_MS;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toAppError(thrown);
      const { retryAfterMs: pauseMs = PAUSE_MS } = error.detail;
      // A budget may free in weeks, so the job ends here and is repeated then.
      const isSoon = monotonicMs() < untilMs && pauseMs <= MAX_RETRY_MS;
      const mayWait = error.kind === "rate_limited" || (error.retryable && isSoon);
      if (!mayWait) throw error;
      await sleep(pauseMs, undefined, { signal });
    }
  }
};
