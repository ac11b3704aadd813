import { setTimeout as sleep } from "node:timers/promises";
import { toAppError } from "../../lib/errors";

const PAUSE_MS = 1000;

/**
 * Retries `work` while the database is locked or unreachable, or its disk is full. Throws all other errors, and the
 * signal's reason.
 */
export const retryWhileUnavailable = async <T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  pauseMs = PAUSE_MS,
): Promise<T> => {
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const { kind } = toAppError(thrown);
      if (kind !== "unavailable" && kind !== "storage_full") throw thrown;
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
};
