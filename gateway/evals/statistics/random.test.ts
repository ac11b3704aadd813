import { expect, test } from "bun:test";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { times } from "../../../tests/statistics/simulate";
import { createRandom, Random } from "./random";

test("the numbers match the published generator", () => {
  const random = new Random(1, 2, 3, 4);
  const published = [
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ];
  expect(times(10, () => random.nextUint32())).toEqual(published);
});

test("a seed gives the same numbers as another implementation", () => {
  for (const { seed, outputs } of reference.random) {
    const random = createRandom(seed);
    expect(times(outputs.length, () => random.nextUint32())).toEqual(outputs);
  }
});

test("every index is drawn about equally often, and never one outside the range", () => {
  const random = createRandom(5);
  const counts = new Float64Array(97);
  for (let i = 0; i < 970_000; i++) {
    const position = random.nextBelow(97);
    counts[position] = (counts[position] ?? Number.NaN) + 1;
  }
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  // With 96 degrees of freedom, 99.9 % of true generators stay below 144.6.
  expect(chiSquare).toBeLessThan(144.6);
});
