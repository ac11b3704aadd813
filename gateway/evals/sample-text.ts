import type { NewSample } from "../datasets/contract";
import type { ScoredAnswer } from "./scored-answer";
import { questionOf } from "./target";

const NAME_LENGTH = 80;

/** The parts of a sample that evaluators see, with the output. */
export const answerOf = (
  { input, references, contexts }: Pick<NewSample, "input" | "references" | "contexts">,
  output: string,
): ScoredAnswer => ({
  question: questionOf(input),
  references: references ?? [],
  contexts: contexts ?? [],
  output,
});

/** Name of a run of one sample: the start of its question. */
export const nameOf = ({ input }: Pick<NewSample, "input">): string => {
  const line = (questionOf(input) ?? "").trim().replaceAll(/\s+/g, " ");
  if (line === "") return "Evaluation";
  return line.length > NAME_LENGTH ? `${line.slice(0, NAME_LENGTH - 1).trimEnd()}…` : line;
};
