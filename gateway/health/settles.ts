/** Whether `work` succeeds within `timeoutMs`. */
export const settles = async (work: Promise<unknown>, timeoutMs: number): Promise<boolean> => {
  const timeout = Promise.withResolvers<false>();
  const timer = setTimeout(timeout.resolve, timeoutMs, false);
  const done = work.then(
    () => true,
    () => false,
  );
  return Promise.race([done, timeout.promise]).finally(() => clearTimeout(timer));
};
