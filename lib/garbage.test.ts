import { heapSize } from "bun:jsc";
import { test } from "bun:test";
import { until } from "../tests/until";
import { collectEarly } from "./garbage";

const MIB = 1_048_576;

/** A million objects. */
const fill = () => new Set(Array.from({ length: 1_000_000 }, (_, n) => ({ n, text: `${n}` })));

test("garbage is collected before the heap has doubled, but not while that would do harm", async () => {
  let [isHarmless, asked] = [false, 0];
  const stop = collectEarly(() => {
    asked++;
    return isHarmless;
  });
  try {
    const held = fill();
    const full = heapSize();
    await until("it would have been collected", () => asked > 1);
    // While a collection runs, the reported size includes only what it has marked so far.
    await until("the heap is as large as before", () => heapSize() > full - MIB);
    held.clear();
    isHarmless = true;
    await until("the garbage was collected", () => heapSize() < full - 24 * MIB);
  } finally {
    stop();
  }
});
