import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { listAudit } from "../../db/audit";
import type { Db } from "../../db/client";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import type { Call } from "../call";
import { createEvaluators, type EvaluatorService } from "../evaluators/service";
import type { Principal } from "../principal";
import type { Criterion, EvaluateRequest } from "./contract";
import type { ScoredCriterion } from "./scored-answer";
import { createEvals, type EvalService } from "./service";
import { createEvalTransfer, type EvalTransfer } from "./transfer";

let db: Db;
let evaluators: EvaluatorService;
let evals: EvalService;
let transfer: EvalTransfer;
/** The judge model's answer to a question. An error is thrown. */
let says: (question: string) => number | AppError;
/** The questions that judges have asked. */
let asked: string[];
/** The value of reference@1 for every criterion. */
let referenceValue: number;

const callOf = (principal: Principal = PRINCIPAL): Call => ({
  principal,
  requestId: "req_1",
  signal: new AbortController().signal,
  priority: "interactive",
  directives: { noCache: false, noStore: false, onlyIfCached: false },
  receivedAt: 0,
});
const noSeal = async () => {};

beforeEach(async () => {
  db = await temporaryDb();
  evaluators = createEvaluators({ db });
  transfer = createEvalTransfer({ db });
  asked = [];
  says = () => 1;
  referenceValue = 1;
  const scored = (metric: string): ScoredCriterion => ({
    metric,
    value: referenceValue,
    reason: "",
    claims: [],
    votes: [],
    by: null,
    error: null,
  });
  evals = createEvals({
    db,
    evaluators,
    log: silentLog(),
    engine: { nodes: () => [] },
    prompts: { resolve: () => Promise.reject(new Error("No prompt.")) },
    datasets: {
      sample: () => Promise.reject(new Error("No dataset.")),
      revision: () => Promise.reject(new Error("No dataset.")),
    },
    rag: {
      open: () => Promise.reject(new Error("No index.")),
      answer: () => Promise.reject(new Error("No index.")),
    },
    reference: {
      score: async () => ["correctness", "faithfulness", "hallucination"].map(scored),
      claimsOf: async () => [],
    },
    chat: {
      answer: async (_, { messages }) => {
        const text = JSON.stringify(messages);
        asked.push(text);
        const score = says(text);
        if (score instanceof AppError) throw score;
        const content = JSON.stringify({ reason: "Because.", score });
        return { message: { content }, model: "m", model_revision: "r" } as never;
      },
    },
  });
});
afterEach(() => db.close());

const politeness = (parts: Partial<Criterion> = {}): Criterion => ({
  name: "politeness",
  description: "Old wording?",
  scale: { min: 0, max: 1, step: 1 },
  direction: "higher_is_better",
  threshold: 1,
  weight: 1,
  ...parts,
});
const JUDGE = { model: "m", prompt: null, votes: 1, temperature: 0, seed: 0 };
const create = (criterion: Criterion) =>
  evaluators.create(PRINCIPAL, { name: "polite", criteria: [criterion], judge: JUDGE }, noSeal);
const SAMPLE = { input: "Who?", references: ["Ada"], output: "Ada." };
const evaluate = (request: Partial<EvaluateRequest> = {}) => evals.evaluate(callOf(), { sample: SAMPLE, ...request });
const resultOf = async (id: string) => {
  const { run, results } = await evals.get(PRINCIPAL, id);
  const [result] = results.data;
  if (!result) throw new Error("The run has no result.");
  return { run, result };
};

describe("an evaluator uses its own criteria", () => {
  test("a shadow is asked with its own description and passes by its own threshold", async () => {
    await create(politeness({ threshold: 0 }));
    await create(politeness({ description: "New wording?" }));
    await evaluators.promote(PRINCIPAL, "polite", 1);
    await evaluators.shadow(PRINCIPAL, "polite", 2);
    says = () => 0;
    const { result } = await evaluate();
    const own = result.scores.filter(({ metric }) => metric === "politeness");
    expect(
      own.map(({ evaluator, shadow, passed, criterion }) => [evaluator, shadow, passed, criterion.description]),
    ).toEqual([
      ["polite@1", false, true, "Old wording?"],
      ["polite@2", true, false, "New wording?"],
    ]);
    expect(asked.map((question) => question.includes("New wording?"))).toEqual([false, true]);
  });

  test("a judge with its own criterion does not score the reference evaluator's criteria", async () => {
    await create(politeness());
    await evaluators.promote(PRINCIPAL, "polite", 1);
    const { result } = await evaluate();
    expect(result.scores.map(({ metric, evaluator }) => `${evaluator} ${metric}`)).toEqual([
      "polite@1 politeness",
      "reference@1 correctness",
    ]);
    expect(result.passed).toBe(true);
  });
});

