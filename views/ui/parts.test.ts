import { expect, test } from "bun:test";
import { duration } from "./parts";

test("a duration never has 60 seconds", () => {
  expect([840, 2400, 59_940, 59_960, 185_000, 299_600, 3_599_900].map(duration)).toEqual([
    "840 ms",
    "2.4 s",
    "59.9 s",
    "1 min 0 s",
    "3 min 5 s",
    "5 min 0 s",
    "60 min 0 s",
  ]);
});
