import { expect, test } from "bun:test";
import { formatSpan } from "./headers";

test("time spans are in OpenAI's format, rounded up", () => {
  expect([0, 0.2, 12, 999.1, 1000, 12_500, 59_999, 60_000, 360_000, 61_500].map(formatSpan)).toEqual([
    "0ms",
    "1ms",
    "12ms",
    "1s",
    "1s",
    "12.5s",
    "59.999s",
    "1m0s",
    "6m0s",
    "1m1.5s",
  ]);
});
