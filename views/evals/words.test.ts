import { describe, expect, test } from "bun:test";
import type { Criterion } from "../../gateway/evals/contract";
import { listText, valueText } from "./words";

const criterion = (threshold: number | null, direction: Criterion["direction"] = "higher_is_better") =>
  ({ threshold, direction }) as Criterion;

describe("a score in words", () => {
  test.each([
    [0, "0.00"],
    [1, "1.00"],
    [4, "4.00"],
    [0.5, "0.50"],
    [0.1 + 0.2, "0.30"],
    [5 / 6, "0.83"],
    [2 / 3, "0.67"],
    [0.99999, "1.00"],
    [-1.5, "-1.50"],
    [-0.0004, "0.00"],
    [87.5, "87.50"],
  ])("%p has two decimals: %p", (value, text) => {
    expect(valueText(value)).toBe(text);
  });

  test.each([
    [0.4996, criterion(0.5), "0.49"],
    [0.5, criterion(0.5), "0.50"],
    [0.5004, criterion(0.5), "0.50"],
    [0.4949, criterion(0.5), "0.49"],
    [0.99999, criterion(1), "0.99"],
    [1, criterion(1), "1.00"],
    [0.5004, criterion(0.5, "lower_is_better"), "0.51"],
    [0.4996, criterion(0.5, "lower_is_better"), "0.50"],
    [0.0004, criterion(0, "lower_is_better"), "0.01"],
    [0.4996, criterion(null), "0.50"],
  ])("%p is never rounded across its threshold", (value, by, text) => {
    expect(valueText(value, by)).toBe(text);
  });
});

test("names are joined with commas and a final and", () => {
  expect([[], ["a@1"], ["a@1", "b@1"], ["a@1", "b@1", "c@1"]].map(listText)).toEqual([
    "",
    "a@1",
    "a@1 and b@1",
    "a@1, b@1 and c@1",
  ]);
});
