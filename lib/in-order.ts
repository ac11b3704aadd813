/**
 * Maps items with at most `parallel` concurrent calls of `work`. Results are in the order of the items. After a failure,
 * no more items start, and the error is thrown once the running ones have finished.
 */
export const inOrder = async <T, R>(
  items: readonly T[],
  parallel: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = [];
  let next = 0;
  let failure: { error: unknown } | undefined;
  const run = async (): Promise<void> => {
    for (let index = next++; index < items.length && !failure; index = next++) {
      try {
        results[index] = await work(items[index] as T, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, run));
  if (failure) throw failure.error;
  return results;
};
