import type { Log } from "../lib/log";

/**
 * Runs every step, one after the other, whatever becomes of the others: what is left open by one that failed would keep
 * the process from ending. Each failure is logged; throws at the end when there was one.
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
  if (failed.length > 0) throw new Error(`Not closed as they should be: ${failed.join(", ")}. The log says why.`);
};