describe("a recomputation", () => {
  const loading = new AppError("model_loading", "The model is being loaded.");

  test("scores again what failed, and updates the verdict", async () => {
    says = () => loading;
    const { run, result } = await evaluate({ evaluators: ["judge@1"] });
    expect([result.passed, result.failure]).toEqual([null, "judge_error"]);
    says = () => 1;
    const { added, results } = await evals.recompute(callOf(), run.id, { evaluators: ["judge@1"] });
    expect(added).toBe(1);
    const [again] = results.data;
    expect(again?.scores.map(({ state }) => state)).toEqual(["error", "scored"]);
    expect([again?.passed, again?.failure]).toEqual([true, null]);
    const { run: after } = await resultOf(run.id);
    expect(after.statistics.map(({ n, errors }) => [n, errors])).toEqual([[1, 0]]);
  });

  test("reuses existing values, and can count a shadow score for the verdict", async () => {
    const { run } = await evaluate();
    says = () => 0;
    const alongside = await evals.recompute(callOf(), run.id, { evaluators: ["judge@1"], shadow: true });
    expect([alongside.added, alongside.results.data[0]?.passed]).toEqual([1, true]);
    const again = await evals.recompute(callOf(), run.id, { evaluators: ["judge@1"], shadow: true });
    expect([again.added, asked.length]).toEqual([0, 1]);
    const say = await evals.recompute(callOf(), run.id, { evaluators: ["judge@1"] });
    expect([say.added, asked.length, say.results.data[0]?.passed]).toEqual([1, 1, false]);
    expect(say.run.statistics.map(({ evaluator, shadow }) => [evaluator, shadow])).toEqual([
      ["reference@1", false],
      ["judge@1", false],
    ]);
  });

  test("with another rubric is for comparison, and changes neither the verdict nor the statistics of the run", async () => {
    referenceValue = 0.4;
    const { run } = await evaluate({ evaluators: ["reference@1"] });
    const [score] = (await resultOf(run.id)).result.scores;
    const lax = { criteria: [{ ...(score?.criterion as Criterion), threshold: 0 }] };
    const after = await evals.recompute(callOf(), run.id, { evaluators: ["reference@1"], rubric: lax });
    expect([after.run.passed, after.results.data[0]?.passed]).toEqual([0, false]);
    expect(after.run.statistics.map(({ shadow, pass_rate }) => [shadow, pass_rate?.value])).toEqual([
      [false, 0],
      [true, 1],
    ]);
    const say = evals.recompute(callOf(), run.id, { evaluators: ["reference@1"], rubric: lax, shadow: false });
    expect((await problemOf(say)).detail.param).toBe("shadow");
  });

  test("uses the rubric that the run was requested with", async () => {
    referenceValue = 0.8;
    const { run } = await evaluate();
    const strict = {
      criteria: [{ ...((await resultOf(run.id)).result.scores[0]?.criterion as Criterion), threshold: 0.9 }],
    };
    const asked = await evaluate({ rubric: strict });
    const { results } = await evals.recompute(callOf(), asked.run.id, { evaluators: ["judge@1"], shadow: true });
    expect(results.data[0]?.scores.map(({ criterion }) => criterion.threshold)).toEqual([0.9, 0.9]);
  });

  test("may only change the verdict of another key's run for an editor, and is recorded in the audit log", async () => {
    const { run } = await evaluate();
    const member: Principal = { ...PRINCIPAL, keyId: "key_other", role: "member" };
    const say = evals.recompute(callOf(member), run.id, { evaluators: ["judge@1"] });
    expect((await problemOf(say)).kind).toBe("insufficient_role");
    await evals.recompute(callOf(member), run.id, { evaluators: ["judge@1"], shadow: true });
    const [line] = await listAudit(db, run.id, 10);
    expect(line).toMatchObject({ actor: "key_other", action: "run.recompute" });
  });
});

