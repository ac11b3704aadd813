import type { Baseline } from "../../gateway/evals/scorers/baselines";
import type { EmbedTexts, ScoredAnswer } from "../../gateway/evals/scorers/types";
import type { Sign } from "./logistic";

/** A model to fit: what it looks at, and where its numbers go. */
export interface FitTask {
  /** Task of the labelled rows that it learns from. */
  task: "correctness" | "faithfulness";
  /** Features by name, with the sign that their weights may have. */
  signs: Readonly<Record<string, Sign>>;
  /** Weights set by hand, for what the labelled rows have too rarely to learn it from. */
  given: Readonly<Record<string, number>>;
  /** Strength of the ridge. */
  l2: number;
  featuresOf(answer: ScoredAnswer, embed: EmbedTexts): Promise<Readonly<Record<string, number>>>;
  baselines: Readonly<Record<string, Baseline>>;
  /** The file that is written, from the repository's root, and the source of its import and type. */
  weights: { path: string; name: string; featureType: string; featureModule: string; modelModule: string };
}
