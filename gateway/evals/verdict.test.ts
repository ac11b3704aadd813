import { describe, expect, test } from "bun:test";
import type { Criterion } from "./contract";
import { criteriaOf } from "./rubric";
import {
  criteriaOfScores,
  currentScores,
  decidingScores,
  inRunOrder,
  outcomeOf,
  type RunOrder,
  verdictsOf,
} from "./verdict";

const said = (text: string) => ({ text, finish_reason: null });
const SAMPLE = { references: ["Paris"] };

/** A correctness score by reference@1 that counts for the verdict; null: an error. */
const score = (
  value: number | null,
  parts: { metric?: string; evaluator?: string; rubric?: string; shadow?: boolean } = {},
) => {
  const { metric = "correctness", evaluator = "reference@1", rubric = "a", shadow = false } = parts;
  const threshold = metric === "hallucination" ? null : 0.5;
  const passed = value === null || threshold === null ? null : value >= threshold;
  return { metric, evaluator, criterion_hash: rubric, shadow, value, passed, criterion: { threshold } as never };
};

describe("the verdict over all criteria", () => {
  const faithfulness = { metric: "faithfulness" };
  test.each([
    ["passes if all pass", [score(1), score(1, faithfulness)], true],
    ["fails if one fails", [score(1), score(0, faithfulness)], false],
    ["fails if one fails, even if another is unknown", [score(null), score(0, faithfulness)], false],
    ["is unknown while one is unknown", [score(1), score(null, faithfulness)], null],
    ["is unknown without scores", [], null],
    ["ignores criteria without a threshold", [score(1), score(1, { metric: "hallucination" })], true],
    ["ignores shadow evaluators", [score(1), score(0, { evaluator: "judge@1", shadow: true })], true],
    ["requires every evaluator that counts", [score(1), score(0, { evaluator: "judge@1" })], false],
  ])("%s", (_, scores, passed) => {
    expect(outcomeOf(said("Paris"), scores, SAMPLE).passed).toBe(passed);
  });

  test("an answer that only calls functions is not empty", () => {
    const call = { id: "call_1", type: "function" as const, function: { name: "now", arguments: "{}" } };
    const output = { ...said(""), tool_calls: [call] };
    expect(outcomeOf(output, [score(1)], SAMPLE)).toMatchObject({ passed: true, failure: null });
    expect(outcomeOf(output, [score(0)], SAMPLE)).toMatchObject({ passed: false, failure: "wrong" });
    expect(verdictsOf(output, [score(1)], {})[0]?.passed).toBe(true);
  });

  test("an empty answer never passes, whatever its scores", () => {
    expect(outcomeOf(said(" \n"), [score(1)], SAMPLE)).toMatchObject({ passed: false, failure: "empty" });
    expect(outcomeOf(said(""), [score(1, faithfulness)], SAMPLE)).toMatchObject({ passed: false, failure: "empty" });
  });
});

describe("the fallback text of an index", () => {
  const fallback = { ...said("Dazu steht nichts in den Dokumenten."), status: "no_relevant_context" as const };
  test.each<[string, string[], boolean, "no_context" | null]>([
    ["fails as no_context if the sample has a reference", ["Paris"], false, "no_context"],
    ["passes if the sample has no reference", [], true, null],
    ["passes if a reference abstains", ["unanswerable", "Unknown"], true, null],
  ])("%s", (_, references, passed, failure) => {
    expect(outcomeOf(fallback, [score(passed ? 1 : 0)], { references })).toMatchObject({ passed, failure });
  });
});

describe("of several scores by an evaluator on a criterion", () => {
  test("the newest counts, and another version replaces the earlier one", () => {
    const [old, newer] = [score(0), score(1, { evaluator: "reference@2" })];
    expect(decidingScores([old, newer])).toEqual([newer]);
    expect(outcomeOf(said("Paris"), [old, newer], SAMPLE).passed).toBe(true);
  });

  test("a value replaces an error, but an error never replaces a value", () => {
    const [failed, value] = [score(null), score(1)];
    expect(decidingScores([failed, value])).toEqual([value]);
    expect(decidingScores([value, failed])).toEqual([value]);
    expect(currentScores([value, failed])).toEqual([value]);
  });

  test("a score that counts replaces a shadow's, and a score with another rubric is kept separately", () => {
    const [shadow, counted, other] = [score(1, { shadow: true }), score(1), score(0, { rubric: "b", shadow: true })];
    expect(currentScores([shadow, counted, other])).toEqual([counted, other]);
    expect(currentScores([counted, shadow])).toEqual([counted]);
    expect(decidingScores([shadow, counted, other])).toEqual([counted]);
  });
});

