import { expect, test } from "bun:test";
import { logOdds } from "../../gateway/evals/scorers/logistic";
import { fitLogistic } from "./logistic";
import { foldsOf } from "./task";

const examples = Array.from({ length: 200 }, (_, at) => {
  const label: 0 | 1 = at % 4 === 0 ? 0 : 1;
  return { features: { a: label + Math.sin(at), b: Math.cos(at), c: Math.sin(3 * at) }, label };
});
const signs = { a: "positive", b: "positive", c: "free" } as const;

test("the gradient of the loss is zero at the fitted weights, except for a weight that its sign limits", () => {
  const l2 = 0.1;
  const model = fitLogistic(examples, { signs, l2 });
  const share = examples.filter(({ label }) => label === 1).length;
  const names = ["a", "b", "c"] as const;
  const slopes = names.map((name) => {
    const values = examples.map(({ features }) => features[name]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const loss = examples.reduce((sum, { features, label }, at) => {
      const importance = 0.5 / (label === 1 ? share : examples.length - share);
      return sum + importance * (1 / (1 + Math.exp(-logOdds(model, features))) - label) * ((values[at] ?? 0) - mean);
    }, 0);
    return loss + l2 * variance * model.weights[name];
  });
  slopes.forEach((slope, feature) => {
    if (model.weights[names[feature] ?? "a"] !== 0) expect(Math.abs(slope)).toBeLessThan(1e-3);
    else expect(slope).toBeGreaterThan(-1e-3);
  });
  expect(model.weights.a).toBeGreaterThan(0);
  expect(model.weights.b).toBeGreaterThanOrEqual(0);
});

test("the fit does not change a given weight", () => {
  expect(fitLogistic(examples, { signs, l2: 0.1, given: { b: -3 } }).weights.b).toBe(-3);
});

test("a group is never split between folds, and a seed gives the same folds", () => {
  const groups = Array.from({ length: 100 }, (_, at) => `g${at % 23}`);
  const folds = foldsOf(groups, 5, 1);
  expect(new Set(groups.map((group, at) => `${group} ${folds[at]}`)).size).toBe(23);
  expect(foldsOf(groups, 5, 1)).toEqual(folds);
  expect(new Set(folds).size).toBe(5);
});
