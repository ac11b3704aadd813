import { type LogisticModel, sigmoid } from "../../gateway/evals/scorers/logistic";

/* L2-regularised logistic regression with sign constraints on the weights. Deterministic: it uses no random numbers. */

interface Example<Feature extends string> {
  features: Readonly<Record<Feature, number>>;
  label: 0 | 1;
}

/** Sign constraint of a feature's weight. `positive`: a higher value never lowers the score. */
export type Sign = "positive" | "negative" | "free";

interface FitOptions<Feature extends string> {
  signs: Readonly<Record<Feature, Sign>>;
  /** Fixed weights of features that are too rare in the examples to be learned. */
  given?: Readonly<Partial<Record<Feature, number>>>;
  /** Strength of the ridge penalty on the weights of standardised features. The bias is not penalised. */
  l2: number;
}

/** Maximum number of sweeps over all weights. */
const MAX_SWEEPS = 1000;
/** A fit has converged when a sweep changes no weight by this much. */
const TOLERANCE = 1e-4;

/** A feature's values in all examples, standardised to mean 0 and standard deviation 1. */
interface Column {
  values: Float64Array;
  mean: number;
  deviation: number;
  /** Upper bound of the loss's second derivative with respect to the feature's weight, without the ridge penalty. */
  curvature: number;
  sign: Sign;
}

const columnOf = (values: Float64Array, importance: Float64Array, sign: Sign): Column => {
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

/** The weight of each example in the loss. Both classes have the same total weight. */
const importanceOf = (examples: readonly Pick<Example<never>, "label">[]): Float64Array => {
  const ones = examples.filter(({ label }) => label === 1).length;
  return Float64Array.from(examples, ({ label }) => 0.5 / (label === 1 ? ones : examples.length - ones));
};

const project = (weight: number, sign: Sign): number => {
  if (sign === "positive") return Math.max(0, weight);
  return sign === "negative" ? Math.min(0, weight) : weight;
};

/**
 * Minimises the mean log loss plus `l2 / 2 · |w|²`, where `w` are the weights of the standardised features, by
 * projected coordinate descent. The bound of 1/4 on the logistic curvature keeps steps from overshooting (Böhning and
 * Lindsay 1988). Both classes have the same importance. The returned weights apply to the raw features.
 */
export const fitLogistic = <Feature extends string>(
  examples: readonly Example<Feature>[],
  { signs, l2, given }: FitOptions<Feature>,
): LogisticModel<Feature> & { weights: Record<Feature, number> } => {
  const importance = importanceOf(examples);
  const labels = Float64Array.from(examples, ({ label }) => label);
  const ones = new Float64Array(examples.length).fill(1);
  const names = Object.keys(signs) as Feature[];
  const columns = names.map((name) =>
    columnOf(
      Float64Array.from(examples, ({ features }) => features[name]),
      importance,
      signs[name],
    ),
  );
  const weights = new Float64Array(columns.length);
  const fixed = names.map((name): number | undefined => given?.[name]);
  const sums = Float64Array.from(examples, ({ features }) =>
    names.reduce((sum, name, feature) => sum + (fixed[feature] ?? 0) * features[name], 0),
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

  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    const biasStep = -4 * slopeAlong(ones);
    bias += biasStep;
    moveAlong(ones, biasStep);
    let largest = Math.abs(biasStep);
    columns.forEach(({ values, curvature, sign }, feature) => {
      if (fixed[feature] !== undefined) return;
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
  const named = names.map((name, feature) => [name, fixed[feature] ?? fitted[feature] ?? 0]);
  return { bias: bias - shift, weights: Object.fromEntries(named) };
};

/** Rounds a weight for the source file: four decimals, never -0. */
const roundWeight = (value: number): number => Number(value.toFixed(4)) + 0;

/** The TypeScript source of a model. */
export const toSource = ({ bias, weights }: { bias: number; weights: Readonly<Record<string, number>> }): string =>
  JSON.stringify({
    bias: roundWeight(bias),
    weights: Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, roundWeight(weight)])),
  });
