import { JUDGE_LIMITS } from "./judge";
import { claimMessages, criterionMessages } from "./prompts";

const EXAMPLE = { question: "question", references: ["reference"], contexts: ["context"], output: "answer" };
const CRITERION = {
  name: "name",
  description: "description",
  scale: { min: 0, max: 1, step: 1 },
  direction: "higher_is_better",
  threshold: 1,
  weight: 1,
} as const;

/** What every judge has in common: its questions, as they are asked of an example, and their limits. */
export const JUDGE_CONSTANTS = {
  criterion: criterionMessages(EXAMPLE, CRITERION),
  claims: claimMessages(EXAMPLE, ["claim"]),
  limits: JUDGE_LIMITS,
};
