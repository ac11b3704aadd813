/**
 * Runs `work` for every item, at most `limit` in parallel. Throws the first failure. `signal` is aborted at the first
 * failure and when `outer` is aborted.
 */
export const inParallel = async <T>(
  items: readonly T[],
  limit: number,
  outer: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (failed.signal.aborted) return;
      await work(item, signal);
    }
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(workers);
    throw error;
  }
};
