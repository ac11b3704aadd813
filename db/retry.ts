import { isBusy } from "./errors";

const BASE_MS = 1;
/** The longest pause between two attempts. */
export const MAX_RETRY_PAUSE_MS = 50;

/**
 * Runs `attempt` until another connection's lock is gone, at least once and until `deadlineMs` on the monotonic clock.
 * Waits with full jitter and off the event loop; the driver's own busy wait would freeze it. Throws the last error.
 */
export const retryBusy = async <T>(attempt: () => Promise<T>, deadlineMs: number): Promise<T> => {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadlineMs) throw error;
      await Bun.sleep(Math.random() * Math.min(MAX_RETRY_PAUSE_MS, BASE_MS * 2 ** tries));
    }
  }
};
