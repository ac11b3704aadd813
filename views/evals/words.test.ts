import { describe, expect, test } from "bun:test";
import { valueText } from "./words";

describe("a value in words", () => {
  test.each([
    [0, "0"],
    [1, "1"],
    [4, "4"],
    [0.5, "0.5"],
    [0.25, "0.25"],
    [0.1 + 0.2, "0.3"],
    [0.125, "0.125"],
    [5 / 6, "0.833"],
    [2 / 3, "0.667"],
    [-1.5, "-1.5"],
  ])("%p is %p", (value, text) => {
    expect(valueText(value)).toBe(text);
  });

  test.each([
    [0.4996, "0.4996"],
    [0.50004, "0.50004"],
    [0.5496, "0.5496"],
    [0.99999, "0.99999"],
    [0.0004, "0.0004"],
  ])("%p is %p: rounded it would be on the other side of a threshold, or on it", (value, text) => {
    expect(valueText(value)).toBe(text);
  });
});
