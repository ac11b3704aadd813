/** A logistic model over named features. The scripts in `bench/reference/` write its weights. */
export interface LogisticModel<Feature extends string> {
  bias: number;
  /** A feature without a weight is ignored. */
  weights: Readonly<Partial<Record<Feature, number>>>;
}

/** bias + Σ weight · feature. */
export const logOdds = <Feature extends string>(
  { bias, weights }: LogisticModel<Feature>,
  features: Readonly<Record<Feature, number>>,
): number => {
  let sum = bias;
  for (const name in weights) sum += (weights[name] ?? 0) * features[name];
  return sum;
};

/** The probability for given log-odds, 0…1. */
export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));
