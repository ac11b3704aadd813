import { setImmediate as nextTurn } from "node:timers/promises";

/** Mapping yields to the event loop after this many milliseconds. */
const TURN_MS = 5;

/** Maps items one after the other, letting other requests run in between. Throws the signal's reason. */
export const mapInTurns = async <T, U>(
  items: readonly T[],
  signal: AbortSignal,
  map: (item: T, index: number) => U,
): Promise<U[]> => {
  const mapped: U[] = [];
  let turnEndsAt = performance.now() + TURN_MS;
  for (const [index, item] of items.entries()) {
    mapped.push(map(item, index));
    if (performance.now() < turnEndsAt) continue;
    await nextTurn();
    signal.throwIfAborted();
    turnEndsAt = performance.now() + TURN_MS;
  }
  return mapped;
};
