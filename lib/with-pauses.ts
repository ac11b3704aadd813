/**
 * The values of `source` as they arrive, and undefined each time that none has arrived for `waitMs`. Leaving the loop
 * ends the source.
 */
export async function* withPauses<T>(source: AsyncIterable<T>, waitMs: number): AsyncGenerator<T | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (;;) {
      const result = await Promise.race([next, Bun.sleep(waitMs)]);
      if (result?.done) return;
      if (result) next = iterator.next();
      // It may fail while the consumer is busy. The next round throws it.
      next.catch(() => undefined);
      yield result?.value;
    }
  } finally {
    await iterator.return?.();
  }
}
