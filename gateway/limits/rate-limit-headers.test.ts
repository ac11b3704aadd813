import { expect, test } from "bun:test";
import { formatSpan, policyHeader, rateLimitHeader } from "./ledger";

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

test("the headers are structured field lists of strings with parameters", () => {
  expect(policyHeader("key_a", 120, 8)).toBe(
    '"requests";q=120;w=60;pk=:a2V5X2E=:, "parallel";q=8;qu="concurrent-requests";pk=:a2V5X2E=:',
  );
  expect(rateLimitHeader([{ name: "requests", remaining: 3, changesInMs: 11_001 }])).toBe('"requests";r=3;t=12');
  expect(rateLimitHeader([{ name: "parallel", remaining: 0 }])).toBe('"parallel";r=0');
});
