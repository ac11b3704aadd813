/**
 * Results of `work` in the order of the items, of which at most `parallel` are worked on at the same time. After a failure
 * nothing more is begun; when what runs then has ended, that failure is thrown.
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
