/** Waits up to `timeoutMs` for `work`, then resolves to undefined; `work` is not cancelled. Rejects if `work` does. */
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
