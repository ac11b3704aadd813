/** Waits for `work`, but no longer than `timeoutMs`; then resolves to undefined, and `work` goes on. Rejects with `work`. */
export const withTimeout = <T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> => {
  const timeout = Promise.withResolvers<undefined>();
  const timer = setTimeout(timeout.resolve, timeoutMs, undefined);
  return Promise.race([work, timeout.promise]).finally(() => clearTimeout(timer));
};

/** Whether `work` succeeds within `timeoutMs`. */
export const succeedsWithin = async (work: Promise<unknown>, timeoutMs: number): Promise<boolean> => {
  const result = work.then(
    () => true,
    () => false,
  );
  return (await withTimeout(result, timeoutMs)) ?? false;
};
