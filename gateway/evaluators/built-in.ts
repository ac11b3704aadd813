import type { Criterion } from "../evals/contract";
import { BUILT_IN_CRITERIA } from "../evals/rubric";
import type { JudgeSettings } from "./contract";

/** An evaluator as it runs: what a released version pins. */
export interface EvaluatorDefinition {
  name: string;
  version: number;
  kind: "reference" | "judge";
  description: string;
  criteria: readonly Criterion[];
  /** null: no model is asked. */
  judge: JudgeSettings | null;
}

/** When these versions were released; they never change. */
export const RELEASED_AT = new Date("2026-11-26T00:00:00.000Z");

/** Without a model of its own, a judge asks the default chat model; runs pin which one that was. */
export const DEFAULT_JUDGE_MODEL = "default";

/** The evaluators that come with the code. */
export const BUILT_IN_EVALUATORS: readonly EvaluatorDefinition[] = [
  {
    name: "reference",
    version: 1,
    kind: "reference",
    description:
      "Without a model: compares the answer with reference answers and contexts by words, numbers, names and meaning.",
    criteria: BUILT_IN_CRITERIA,
    judge: null,
  },
  {
    name: "judge",
    version: 1,
    kind: "judge",
    description: "Asks the default chat model for each criterion: reasons first, then a verdict held to a schema.",
    criteria: BUILT_IN_CRITERIA,
    judge: { model: DEFAULT_JUDGE_MODEL, prompt: null, votes: 1, temperature: 0, seed: 0 },
  },
];

/** Which versions give the verdict until an editor chooses otherwise. A judge is only asked where someone names it. */
export const DEFAULT_ACTIVE: ReadonlyMap<string, number> = new Map([["reference", 1]]);
