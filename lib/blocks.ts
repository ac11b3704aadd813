/** Splits a list into blocks of `size` items, in order. The last one may be shorter. */
export function* blocksOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
