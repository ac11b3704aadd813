import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { problemOf } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import type { Call } from "../call";
import { BUILT_IN_EVALUATORS } from "../evaluators/built-in";
import { type ChosenEvaluator, evaluatorHash, referenceOf } from "../evaluators/service";
import type { Criterion } from "./contract";
import { criteriaOf, rubricHash } from "./rubric";
import type { ScoredCriterion } from "./scored";
import { applicable, decidedBy, type ReferenceScorer, scoreAnswer } from "./scoring";

const call: Call = {
  principal: PRINCIPAL,
  requestId: "req_1",
  signal: new AbortController().signal,
  priority: "interactive",
  directives: { noCache: false, noStore: false, onlyIfCached: false },
  receivedAt: 0,
};
const [reference, judge] = BUILT_IN_EVALUATORS.map(
  (definition): ChosenEvaluator => ({
    ...definition,
    reference: referenceOf(definition),
    hash: evaluatorHash(definition),
    shadow: false,
  }),
) as [ChosenEvaluator, ChosenEvaluator];
const ANSWER = { question: "Who?", references: ["Ada"], contexts: ["It was Ada."], output: "Ada." };
const politeness: Criterion = {
  name: "politeness",
  description: "Is it polite?",
  scale: { min: 0, max: 1, step: 1 },
  direction: "higher_is_better",
  threshold: 1,
  weight: 1,
};

const scored = (metric: string, value: number): ScoredCriterion => ({
  metric,
  value,
  reason: "Because.",
  claims: [],
  votes: [],
  by: null,
  error: null,
});
const allOnes: ReferenceScorer = {
  score: async () => ["correctness", "faithfulness", "hallucination"].map((metric) => scored(metric, 1)),
  claimsOf: async (output) => [{ text: output, start: 0, end: output.length }],
};
const depsOf = (parts: { reference?: ReferenceScorer; says?: string | AppError } = {}) => ({
  log: silentLog(),
  reference: parts.reference ?? allOnes,
  prompts: { resolve: () => Promise.reject(new Error("No prompt.")) },
  chat: {
    answer: async () => {
      if (parts.says instanceof AppError) throw parts.says;
      return { message: { content: parts.says ?? "" }, model: "m", model_revision: "r" } as never;
    },
  },
});
const planOf = (
  evaluators: ChosenEvaluator[],
  criteria = criteriaOf({ criteria: ["correctness", "faithfulness"] }),
) => ({
  evaluators,
  criteria,
  rubricHash: rubricHash(criteria),
});

test("each criterion has a score of each evaluator, by the rubric's threshold and its hash", async () => {
  const strict = criteriaOf({ criteria: ["correctness"] }).map((criterion) => ({ ...criterion, threshold: 0.9 }));
  const half = { ...allOnes, score: async () => [scored("correctness", 0.8)] };
  const [score] = await scoreAnswer(depsOf({ reference: half }), call, planOf([reference], strict), ANSWER);
  expect(score).toMatchObject({
    metric: "correctness",
    evaluator: "reference@1",
    state: "scored",
    value: 0.8,
    passed: false,
    reason: "Because.",
    rubric_hash: rubricHash(strict),
    judge: null,
  });
});

describe("what can't be scored is an error, never a value", () => {
  test("a criterion that the sample has nothing for", async () => {
    const bare = { ...ANSWER, contexts: [] };
    const scores = await scoreAnswer(depsOf(), call, planOf([reference]), bare);
    expect(scores.map(({ metric, state, value }) => [metric, state, value])).toEqual([
      ["correctness", "scored", 1],
      ["faithfulness", "error", null],
    ]);
    expect(scores[1]?.error?.message).toContain("no contexts");
  });

  test("an evaluator that breaks, and it keeps nothing from the others", async () => {
    const broken = { ...allOnes, score: () => Promise.reject(new Error("It broke.")) };
    const says = JSON.stringify({ reason: "Because.", score: 1 });
    const plan = planOf([reference, judge], criteriaOf({ criteria: ["correctness"] }));
    const scores = await scoreAnswer(depsOf({ reference: broken, says }), call, plan, ANSWER);
    expect(scores.map(({ evaluator, state, error }) => [evaluator, state, error?.code])).toEqual([
      ["reference@1", "error", "internal"],
      ["judge@1", "scored", undefined],
    ]);
  });

  test("a judge whose model is not there", async () => {
    const says = new AppError("model_loading", "The model is being loaded.", { retryAfterMs: 2000 });
    const scores = await scoreAnswer(depsOf({ says }), call, planOf([judge]), ANSWER);
    expect(scores.map(({ value, passed, error }) => [value, passed, error?.code])).toEqual([
      [null, null, "model_loading"],
      [null, null, "model_loading"],
    ]);
  });

  test("a judge that can't be read", async () => {
    const scores = await scoreAnswer(depsOf({ says: "It is fine." }), call, planOf([judge]), ANSWER);
    expect(scores.every(({ state, error }) => state === "error" && error?.code === "upstream_error")).toBe(true);
  });
});

test("a caller who leaves is no score", async () => {
  const left = { ...allOnes, score: () => Promise.reject(new AppError("client_closed", "The caller has left.")) };
  const scoring = scoreAnswer(depsOf({ reference: left }), call, planOf([reference]), ANSWER);
  expect((await problemOf(scoring)).kind).toBe("client_closed");
});

test("a judge pins its model, revision, temperature and seed with the score", async () => {
  const says = JSON.stringify({ reason: "Because.", score: 1 });
  const plan = planOf([judge], criteriaOf({ criteria: ["correctness"] }));
  const [score] = await scoreAnswer(depsOf({ says }), call, plan, ANSWER);
  expect(score?.judge).toEqual({ model: "m", model_revision: "r", temperature: 0, seed: 0 });
});

test("criteria of one's own go to the judge alone", () => {
  const criteria = [...criteriaOf({ criteria: ["correctness"] }), politeness];
  expect(decidedBy(reference, criteria).map(({ name }) => name)).toEqual(["correctness"]);
  expect(decidedBy(judge, criteria).map(({ name }) => name)).toEqual(["correctness", "politeness"]);
});

test("without a rubric those count that the sample has something to compare with", () => {
  const names = (parts: Partial<typeof ANSWER>) =>
    applicable(reference.criteria, { ...ANSWER, ...parts }).map(({ name }) => name);
  expect(names({})).toEqual(["correctness", "faithfulness", "hallucination"]);
  expect(names({ contexts: [] })).toEqual(["correctness"]);
  expect(names({ references: [] })).toEqual(["faithfulness", "hallucination"]);
});
