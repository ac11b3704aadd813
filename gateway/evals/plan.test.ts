import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { BUILT_IN_EVALUATORS } from "../evaluators/built-in";
import type { Criterion, Rubric } from "./contract";
import type { ChosenEvaluator } from "./evaluator";
import { planScoring } from "./plan";
import type { ScoredAnswer } from "./scored-answer";

const ANSWER = { question: "Who?", references: ["Ada"], contexts: ["It was Ada."], output: "Ada." };
const politeness: Criterion = {
  name: "politeness",
  description: "Is it polite?",
  scale: { min: 0, max: 1, step: 1 },
  direction: "higher_is_better",
  threshold: 1,
  weight: 1,
};
const chosen = (parts: Partial<ChosenEvaluator>): ChosenEvaluator => ({
  name: "polite",
  version: 1,
  kind: "judge",
  description: "",
  criteria: [politeness],
  judge: { model: "m", prompt: null, votes: 1, temperature: 0, seed: 0 },
  reference: "polite@1",
  hash: "h",
  shadow: false,
  ...parts,
});
const builtIn = (name: string): ChosenEvaluator =>
  chosen({ ...BUILT_IN_EVALUATORS.find((each) => each.name === name), reference: `${name}@1` });
const [reference, judge, toolCall] = [builtIn("reference"), builtIn("judge"), builtIn("tool_call")];
const names = (evaluators: ChosenEvaluator[], rubric?: Rubric, answer: ScoredAnswer = ANSWER) =>
  planScoring(evaluators, rubric, answer).map(({ evaluator, criteria }) => [
    evaluator.reference,
    ...criteria.map(({ name }) => name),
  ]);

describe("without a rubric", () => {
  test("each evaluator scores its own criteria with its own definitions", () => {
    const reworded = chosen({
      reference: "polite@2",
      shadow: true,
      criteria: [{ ...politeness, description: "Is it kind?", threshold: 0 }],
    });
    const plan = planScoring([chosen({}), reworded], undefined, ANSWER);
    expect(plan.map(({ criteria }) => criteria)).toEqual([[politeness], [...reworded.criteria]]);
    expect(names([reference, chosen({})])).toEqual([
      ["reference@1", "correctness", "faithfulness", "hallucination"],
      ["polite@1", "politeness"],
    ]);
  });

  test("only criteria that the sample has data for are scored", () => {
    expect(names([reference], undefined, { ...ANSWER, contexts: [] })).toEqual([["reference@1", "correctness"]]);
    expect(names([reference], undefined, { ...ANSWER, references: [] })).toEqual([
      ["reference@1", "faithfulness", "hallucination"],
    ]);
    const bare = { ...ANSWER, references: [], contexts: [] };
    expect(names([reference, chosen({})], undefined, bare)).toEqual([["reference@1"], ["polite@1", "politeness"]]);
    expect(() => planScoring([reference], undefined, bare)).toThrow(AppError);
  });
});

describe("function calls", () => {
  const calls = { expected: [], made: [], tools: [] };
  const rubric = { criteria: ["correctness", "tool_name"] };

  test("are only scored by tool_call, and only if the sample expects any", () => {
    const scored = ["tool_call@1", "tool_name", "tool_arguments"];
    expect(names([reference, toolCall], undefined, { ...ANSWER, contexts: [], calls })).toEqual([
      ["reference@1", "correctness"],
      scored,
    ]);
    expect(names([reference, toolCall])[1]).toEqual(["tool_call@1"]);
    expect(names([judge, toolCall], rubric)).toEqual([
      ["judge@1", "correctness"],
      ["tool_call@1", "tool_name"],
    ]);
  });

  test("need tool_call in a rubric", () => {
    expect(() => planScoring([reference, judge], rubric, { ...ANSWER, calls })).toThrow(
      'reference@1, judge@1 can\'t score "tool_name". Add tool_call@1 to `evaluators`.',
    );
  });
});

describe("with a rubric", () => {
  test("only judges score custom criteria", () => {
    expect(names([reference, judge], { criteria: ["correctness", politeness] })).toEqual([
      ["reference@1", "correctness"],
      ["judge@1", "correctness", "politeness"],
    ]);
  });

  test("a criterion that no evaluator can score is rejected", () => {
    expect(() => planScoring([reference], { criteria: ["correctness", politeness] }, ANSWER)).toThrow(
      'reference@1 can\'t score "politeness".',
    );
  });

  test.each([
    [{ scale: { min: 1, max: 5, step: 1 } }],
    [{ direction: "lower_is_better" as const }],
    [{ description: "Is it nice?" }],
  ])("a built-in criterion can't be redefined: %j is rejected", (changes) => {
    const [correctness] = reference.criteria;
    const changed = { ...correctness, ...changes, threshold: 1 } as Criterion;
    expect(() => planScoring([reference], { criteria: [changed] }, ANSWER)).toThrow(
      "only its threshold and weight can be changed",
    );
    const stricter = { ...correctness, threshold: 0.9 } as Criterion;
    expect(planScoring([reference], { criteria: [stricter] }, ANSWER)[0]?.criteria).toEqual([stricter]);
  });
});
