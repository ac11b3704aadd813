import { expect, spyOn, test } from "bun:test";
import { until } from "../tests/until";
import { collectEarly } from "./garbage";

/** A million objects. */
const fill = () => new Set(Array.from({ length: 1_000_000 }, (_, n) => ({ n, text: `${n}` })));

test("a grown heap is collected, but not while that would do harm", async () => {
  using gc = spyOn(Bun, "gc");
  let [isHarmless, asked] = [false, 0];
  const stop = collectEarly(() => {
    asked++;
    return isHarmless;
  });
  try {
    // All of it is in use: JavaScriptCore's own collections don't make the heap small again.
    const held = fill();
    await until("it would have been collected", () => asked > 1);
    expect(gc).not.toHaveBeenCalled();
    isHarmless = true;
    await until("the heap was collected", () => gc.mock.calls.length > 0);
    expect(held.size).toBe(1_000_000);
  } finally {
    stop();
  }
});
