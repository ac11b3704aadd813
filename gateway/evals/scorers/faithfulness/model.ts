import type { AnswerFeature } from "./answer-features";
import type { ClaimFeature } from "./claim-features";
import type { Shape } from "./shape";

/** Log-odds = bias + Σ weight · feature; features without a weight don't count. */
export interface Weights<Feature extends string> {
  bias: number;
  weights: Readonly<Partial<Record<Feature, number>>>;
}

export interface ShapeModel {
  /** Log-odds that a claim is supported. */
  claim: Weights<ClaimFeature>;
  /** Log-odds that all of an answer is. */
  answer: Weights<AnswerFeature>;
}

export type FaithfulnessModel = Readonly<Record<Shape, ShapeModel>>;

export const logOdds = <Feature extends string>(
  { bias, weights }: Weights<Feature>,
  features: Readonly<Record<Feature, number>>,
): number => {
  let sum = bias;
  for (const name in weights) sum += (weights[name] ?? 0) * features[name];
  return sum;
};

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
