/**
 * Yields the values of `source` as they arrive, and undefined each time no value has arrived for `waitMs`. Leaving the
 * loop closes the source.
 */
export async function* withPauses<T>(source: AsyncIterable<T>, waitMs: number): AsyncGenerator<T | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (;;) {
      const result = await Promise.race([next, Bun.sleep(waitMs)]);
      if (result?.done) return;
      if (result) next = iterator.next();
      // The source may fail while the consumer is busy. The next iteration throws the error.
      next.catch(() => undefined);
      yield result?.value;
    }
  } finally {
    await iterator.return?.();
  }
}
