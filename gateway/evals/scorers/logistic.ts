/** A logistic model over named features; its numbers are written by `bench/reference/fit-correctness.ts`. */
export interface LogisticModel<Feature extends string> {
  bias: number;
  weights: Readonly<Record<Feature, number>>;
}

/** 1 / (1 + e^-(bias + Σ weight · feature)), 0…1; the decision is at 0.5. */
export const probabilityOf = <Feature extends string>(
  { bias, weights }: LogisticModel<Feature>,
  features: Readonly<Record<Feature, number>>,
): number => {
  let sum = bias;
  for (const name in weights) sum += weights[name] * features[name];
  return 1 / (1 + Math.exp(-sum));
};
