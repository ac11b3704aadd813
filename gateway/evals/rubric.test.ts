import { describe, expect, test } from "bun:test";
import { choicesOf, valueOn } from "./rubric";

const scaled = (min: number, max: number, step: number | null) => ({ scale: { min, max, step } });

describe("the choices of a scale", () => {
  test.each([
    [scaled(1, 5, 1), [1, 2, 3, 4, 5]],
    [scaled(0, 1, null), [0, 0.25, 0.5, 0.75, 1]],
    [scaled(0, 0.3, 0.1), [0, 0.1, 0.2, 0.3]],
    [scaled(0, 1, 0.3), [0, 0.3, 0.6, 0.9]],
    [scaled(0, 1, 0.4), [0, 0.4, 0.8]],
    [scaled(-0.3, 0.3, 0.1), [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]],
    [scaled(0, 1, 2), [0]],
  ])("of %j ascend and don't exceed its maximum", (criterion, choices) => {
    expect(choicesOf(criterion)).toEqual(choices);
  });
});

describe("a value on a scale", () => {
  test("with steps is one of its choices, without rounding error", () => {
    const criterion = scaled(0, 1, 0.3);
    expect([0, 0.9, 3 * 0.3, 0.1 + 0.2].map((value) => valueOn(criterion, value))).toEqual([0, 0.9, 0.9, 0.3]);
    expect([1, 0.45, -0.3, 1.2, Number.NaN].map((value) => valueOn(criterion, value))).toEqual(
      Array(5).fill(undefined),
    );
  });

  test("without steps may be anything from its minimum to its maximum", () => {
    const criterion = scaled(0, 1, null);
    expect([0, 0.123, 1].map((value) => valueOn(criterion, value))).toEqual([0, 0.123, 1]);
    expect([-0.001, 1.001, Number.NaN].map((value) => valueOn(criterion, value))).toEqual(Array(3).fill(undefined));
  });
});
