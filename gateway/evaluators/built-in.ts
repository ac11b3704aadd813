import { DEFAULT_JUDGE_MODEL, type EvaluatorDefinition } from "../evals/evaluator";
import { BUILT_IN_CRITERIA, CALL_CRITERIA } from "../evals/rubric";

/** When the built-in versions were released. */
export const RELEASED_AT = new Date("2026-11-26T00:00:00.000Z");

/** The built-in evaluators. */
export const BUILT_IN_EVALUATORS: readonly EvaluatorDefinition[] = [
  {
    name: "reference",
    version: 1,
    kind: "reference",
    description:
      "Compares the answer with reference answers and contexts by words, numbers, names and meaning. Uses no chat model.",
    criteria: BUILT_IN_CRITERIA,
    judge: null,
  },
  {
    name: "judge",
    version: 1,
    kind: "judge",
    description: "Asks the chat model to judge each criterion and explain why.",
    criteria: BUILT_IN_CRITERIA,
    judge: { model: DEFAULT_JUDGE_MODEL, prompt: null, votes: 1, temperature: 0, seed: 0 },
  },
  {
    name: "exact",
    version: 1,
    kind: "exact",
    description: "Passes an answer with the same words as a reference answer, ignoring case, punctuation and articles.",
    criteria: BUILT_IN_CRITERIA.filter(({ name }) => name === "correctness"),
    judge: null,
  },
  {
    name: "tool_call",
    version: 1,
    kind: "tool_call",
    description:
      "Compares the answer's function calls with the expected ones: their names, and their arguments as JSON.",
    criteria: CALL_CRITERIA,
    judge: null,
  },
];

/** The versions that give the verdict until an editor promotes another one. A judge only runs if a request names it. */
export const DEFAULT_ACTIVE: ReadonlyMap<string, number> = new Map([["reference", 1]]);
