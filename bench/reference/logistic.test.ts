import { expect, test } from "bun:test";
import { type Example, fitLogistic, logit } from "./logistic";
import { foldsOf } from "./task";

const examples: Example[] = Array.from({ length: 200 }, (_, at) => {
  const label: 0 | 1 = at % 4 === 0 ? 0 : 1;
  return { features: [label + Math.sin(at), Math.cos(at), Math.sin(3 * at)], label };
});
const signs = ["positive", "positive", "free"] as const;

test("the gradient of the loss is zero at the fitted weights, except for a weight that its sign limits", () => {
  const l2 = 0.1;
  const model = fitLogistic(examples, { signs, l2 });
  const share = examples.filter(({ label }) => label === 1).length;
  const slopes = [0, 1, 2].map((feature) => {
    const values = examples.map(({ features }) => features[feature] ?? 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const loss = examples.reduce((sum, { features, label }, at) => {
      const importance = 0.5 / (label === 1 ? share : examples.length - share);
      return sum + importance * (1 / (1 + Math.exp(-logit(model, features))) - label) * ((values[at] ?? 0) - mean);
    }, 0);
    return loss + l2 * variance * (model.weights[feature] ?? 0);
  });
  slopes.forEach((slope, feature) => {
    if ((model.weights[feature] ?? 0) !== 0) expect(Math.abs(slope)).toBeLessThan(1e-3);
    else expect(slope).toBeGreaterThan(-1e-3);
  });
  expect(model.weights[0]).toBeGreaterThan(0);
  expect(model.weights[1]).toBeGreaterThanOrEqual(0);
});

test("the fit does not change a given weight", () => {
  expect(fitLogistic(examples, { signs, l2: 0.1, given: [undefined, -3] }).weights[1]).toBe(-3);
});

test("a group is never split between folds, and a seed gives the same folds", () => {
  const groups = Array.from({ length: 100 }, (_, at) => `g${at % 23}`);
  const folds = foldsOf(groups, 5, 1);
  expect(new Set(groups.map((group, at) => `${group} ${folds[at]}`)).size).toBe(23);
  expect(foldsOf(groups, 5, 1)).toEqual(folds);
  expect(new Set(folds).size).toBe(5);
});
