import { expect, test } from "bun:test";
import { ANSWER_FEATURES, CLAIM_FEATURES } from "./faithfulness/faithfulness-features";
import { FAITHFULNESS_MODEL } from "./faithfulness/faithfulness-model";
import { claimSpans, REFERENCE_CONSTANTS, scoreReference } from "./reference-evaluator";

const ANSWER = { question: "When was it built?", output: "It was built in 1889." };

test("references and contexts decide which criteria are scored", () => {
  const metricsOf = (references: string[], contexts: string[]) =>
    scoreReference({ ...ANSWER, references, contexts }).map(({ metric }) => metric);
  expect(metricsOf([], [])).toEqual([]);
  expect(metricsOf(["1889"], [])).toEqual(["correctness"]);
  expect(metricsOf([], ["It was built in 1889."])).toEqual(["faithfulness", "hallucination"]);
  expect(metricsOf(["1889"], ["x"])).toEqual(["correctness", "faithfulness", "hallucination"]);
});

test("every score is between 0 and 1 and has a reason; faithfulness and hallucination use the same claims", () => {
  const scores = scoreReference({ ...ANSWER, references: ["1889"], contexts: ["It was built in 1889."] });
  for (const { value, reason } of scores) {
    expect(value !== null && value >= 0 && value <= 1).toBe(true);
    expect(reason).toMatch(/\S/);
  }
  const [, faithfulness, hallucination] = scores;
  expect(faithfulness?.claims).toEqual(hallucination?.claims ?? []);
  expect(faithfulness?.claims.map(({ start, end, text }) => ({ start, end, text }))).toEqual(claimSpans(ANSWER.output));
});

test("claims are the sentences and list items that state something", () => {
  const output =
    "Sure! Here is a summary:\n\n1. It was built in 1889.\n2. It is tall.\n\nIs that all? I hope this helps.";
  expect(claimSpans(output).map(({ text }) => text)).toEqual(["It was built in 1889.", "It is tall."]);
});

test("evidence against a claim never raises its score, and every weight belongs to a feature", () => {
  const { claim, answer } = FAITHFULNESS_MODEL;
  for (const name of ["newNumbers", "newNames", "wrongFacts", "openFacts", "reversal"] as const)
    expect(claim.weights[name] ?? 0).toBeLessThan(0);
  for (const name of ["known", "aroundPassage", "pairs"] as const) expect(claim.weights[name] ?? 0).toBeGreaterThan(0);
  expect(Object.keys(claim.weights)).toEqual([...CLAIM_FEATURES]);
  expect(Object.keys(answer.weights)).toEqual([...ANSWER_FEATURES]);
});

test("the constants are plain data that can be hashed", () => {
  expect(JSON.parse(JSON.stringify(REFERENCE_CONSTANTS))).toEqual(REFERENCE_CONSTANTS);
});
