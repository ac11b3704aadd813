/**
 * Runs `work` for every item, at most `limit` at once. The first failure is thrown, and `signal` of what still runs is
 * aborted; it is aborted too when `outer` is.
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
