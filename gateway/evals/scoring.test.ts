import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { problemOf } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import type { Call } from "../call";
import { BUILT_IN_EVALUATORS } from "../evaluators/built-in";
import { evaluatorHash, referenceOf } from "../evaluators/service";
import type { ChosenEvaluator } from "./evaluator";
import { criteriaOf, criterionHash } from "./rubric";
import type { ScoredCriterion } from "./scored-answer";
import { type ReferenceScorer, scoreAnswer } from "./scoring";

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
  chat: {
    answer: async () => {
      if (parts.says instanceof AppError) throw parts.says;
      return { message: { content: parts.says ?? "" }, model: "m", model_revision: "r" } as never;
    },
  },
});
const planOf = (evaluators: ChosenEvaluator[], criteria = criteriaOf({ criteria: ["correctness", "faithfulness"] })) =>
  evaluators.map((evaluator) => ({ evaluator, criteria }));

test("each evaluator scores each criterion, with the criterion's threshold and both hashes", async () => {
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
    evaluator_hash: reference.hash,
    criterion: strict[0],
    criterion_hash: strict[0] && criterionHash(strict[0]),
    judge: null,
  });
});

describe("an error instead of a value", () => {
  test("is stored for a criterion that the sample has no data for", async () => {
    const bare = { ...ANSWER, contexts: [] };
    const scores = await scoreAnswer(depsOf(), call, planOf([reference]), bare);
    expect(scores.map(({ metric, state, value }) => [metric, state, value])).toEqual([
      ["correctness", "scored", 1],
      ["faithfulness", "error", null],
    ]);
    expect(scores[1]?.error?.message).toContain("no contexts");
  });

  test("is stored for an evaluator that fails, and other evaluators are not affected", async () => {
    const broken = { ...allOnes, score: () => Promise.reject(new Error("It broke.")) };
    const says = JSON.stringify({ reason: "Because.", score: 1 });
    const plan = planOf([reference, judge], criteriaOf({ criteria: ["correctness"] }));
    const scores = await scoreAnswer(depsOf({ reference: broken, says }), call, plan, ANSWER);
    expect(scores.map(({ evaluator, state, error }) => [evaluator, state, error?.code])).toEqual([
      ["reference@1", "error", "internal"],
      ["judge@1", "scored", undefined],
    ]);
  });

  test("is stored for a judge whose model is unavailable", async () => {
    const says = new AppError("model_loading", "The model is being loaded.", { retryAfterMs: 2000 });
    const scores = await scoreAnswer(depsOf({ says }), call, planOf([judge]), ANSWER);
    expect(scores.map(({ value, passed, error }) => [value, passed, error?.code])).toEqual([
      [null, null, "model_loading"],
      [null, null, "model_loading"],
    ]);
  });

  test("is stored for a judge with invalid output", async () => {
    const scores = await scoreAnswer(depsOf({ says: "It is fine." }), call, planOf([judge]), ANSWER);
    expect(scores.every(({ state, error }) => state === "error" && error?.code === "upstream_error")).toBe(true);
  });
});

test("scoring stops when the caller disconnects, instead of storing an error", async () => {
  const left = {
    ...allOnes,
    score: () => Promise.reject(new AppError("client_closed", "The caller has disconnected.")),
  };
  const scoring = scoreAnswer(depsOf({ reference: left }), call, planOf([reference]), ANSWER);
  expect((await problemOf(scoring)).kind).toBe("client_closed");
});

describe("a judge that times out", () => {
  const says = new AppError("deadline_exceeded", "The node took too long.");

  test("has an error as its score, and other scores are kept", async () => {
    const plan = planOf([reference, judge], criteriaOf({ criteria: ["correctness"] }));
    const scores = await scoreAnswer(depsOf({ says }), call, plan, ANSWER);
    expect(scores.map(({ state, error }) => [state, error?.code])).toEqual([
      ["scored", undefined],
      ["error", "deadline_exceeded"],
    ]);
  });

  test("stops scoring if the caller's deadline has passed", async () => {
    const late = { ...call, signal: AbortSignal.abort() };
    expect((await problemOf(scoreAnswer(depsOf({ says }), late, planOf([judge]), ANSWER))).kind).toBe(
      "deadline_exceeded",
    );
  });
});

test("a judge's score records its model, revision, temperature and seed", async () => {
  const says = JSON.stringify({ reason: "Because.", score: 1 });
  const plan = planOf([judge], criteriaOf({ criteria: ["correctness"] }));
  const [score] = await scoreAnswer(depsOf({ says }), call, plan, ANSWER);
  expect(score?.judge).toEqual({ model: "m", model_revision: "r", temperature: 0, seed: 0 });
});
