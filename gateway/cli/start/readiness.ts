const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 2000;

/** Resolves when `GET /readyz` of the gateway at `url` answers 200, however long its model takes. Rejects when aborted. */
export const waitUntilReady = async (url: string, signal: AbortSignal): Promise<"ready"> => {
  while (!(await isReady(url))) {
    await Bun.sleep(POLL_MS);
    signal.throwIfAborted();
  }
  return "ready";
};

const isReady = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
};
