/** Waits for a condition. Throws if it is still false after `timeoutMs`. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not true after ${timeoutMs} ms: ${what}`);
    await Bun.sleep(10);
  }
};