test("a chat target asks the model even if the sample has an output", async () => {
  const { run, result } = await evaluate({ target: { kind: "chat", model: "m" }, evaluators: ["reference@1"] });
  expect(run.pins.target.kind).toBe("chat");
  expect(result.output?.text).not.toBe(SAMPLE.output);
  expect((await evaluate({ evaluators: ["reference@1"] })).run.pins.target).toEqual({ kind: "stored" });
});

test("an empty answer also fails with a judge", async () => {
  const { result } = await evaluate({
    sample: { input: "Who?", contexts: ["It was Ada."], output: "" },
    evaluators: ["judge@1"],
  });
  expect([result.passed, result.failure]).toEqual([false, "empty"]);
});

describe("an exported run", () => {
  const file = async () => transfer.export(PRINCIPAL, (await evaluate({ evaluators: ["reference@1"] })).run.id);
  const refusal = async (change: (content: Awaited<ReturnType<typeof file>>) => void) => {
    const content = structuredClone(await file());
    content.run.id = `run_${"1".repeat(32)}`;
    for (const { result } of content.results) result.id = `res_${"1".repeat(32)}`;
    change(content);
    const error = await problemOf(transfer.import(PRINCIPAL, content, noSeal));
    return [error.kind, error.detail.param];
  };

  test("does not contain a text twice", async () => {
    const text = JSON.stringify(
      await transfer.export(
        PRINCIPAL,
        (await evaluate({ sample: { ...SAMPLE, contexts: ["It was only Ada."] } })).run.id,
      ),
    );
    expect(text.split("It was only Ada.")).toHaveLength(2);
  });

  test.each<[string, Parameters<typeof refusal>[0], string]>([
    ["has not ended", ({ run }) => Object.assign(run, { state: "running" }), "run.state"],
    ["contains a result twice", ({ results }) => results.push(...results), "results.1.result.id"],
    [
      "contains a sample twice",
      ({ results }) => results.push(...results.map((each) => ({ ...each, result: { ...each.result, id: "res_x" } }))),
      "results.1.result.sample_key",
    ],
    [
      "has a value off its scale",
      ({ results }) => Object.assign(results[0]?.result.scores[0] ?? {}, { value: 7 }),
      "results.0.result.scores.0.value",
    ],
    [
      "has an invalid criterion",
      ({ results }) => Object.assign(results[0]?.result.scores[0]?.criterion ?? {}, { direction: "lower_is_better" }),
      "results.0.result.scores.0.criterion",
    ],
    [
      "asks for an unknown criterion",
      ({ run }) => Object.assign(run.pins, { rubric: { criteria: ["beauty"] } }),
      "run.pins.rubric",
    ],
  ])("that %s is rejected, naming the field, and the history stays readable", async (_, change, param) => {
    expect(await refusal(change)).toEqual(["invalid_request", param]);
    expect((await evals.list(PRINCIPAL, {})).data).toHaveLength(1);
  });

  test("does not import its own verdict", async () => {
    const content = structuredClone(await file());
    content.run.id = `run_${"1".repeat(32)}`;
    for (const { result } of content.results) {
      Object.assign(result, { id: `res_${"1".repeat(32)}`, passed: false, failure: "wrong" });
      for (const score of result.scores) score.passed = false;
    }
    await transfer.import(PRINCIPAL, content, noSeal);
    const { result } = await resultOf(content.run.id);
    expect([result.passed, result.failure, result.scores[0]?.passed]).toEqual([true, null, true]);
  });

  test("can't be imported by a key whose content may not be stored", async () => {
    const discreet = { ...PRINCIPAL, contentLogging: false };
    expect((await problemOf(transfer.import(discreet, await file(), noSeal))).kind).toBe("insufficient_role");
  });
});