test("a criterion with two definitions is shown with the one that the verdict used", () => {
  const [correctness] = criteriaOf({ criteria: ["correctness"] });
  if (!correctness) throw new Error("correctness is not built in.");
  const strict = { ...correctness, threshold: 0.9 };
  const scores = [
    { ...score(1, { rubric: "b", shadow: true }), criterion: strict },
    { ...score(1), criterion: correctness },
  ];
  expect(criteriaOfScores(scores as never)).toEqual([correctness]);
});

const criteria = criteriaOf({ criteria: ["correctness", "faithfulness", "hallucination"] });
const full = (metric: string, value: number | null, parts: { evaluator?: string; shadow?: boolean } = {}) => {
  const criterion = criteria.find(({ name }) => name === metric) as Criterion;
  return { ...score(value, { metric, ...parts }), criterion };
};
const JUDGE = { evaluator: "judge@1" };
const SHADOW = { evaluator: "polite@1", shadow: true };
const run = (...evaluators: string[]): RunOrder => ({
  evaluators: evaluators.map((evaluator) => ({ evaluator }) as never),
});

describe("the verdict of each evaluator", () => {
  test("has its own overall score: two evaluators are never averaged", () => {
    const scores = [full("correctness", 1), full("faithfulness", 0.5), full("correctness", 0, JUDGE)];
    expect(verdictsOf({ text: "Paris" }, scores, run("reference@1", "judge@1"))).toEqual([
      { evaluator: "reference@1", role: "verdict", passed: true, overall: 0.75 },
      { evaluator: "judge@1", role: "verdict", passed: false, overall: 0 },
    ]);
  });

  test("has the comparison role for a shadow, and the replaced role for an older version", () => {
    const scores = [
      full("correctness", 1, SHADOW),
      full("correctness", 0, JUDGE),
      full("correctness", 1, { evaluator: "judge@2" }),
    ];
    expect(verdictsOf({ text: "Paris" }, scores, run()).map(({ evaluator, role }) => [evaluator, role])).toEqual([
      ["polite@1", "comparison"],
      ["judge@1", "replaced"],
      ["judge@2", "verdict"],
    ]);
  });

  test("is in the run's order, whatever was scored first or is missing", () => {
    const scores = [
      full("correctness", 1, { evaluator: "late@1" }),
      full("hallucination", 0, JUDGE),
      full("faithfulness", 1),
      full("correctness", 1, SHADOW),
    ];
    const names = (...pinned: string[]) =>
      verdictsOf({ text: "Paris" }, scores, run(...pinned)).map(({ evaluator }) => evaluator);
    expect(names("reference@1", "judge@1")).toEqual(["reference@1", "judge@1", "late@1", "polite@1"]);
    expect(names()).toEqual(["late@1", "judge@1", "reference@1", "polite@1"]);
  });

  test("ignores an evaluator's shadow scores with another rubric", () => {
    const shadow = { ...full("correctness", 0), shadow: true, criterion_hash: "b" };
    expect(verdictsOf({ text: "Paris" }, [full("correctness", 1), shadow], run())).toEqual([
      { evaluator: "reference@1", role: "verdict", passed: true, overall: 1 },
    ]);
  });

  test("is a failure for an empty answer, and null if a value is missing", () => {
    expect(verdictsOf({ text: " " }, [full("correctness", 1)], run())[0]?.passed).toBe(false);
    expect(verdictsOf({ text: "Paris" }, [full("correctness", null)], run())[0]).toMatchObject({
      passed: null,
      overall: null,
    });
  });
});

