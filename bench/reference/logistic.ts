/* L2-regularised logistic regression with weights of known sign. Deterministic: it draws nothing. */

export interface Example {
  /** Values of the features, in the order of their names. */
  features: readonly number[];
  label: 0 | 1;
}

/** `positive`: more of the feature never lowers the score. */
export type Sign = "positive" | "negative" | "free";

export interface FitOptions {
  signs: readonly Sign[];
  /** Fixed weights by feature, undefined for fitted ones. For features that are too rare in the examples to learn. */
  given?: readonly (number | undefined)[];
  /** Strength of the ridge on the weights of standardised features; the bias is left out of it. */
  l2: number;
}

export interface LogisticModel {
  bias: number;
  weights: number[];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const logit = ({ bias, weights }: LogisticModel, features: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * (features[index] ?? 0), bias);

/** Maximum sweeps of a fit, and the change of weights below which it ends earlier. */
const MOST_SWEEPS = 1000;
const TOLERANCE = 1e-4;

/** A feature's values by example, with mean 0 and deviation 1. */
interface Column {
  values: Float64Array;
  mean: number;
  deviation: number;
  /** Bound on the loss's curvature along it, without the ridge. */
  curvature: number;
  sign: Sign;
}

const columnOf = (examples: readonly Example[], importance: Float64Array, feature: number, sign: Sign): Column => {
  const values = Float64Array.from(examples, ({ features }) => features[feature] ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.sqrt(variance) || 1;
  let curvature = 0;
  for (let at = 0; at < values.length; at++) {
    const value = ((values[at] ?? 0) - mean) / deviation;
    values[at] = value;
    curvature += 0.25 * (importance[at] ?? 0) * value ** 2;
  }
  return { values, mean, deviation, curvature, sign };
};

/** Both classes have the same total weight. */
const importanceOf = (examples: readonly Example[]): Float64Array => {
  const ones = examples.filter(({ label }) => label === 1).length;
  return Float64Array.from(examples, ({ label }) => 0.5 / (label === 1 ? ones : examples.length - ones));
};

const project = (weight: number, sign: Sign): number => {
  if (sign === "positive") return Math.max(0, weight);
  return sign === "negative" ? Math.min(0, weight) : weight;
};

/**
 * Minimises the mean log loss plus `l2 / 2 · |w|²` of the weights of standardised features by projected coordinate
 * descent; the quarter bound on the logistic's curvature keeps its steps from overshooting (Böhning and Lindsay 1988).
 * Both classes have the same importance. The weights returned are those of the raw features.
 */
export const fitLogistic = (examples: readonly Example[], { signs, l2, given = [] }: FitOptions): LogisticModel => {
  const importance = importanceOf(examples);
  const labels = Float64Array.from(examples, ({ label }) => label);
  const ones = new Float64Array(examples.length).fill(1);
  const columns = signs.map((sign, feature) => columnOf(examples, importance, feature, sign));
  const weights = new Float64Array(columns.length);
  const sums = Float64Array.from(examples, ({ features }) =>
    given.reduce<number>((sum, weight = 0, feature) => sum + weight * (features[feature] ?? 0), 0),
  );
  let bias = 0;

  const slopeAlong = (values: Float64Array): number => {
    let slope = 0;
    for (let at = 0; at < values.length; at++) {
      slope += (importance[at] ?? 0) * (sigmoid(sums[at] ?? 0) - (labels[at] ?? 0)) * (values[at] ?? 0);
    }
    return slope;
  };
  const moveAlong = (values: Float64Array, by: number): void => {
    for (let at = 0; at < values.length; at++) sums[at] = (sums[at] ?? 0) + by * (values[at] ?? 0);
  };

  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    const biasStep = -4 * slopeAlong(ones);
    bias += biasStep;
    moveAlong(ones, biasStep);
    let largest = Math.abs(biasStep);
    columns.forEach(({ values, curvature, sign }, feature) => {
      if (given[feature] !== undefined) return;
      const weight = weights[feature] ?? 0;
      const next = project(weight - (slopeAlong(values) + l2 * weight) / (curvature + l2), sign);
      if (next === weight) return;
      weights[feature] = next;
      moveAlong(values, next - weight);
      largest = Math.max(largest, Math.abs(next - weight));
    });
    if (largest < TOLERANCE) break;
  }
  const fitted = columns.map(({ deviation }, feature) => (weights[feature] ?? 0) / deviation);
  const shift = columns.reduce((sum, { mean }, feature) => sum + (fitted[feature] ?? 0) * mean, 0);
  return { bias: bias - shift, weights: fitted.map((weight, feature) => given[feature] ?? weight) };
};

/** A weight as it is written to a file: four decimals, never -0. */
const roundWeight = (value: number): number => Number(value.toFixed(4)) + 0;

/** A model as it is written to a TypeScript file. */
export const toSource = ({ bias, weights }: { bias: number; weights: Readonly<Record<string, number>> }): string =>
  JSON.stringify({
    bias: roundWeight(bias),
    weights: Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, roundWeight(weight)])),
  });
