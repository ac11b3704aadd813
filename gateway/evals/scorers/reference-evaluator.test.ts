import { expect, test } from "bun:test";
import type { EmbedTexts } from "./embedding";
import { ANSWER_FEATURES, CLAIM_FEATURES } from "./faithfulness/faithfulness-features";
import { FAITHFULNESS_MODEL } from "./faithfulness/faithfulness-model";
import { claimSpans, REFERENCE_CONSTANTS, scoreReference } from "./reference-evaluator";

const embed: EmbedTexts = async (texts) => texts.map((text) => Float32Array.from([text === "" ? 0 : 1]));

const ANSWER = { question: "When was it built?", output: "It was built in 1889." };

test("what there is to compare with decides what is scored", async () => {
  const metricsOf = async (references: string[], contexts: string[]) =>
    (await scoreReference({ ...ANSWER, references, contexts }, embed)).map(({ metric }) => metric);
  expect(await metricsOf([], [])).toEqual([]);
  expect(await metricsOf(["1889"], [])).toEqual(["correctness"]);
  expect(await metricsOf([], ["It was built in 1889."])).toEqual(["faithfulness", "hallucination"]);
  expect(await metricsOf(["1889"], ["x"])).toEqual(["correctness", "faithfulness", "hallucination"]);
});

test("every score is between 0 and 1 and has a reason; faithfulness and hallucination rest on the same claims", async () => {
  const scores = await scoreReference({ ...ANSWER, references: ["1889"], contexts: ["It was built in 1889."] }, embed);
  for (const { value, reason } of scores) {
    expect(value !== null && value >= 0 && value <= 1).toBe(true);
    expect(reason).toMatch(/\S/);
  }
  const [, faithfulness, hallucination] = scores;
  expect(faithfulness?.claims).toEqual(hallucination?.claims ?? []);
  expect(faithfulness?.claims.map(({ start, end, text }) => ({ start, end, text }))).toEqual(claimSpans(ANSWER.output));
});

test("claims are the sentences and list items that say something", () => {
  const output =
    "Sure! Here is a summary:\n\n1. It was built in 1889.\n2. It is tall.\n\nIs that all? I hope this helps.";
  expect(claimSpans(output).map(({ text }) => text)).toEqual(["It was built in 1889.", "It is tall."]);
});

test("what is against a claim never helps it, and each weight belongs to a feature", () => {
  const against = [
    "newShare",
    "newGap",
    "passageGap",
    "newNumbers",
    "newNames",
    "wrongFacts",
    "wrongHours",
    "reversal",
  ] as const;
  for (const { claim, answer } of Object.values(FAITHFULNESS_MODEL)) {
    for (const name of against) expect(claim.weights[name] ?? 0).toBeLessThanOrEqual(0);
    expect(claim.weights.aroundPassage).toBeGreaterThanOrEqual(0);
    expect(Object.keys(claim.weights).filter((name) => !CLAIM_FEATURES.some((known) => known === name))).toEqual([]);
    expect(Object.keys(answer.weights).filter((name) => !ANSWER_FEATURES.some((known) => known === name))).toEqual([]);
  }
});

test("the constants are data that can be hashed", () => {
  expect(JSON.parse(JSON.stringify(REFERENCE_CONSTANTS))).toEqual(REFERENCE_CONSTANTS);
});
