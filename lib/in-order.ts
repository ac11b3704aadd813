/**
 * Results of `work` in the order of the items, of which at most `parallel` are worked on at the same time. Rejects with
 * the first failure; what runs then runs to its end.
 */
export const inOrder = async <T, R>(
  items: readonly T[],
  parallel: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, run));
  return results;
};
