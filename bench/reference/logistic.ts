/* L2-regularised logistic regression with weights of known sign. Deterministic: no seeds, a fixed number of steps. */

export interface Example {
  /** Values of the features, in the order of their names. */
  features: readonly number[];
  label: 0 | 1;
}

/** `positive`: more of the feature never lowers the score. */
export type Sign = "positive" | "negative" | "free";

export interface FitOptions {
  signs: readonly Sign[];
  /** Strength of the ridge on the weights of standardised features; the bias is left out of it. */
  l2: number;
  /** Both classes count the same, however many examples each has. */
  balanced?: boolean;
  steps?: number;
}

export interface LogisticModel {
  bias: number;
  weights: number[];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const logit = ({ bias, weights }: LogisticModel, features: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * (features[index] ?? 0), bias);

interface Scale {
  mean: number;
  deviation: number;
}

const scaleOf = (examples: readonly Example[], feature: number): Scale => {
  const values = examples.map(({ features }) => features[feature] ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
};

const project = (weight: number, sign: Sign | undefined): number => {
  if (sign === "positive") return Math.max(0, weight);
  return sign === "negative" ? Math.min(0, weight) : weight;
};

/**
 * Minimises the mean log loss plus `l2 / 2 · |w|²` by projected coordinate descent with Newton steps, which the quarter
 * bound on the logistic's curvature keeps from overshooting (Böhning and Lindsay 1988). Weights are of the raw features.
 */
export const fitLogistic = (
  examples: readonly Example[],
  { signs, l2, balanced = true, steps = 400 }: FitOptions,
): LogisticModel => {
  const scales = signs.map((_, feature) => scaleOf(examples, feature));
  const rows = examples.map(({ features }) =>
    scales.map(({ mean, deviation }, feature) => ((features[feature] ?? 0) - mean) / deviation),
  );
  const share = examples.filter(({ label }) => label === 1).length / examples.length;
  const importance = examples.map(({ label }) =>
    balanced ? 0.5 / (label === 1 ? share : 1 - share) / examples.length : 1 / examples.length,
  );
  const weights: number[] = signs.map(() => 0);
  let bias = 0;
  const sums = rows.map(() => 0);

  /** Sum over examples of importance · residual · x. */
  const slope = (x: (row: readonly number[]) => number): number => {
    let total = 0;
    rows.forEach((row, at) => {
      total += (importance[at] ?? 0) * (sigmoid(sums[at] ?? 0) - (examples[at]?.label ?? 0)) * x(row);
    });
    return total;
  };
  const move = (by: number, x: (row: readonly number[]) => number): void => {
    rows.forEach((row, at) => {
      sums[at] = (sums[at] ?? 0) + by * x(row);
    });
  };

  for (let step = 0; step < steps; step++) {
    const biasStep = -slope(() => 1) * 4;
    bias += biasStep;
    move(biasStep, () => 1);
    signs.forEach((sign, feature) => {
      const x = (row: readonly number[]) => row[feature] ?? 0;
      const weight = weights[feature] ?? 0;
      const curvature = 0.25 * rows.reduce((sum, row, at) => sum + (importance[at] ?? 0) * x(row) ** 2, 0) + l2;
      const next = project(weight - (slope(x) + l2 * weight) / curvature, sign);
      if (next === weight) return;
      weights[feature] = next;
      move(next - weight, x);
    });
  }
  const raw = weights.map((weight, feature) => weight / (scales[feature]?.deviation ?? 1));
  const shift = raw.reduce((sum, weight, feature) => sum + weight * (scales[feature]?.mean ?? 0), 0);
  return { bias: bias - shift, weights: raw };
};