describe("the order of a run", () => {
  const item = (metric: string, evaluator: string) => ({ metric, evaluator });
  const places = (items: { metric: string; evaluator: string }[], order: RunOrder) =>
    inRunOrder(items, order).map(({ metric, evaluator }) => `${metric} ${evaluator}`);

  test("follows the rubric for criteria and the run for evaluators", () => {
    const items = [item("tone", "b@1"), item("correctness", "b@1"), item("tone", "a@1"), item("correctness", "a@1")];
    const rubric = { criteria: [{ ...(criteria[0] as Criterion), name: "tone" }, "correctness"] };
    expect(places(items, { ...run("a@1", "b@1"), rubric })).toEqual([
      "tone a@1",
      "tone b@1",
      "correctness a@1",
      "correctness b@1",
    ]);
  });

  test("without a rubric starts with the built-in criteria, and ends with those that the run doesn't name", () => {
    const items = [
      item("tone", "late@1"),
      item("hallucination", "reference@1"),
      item("wit", "judge@1"),
      item("tone", "judge@1"),
      item("correctness", "late@1"),
      item("correctness", "reference@1"),
    ];
    expect(places(items, run("reference@1", "judge@1"))).toEqual([
      "correctness reference@1",
      "correctness late@1",
      "hallucination reference@1",
      "tone judge@1",
      "tone late@1",
      "wit judge@1",
    ]);
  });
});

describe("an evaluator's overall score", () => {
  const weighed = (value: number | null, weight: number, direction = "higher_is_better", max = 1) => ({
    ...score(value, { metric: `${weight} ${direction} ${max}` }),
    criterion: { weight, direction, scale: { min: 0, max, step: null }, threshold: null } as never,
  });
  const overallOf = (...scores: ReturnType<typeof weighed>[]) =>
    verdictsOf({ text: "Paris" }, scores, run())[0]?.overall;

  test("is the weighted mean of all values, each scaled so that 1 is best", () => {
    expect(overallOf(weighed(1, 3), weighed(2, 1, "lower_is_better", 4))).toBeCloseTo((3 + 0.5) / 4);
    expect(overallOf(weighed(0.5, 1), weighed(1, 0))).toBe(0.5);
  });

  test.each([
    ["counts", {}, "verdict"],
    ["is a shadow", { shadow: true }, "comparison"],
  ])("uses the newest definition of each criterion, with its weight, for an evaluator that %s", (_, parts, role) => {
    const scored = (metric: string, rubric: string, value: number | null, weight: number) => ({
      ...score(value, { metric, rubric, ...parts }),
      criterion: {
        weight,
        direction: "higher_is_better",
        scale: { min: 0, max: 1, step: null },
        threshold: null,
      } as never,
    });
    // A second rubric redefines the tone and omits the length.
    const scores = [scored("tone", "a", 0, 1), scored("length", "a", 1, 1), scored("tone", "b", 0.5, 3)];
    expect(verdictsOf({ text: "Paris" }, scores, run())).toMatchObject([{ role, overall: (3 * 0.5 + 1) / 4 }]);
    // If scoring with the new definition fails, the value for the old one is kept.
    expect(
      verdictsOf({ text: "Paris" }, [...scores.slice(0, 2), scored("tone", "b", null, 3)], run())[0]?.overall,
    ).toBe(0.5);
  });

  test("of a result is the lowest one of the evaluators that decide, without shadows", () => {
    const by = (evaluator: string, value: number | null, shadow = false) => ({
      ...weighed(value, 1),
      ...{ evaluator, shadow },
    });
    const scores = [by("reference@1", 1), by("judge@1", 0.6), by("other@1", 0, true)];
    expect(outcomeOf(said("Paris"), scores, SAMPLE).overall).toBe(0.6);
    expect(outcomeOf(said("Paris"), [by("reference@1", null)], SAMPLE).overall).toBeNull();
  });

  test("is null if a value is missing or no criterion has a weight", () => {
    expect(overallOf(weighed(1, 1), weighed(null, 2))).toBeNull();
    expect(overallOf(weighed(1, 0))).toBeNull();
  });
});
