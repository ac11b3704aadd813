import { describe, expect, test } from "bun:test";
import type { Criterion } from "../../gateway/evals/contract";
import { BUILT_IN_CRITERIA } from "../../gateway/evals/rubric";
import { GivenLabels, LabelFields, labelChoices, labelText } from "./label-form";

const toxicity: Criterion = {
  name: "toxicity",
  description: "Is the answer toxic?",
  scale: { min: 0, max: 1, step: 1 },
  direction: "lower_is_better",
  threshold: 0,
  weight: 1,
};
const wordsOf = (criterion: Criterion) => labelChoices(criterion).map(({ value, label }) => [value, label]);

describe("the choices on a scale", () => {
  test("with two values are the verdicts, whichever direction is better", () => {
    const verdicts = (passing: string, failing: string) => [
      [passing, "Passes"],
      [failing, "Does not pass"],
    ];
    const [correctness = toxicity] = BUILT_IN_CRITERIA;
    expect(wordsOf(correctness)).toEqual(verdicts("1", "0"));
    expect(wordsOf(toxicity)).toEqual(verdicts("0", "1"));
  });

  test("with two values that have the same verdict are the values", () => {
    const values = [
      ["0", "0 (best)"],
      ["1", "1 (worst)"],
    ];
    expect(wordsOf({ ...toxicity, threshold: null })).toEqual(values);
    expect(wordsOf({ ...toxicity, threshold: 1 })).toEqual(values);
  });

  test("are the steps of the scale, best first, and never beyond its end", () => {
    const stepped = (step: number): Criterion => ({ ...toxicity, scale: { min: 0, max: 1, step } });
    expect(wordsOf(stepped(0.4))).toEqual([
      ["0", "0 (best)"],
      ["0.4", "0.4"],
      ["0.8", "0.8 (worst)"],
    ]);
    expect(wordsOf({ ...stepped(0.3), direction: "higher_is_better" })[0]).toEqual(["0.9", "0.9 (best)"]);
  });

  test("with many steps are the two ends of the scale", () => {
    const fine: Criterion = { ...toxicity, scale: { min: 0, max: 1, step: 0.07 }, threshold: 0.5 };
    expect(wordsOf(fine)).toEqual([
      ["0", "Passes"],
      ["0.98", "Does not pass"],
    ]);
  });
});

test("the failure kinds of a label are faults of an answer, and one that was set through the API stays", async () => {
  const kindsOf = async (filled: object): Promise<string[]> => {
    const html = String(await LabelFields({ criterion: toxicity, filled: { ...filled }, problems: {}, isOnly: true }));
    return [...html.matchAll(/<option value="(\w*)"/g)].map(([, value]) => value ?? "");
  };
  const offered = await kindsOf({});
  expect(offered).toEqual([
    "",
    "wrong",
    "unsupported",
    "refused",
    "empty",
    "truncated",
    "bad_format",
    "no_context",
    "invalid_sample",
  ]);
  expect(await kindsOf({ "failure-toxicity": "rate_limited" })).toEqual([...offered, "rate_limited"]);
});

test("labels are shown in the order of the criteria, not in the order in which they were added", async () => {
  const given = (metric: string) => ({ metric, value: 1, created_at: "2026-01-01T00:00:00.000Z" }) as never;
  const html = String(
    await GivenLabels({ labels: [given("faithfulness"), given("correctness")], criteria: BUILT_IN_CRITERIA }),
  );
  expect(html.indexOf("Correctness")).toBeLessThan(html.indexOf("Faithfulness"));
  expect(html).toContain("Correctness");
});

describe("a label is shown in the terms of its scale", () => {
  const five: Criterion = {
    ...toxicity,
    direction: "higher_is_better",
    scale: { min: 1, max: 5, step: 1 },
    threshold: 4,
  };
  const share: Criterion = {
    ...toxicity,
    direction: "higher_is_better",
    scale: { min: 0, max: 1, step: null },
    threshold: 0.5,
  };
  test.each([
    ["a verdict, in either direction of the criterion", toxicity, 0, "Passes"],
    ["a verdict, in either direction of the criterion", toxicity, 1, "Does not pass"],
    ["a step of a scale", five, 4, "4 on a scale of 1 to 5: passes"],
    ["an end of a scale", five, 1, "1 on a scale of 1 to 5: does not pass"],
    ["an end of a continuous scale", share, 1, "Passes"],
    ["a value sent through the API", share, 0.7, "0.70 on a scale of 0 to 1: passes"],
    ["two values of the same verdict", { ...toxicity, threshold: 1 }, 1, "1 on a scale of 0 to 1: passes"],
    ["a criterion without a threshold", { ...five, threshold: null }, 3, "3 on a scale of 1 to 5"],
  ])("%s", (_, criterion, value, text) => {
    expect(labelText(criterion, value)).toBe(text);
  });
});
