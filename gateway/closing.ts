import type { Log } from "../lib/log";

/**
 * Runs all steps in order, even after a failure, because anything left open would keep the process running. Logs each
 * failure, and throws at the end if there was one.
 */
export const closeAll = async (steps: Readonly<Record<string, () => unknown>>, log: Log): Promise<void> => {
  const failed: string[] = [];
  for (const [name, close] of Object.entries(steps)) {
    try {
      await close();
    } catch (error) {
      failed.push(name);
      log.error({ err: error, step: name }, "closing failed");
    }
  }
  if (failed.length > 0) throw new Error(`Failed to close: ${failed.join(", ")}. The log has the reason.`);
};
