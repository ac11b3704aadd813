import { afterAll, describe, expect, test } from "bun:test";
import { updateDataset } from "../../../db/datasets";
import { openComparing, type StoredSample, samplesFrom } from "../../../tests/compared-runs";
import { BUILT_IN_CRITERIA } from "../../evals/rubric";
import { wilsonInterval } from "../../evals/statistics/interval";
import type { GateRequest } from "./contract";
import { parseRule, ruleText } from "./rule";

const { db, datasetId, service, run } = await openComparing();
afterAll(() => db.close());

const gate = (id: string, rules: string | GateRequest["rules"], baseline?: string) =>
  service.gate({ allowedIndexes: undefined }, id, {
    rules: typeof rules === "string" ? rules.split(",").map(parseRule) : rules,
    baseline,
  });
const passing = (passed: number, n: number) => "1".repeat(passed) + "0".repeat(n - passed);

describe("a rule is decided by the interval", () => {
  test.each([
    [95, 100, "pass_rate>=0.8", "pass"],
    [60, 100, "pass_rate>=0.8", "fail"],
    [84, 100, "pass_rate>=0.8", "not_enough_data"],
    [76, 100, "pass_rate>=0.8", "not_enough_data"],
    [2, 100, "pass_rate<=0.1", "pass"],
    [30, 100, "pass_rate<=0.1", "fail"],
    [95, 100, "correctness.pass_rate>=0.8", "pass"],
    [95, 100, "exact@1/correctness.mean>=0.8", "pass"],
    [5, 5, "pass_rate>=0.8", "not_enough_data"],
    [0, 3, "pass_rate>=0.8", "fail"],
  ] as const)("%d of %d passed: %s is %s", async (passed, n, rule, verdict) => {
    const judged = await gate(await run(passing(passed, n)), rule);
    expect([judged.verdict, judged.rules.map((each) => each.verdict)]).toEqual([verdict, [verdict]]);
    expect(judged.rules[0]).toMatchObject({ n, value: passed / n, interval: wilsonInterval(passed, n) });
  });

  test("without the samples that its criterion doesn't apply to", async () => {
    const unscored = Array.from({ length: 100 }, (_, n) => ({
      key: `other ${n}`,
      results: [{ passed: false, isUnscored: true }],
    }));
    const id = await run([...samplesFrom(passing(95, 100)), ...unscored]);
    const { verdict, rules } = await gate(id, "correctness.pass_rate>=0.8,correctness.mean>=baseline-0.1", id);
    expect([verdict, ...rules.map(({ n, unresolved }) => [n, unresolved])]).toEqual(["pass", [100, 0], [100, 0]]);
    expect((await gate(id, "pass_rate>=0.8")).verdict).toBe("fail");
  });

  test("and says how many more samples it needs", async () => {
    const [undecided] = (await gate(await run(passing(84, 100)), "pass_rate>=0.8")).rules;
    expect(undecided?.reason).toBe(
      "The pass rate is 84.0 % (95 % interval 75.6 % to 89.9 %) on 100 samples: the interval contains 80.0 %. About 285 more samples would decide it.",
    );
    expect(undecided?.samples_needed).toBe(285);
    const more = await gate(await run(passing(Math.ceil(0.84 * 385), 385)), "pass_rate>=0.8");
    expect(more.verdict).toBe("pass");
    const [never] = (await gate(await run(passing(5, 5)), "pass_rate>=1")).rules;
    expect([never?.samples_needed, never?.reason]).toEqual([null, expect.stringContaining("would not decide it")]);
  });

  test("and the worst rule decides the gate", async () => {
    const id = await run(passing(84, 100));
    expect(await gate(id, "pass_rate>=0.5,errors<=0")).toMatchObject({
      verdict: "pass",
      reason: "Both rules are met.",
    });
    expect(await gate(id, "pass_rate>=0.5,pass_rate>=0.8")).toMatchObject({
      ...{ verdict: "not_enough_data", reason: "Not enough data to decide: pass_rate >= 80%." },
    });
    expect(await gate(id, "pass_rate>=0.8,pass_rate>=0.95")).toMatchObject({
      ...{ verdict: "fail", reason: "Not met: pass_rate >= 95%." },
    });
  });
});

describe("errors and missing samples never count as passed", () => {
  test.each([
    ["a few errors leave a clear pass", `${"1".repeat(97)}eee`, {}, "pass"],
    ["errors that could fail leave it open", "1".repeat(80) + "e".repeat(20), {}, "not_enough_data"],
    ["a rate that errors can't lift to the bound fails", "0".repeat(80) + "e".repeat(20), {}, "fail"],
    ["only errors decide nothing", "eeee", {}, "not_enough_data"],
    ["missing samples are like errors", "1".repeat(80), { expected: 100, state: "cancelled" }, "not_enough_data"],
  ] as const)("%s", async (_, verdicts, more, verdict) => {
    const id = await run(verdicts, more);
    const judged = await gate(id, "pass_rate>=0.8");
    expect(judged.verdict).toBe(verdict);
    expect(judged.rules[0]?.unresolved).toBe(
      verdicts.length === 80 ? 20 : [...verdicts].filter((each) => each === "e").length,
    );
  });

  test("and have a separate rule that counts them", async () => {
    const id = await run(`${"1".repeat(98)}ee`);
    expect((await gate(id, "errors<=1%")).rules[0]).toMatchObject({
      ...{ verdict: "fail", value: 0.02, n: 100, reason: "2 of 100 results are errors (2.0 %): above 1.0 %." },
    });
    expect((await gate(id, "errors<=0.02")).verdict).toBe("pass");
    const short = await run("1".repeat(98), { expected: 100, state: "cancelled" });
    expect((await gate(short, "errors<=0.01")).rules[0]?.reason).toBe(
      "2 of 100 results are missing (2.0 %): above 1.0 %.",
    );
    const both = await run(`${"1".repeat(95)}eee`, { expected: 100, state: "cancelled" });
    expect((await gate(both, "errors<=0.05")).rules[0]?.reason).toBe(
      "3 of 100 results are errors and 2 are missing (5.0 %): at most 5.0 %.",
    );
    expect((await gate(await run("", { state: "cancelled" }), "errors<=0.05")).rules[0]).toMatchObject({
      ...{ verdict: "not_enough_data", value: null, reason: "The run has no results, so it has no error rate." },
    });
  });
});

describe("results without a verdict", () => {
  const repeated = (n: number, verdicts: string): StoredSample[] =>
    Array.from({ length: n }, (_, i) => ({
      key: `k${i}`,
      results: [...verdicts].map((verdict) => ({ passed: verdict === "e" ? null : verdict === "1" })),
    }));
  const judge = { model: "judge", model_revision: "1" };
  const failing = { passed: null, undecided: "judge_error" } as const;

  test.each([
    ["errors", () => run(repeated(40, "1eeeeeeeee"))],
    [
      "missing",
      async () => run([...repeated(39, "1"), { key: "k", results: repeated(1, "1111111111")[0]?.results ?? [] }]),
    ],
  ])("repeats that are %s are not filled in by the other repeats of their sample", async (_, make) => {
    const id = await make();
    const judged = await gate(id, "pass_rate>=0.5,correctness.pass_rate>=0.5,correctness.mean>=0.5,pass_rate<=0.95");
    expect(judged.rules.map(({ verdict }) => verdict)).toEqual(Array(4).fill("not_enough_data"));
    expect(judged.rules[0]).toMatchObject({ value: 1, n: 40, unresolved: expect.any(Number) });
    expect(judged.rules[0]?.reason).toContain("samples with missing values could change the result");
    const full = await run(repeated(40, "1111111111"));
    expect((await gate(id, "pass_rate>=baseline-0.1", full)).verdict).toBe("not_enough_data");
    expect((await gate(full, "pass_rate>=baseline-0.1", full)).verdict).toBe("pass");
  });

  test("one error of a judge doesn't hide its scores", async () => {
    const samples = [...samplesFrom("1".repeat(60)), { key: "z", results: [failing] }];
    const id = await run(samples, { judge, evaluator: "judge@1" });
    const judged = await gate(id, "correctness.pass_rate>=0.8,judge@1/correctness.mean>=0.8");
    expect(judged.rules).toMatchObject([
      { verdict: "pass", n: 60, unresolved: 1 },
      { verdict: "pass", n: 60, unresolved: 1 },
    ]);
    const clean = await run("1".repeat(60), { judge, evaluator: "judge@1" });
    expect((await gate(id, "pass_rate>=baseline-0.2", clean)).verdict).toBe("pass");
    const only = await run([{ key: "z", results: [failing] }], { judge, evaluator: "judge@1" });
    expect((await gate(only, "correctness.pass_rate>=0.8")).verdict).toBe("not_enough_data");
    expect((await gate(only, "errors<=0.5")).verdict).toBe("fail");
  });

  const lost = (result: StoredSample["results"][number]) => ({
    samples: [
      ...samplesFrom("1".repeat(80)),
      ...Array.from({ length: 20 }, (_, n) => ({ key: `z${n}`, results: [result] })),
    ],
    more: { judge, evaluator: "judge@1" },
  });

  test.each([
    ["errors", lost({ passed: null }), "Retry the errors of the run."],
    ["of an evaluator that failed", lost(failing), "Score the answers of the run again."],
    [
      "of samples that can't be evaluated",
      lost({ passed: null, failure: "invalid_sample" }),
      "Correct the samples that can't be evaluated, and start a new run.",
    ],
    [
      "missing",
      { samples: samplesFrom("1".repeat(80)), more: { expected: 100, state: "cancelled" as const } },
      "Resume the run.",
    ],
  ])("%s say what can help", async (_, { samples, more }, remedy) => {
    const [rule] = (await gate(await run(samples, more), "pass_rate>=0.8")).rules;
    expect(rule?.reason).toEndWith(`20 samples without a value could change the result. ${remedy}`);
  });

  test("are no errors if no criterion has a threshold", async () => {
    const [correctness] = BUILT_IN_CRITERIA;
    if (!correctness) throw new Error("Expected correctness.");
    const samples = samplesFrom("1".repeat(30)).map((sample) => ({
      ...sample,
      results: [{ passed: null, undecided: "no_threshold" as const, value: 0.9 }],
    }));
    const id = await run(samples, { criterion: { ...correctness, threshold: null } });
    expect((await gate(id, "errors<=0")).verdict).toBe("pass");
    const { samples: listed, runs } = await service.compare(
      { allowedIndexes: undefined },
      { runs: `${id},${await run(samples, { criterion: { ...correctness, threshold: null } })}`, show: "all" },
    );
    expect([runs[0]?.errors, listed.data[0]?.runs[0]?.state]).toEqual([0, "done"]);
  });
});

describe("no worse than the baseline", () => {
  const mixed = (flips: string, base = passing(140, 200)) =>
    [...base].map((verdict, i) => flips[i] ?? verdict).join("");

  test.each([
    ["the same results", mixed(""), "pass"],
    ["slightly worse", mixed("0"), "pass"],
    ["far worse", mixed("0".repeat(60)), "fail"],
    ["somewhat worse", mixed("0".repeat(10)), "not_enough_data"],
    ["the same with errors", mixed("e".repeat(30)), "not_enough_data"],
  ] as const)("by more than 5 points: %s", async (_, verdicts, verdict) => {
    const judged = await gate(await run(verdicts), "pass_rate>=baseline-0.05", await run(mixed("")));
    expect(judged.verdict).toBe(verdict);
  });

  test("needs a baseline: the dataset's, or a named one", async () => {
    const [baseline, candidate] = [await run(passing(50, 60)), await run(passing(60, 60))];
    await expect(gate(candidate, "pass_rate>=baseline")).rejects.toThrow(
      'The dataset "questions" has no baseline run.',
    );
    await db.write((tx) => updateDataset(tx, datasetId, { baselineRunId: baseline }));
    const judged = await gate(candidate, "pass_rate>=baseline-0.01");
    expect(judged).toMatchObject({ verdict: "pass", baseline_run_id: baseline });
    expect(judged.rules[0]).toMatchObject({ text: "pass_rate >= baseline - 1%", n: 60 });
    expect(judged.rules[0]?.value).toBeCloseTo(1 / 6, 12);
    expect((await gate(candidate, "pass_rate>=0.5")).baseline_run_id).toBeNull();
  });

  test("is reversed if lower is better, and undecided on a different scale", async () => {
    const [, , hallucination] = BUILT_IN_CRITERIA;
    if (!hallucination) throw new Error("Expected hallucination.");
    const scored = (value: number): StoredSample[] =>
      samplesFrom("1".repeat(40)).map((sample, n) => ({
        ...sample,
        results: [{ passed: true, value: value + (n % 5) / 100 }],
      }));
    const [low, high] = [
      await run(scored(0.1), { criterion: hallucination }),
      await run(scored(0.3), { criterion: hallucination }),
    ];
    const rule = "hallucination.mean<=baseline+0.05";
    expect((await gate(high, rule, low)).rules[0]).toMatchObject({
      verdict: "fail",
      text: "hallucination.mean <= baseline + 0.05",
    });
    expect((await gate(low, rule, high)).verdict).toBe("pass");
    const other = await run(scored(0.3), { criterion: hallucination, evaluator: "exact@2" });
    expect((await gate(low, rule, other)).rules[0]?.reason).toStartWith(
      "Not comparable with the baseline. The evaluator versions differ: exact@2 scored the baseline",
    );
  });
});

describe("latencies", () => {
  const timed = (n: number, more = "") =>
    samplesFrom("1".repeat(n) + more).map((sample, i) => ({
      ...sample,
      results: sample.results.map((result) => ({ ...result, totalMs: 500 + i })),
    }));

  test.each([
    [100, "", "latency_p95<=700", "pass"],
    [100, "", "latency_p95<=550", "fail"],
    [100, "", "latency_p95<=598", "not_enough_data"],
    [30, "", "latency_p95<=700ms", "not_enough_data"],
    [30, "", "latency_p50<=0.7s", "pass"],
    [100, "", "ttft_p95<=70", "pass"],
    // An answer that never came is slower than any other.
    [100, "e".repeat(9), "latency_p95<=700", "not_enough_data"],
  ] as const)("%d answers and the errors '%s': %s is %s", async (n, errors, rule, verdict) => {
    expect((await gate(await run(timed(n, errors)), rule)).verdict).toBe(verdict);
  });

  test("have units that people read", async () => {
    const reasonOf = async (rule: string) => (await gate(await run(timed(30)), rule)).rules[0]?.reason;
    expect(await reasonOf("latency_p50<=60s")).toMatch(
      /^The median of the latency is 515 ms \(95 % interval \d+ ms to \d+ ms\) on 30 answers: at most 60 s\.$/,
    );
    expect(await reasonOf("ttft_p50<=1.25s")).toEndWith("at most 1.25 s.");
  });
});

describe("rejects", () => {
  test.each([
    [{ of: "pass_rate" }, "Give exactly one of"],
    [{ of: "pass_rate", at_least: 0.8, at_most: 0.9 }, "Give exactly one of"],
    [{ of: "pass_rate", at_least: 80 }, "80 is not a share. Use 0 to 1"],
    [{ of: "mean", at_least: 0.5 }, "`mean` needs a criterion as its `metric`"],
    [{ of: "errors", metric: "correctness", at_most: 0.1 }, "can only be used with pass_rate and mean"],
    [{ of: "latency_p95", at_least: 3 }, "`latency_p95` needs `at_most`."],
    [{ of: "latency_p95", max_regression: 3 }, "`latency_p95` needs `at_most`."],
    [{ of: "pass_rate", evaluator: "exact@1", at_least: 0.5 }, "`evaluator` needs a criterion as `metric`"],
    [{ of: "mean", metric: "tone", at_least: 0.5 }, "The run has no scores for tone. It has correctness by exact@1."],
    [
      { of: "mean", metric: "correctness", evaluator: "judge@1", at_least: 0.5 },
      "no scores for correctness by judge@1",
    ],
  ] as const)("%p", async (rule, message) => {
    const id = await run("1111");
    const refused = gate(id, [{ of: "pass_rate", at_least: 0.5 }, { ...rule }]);
    await expect(refused).rejects.toMatchObject({ kind: "invalid_request", message: expect.stringContaining(message) });
    await expect(refused).rejects.toMatchObject({ detail: { param: expect.stringMatching(/^rules\.1/) } });
  });

  test("a run that has not ended, and a single evaluation", async () => {
    const rule = "pass_rate>=0.5";
    await expect(gate(await run("11", { state: "running", expected: 9 }), rule)).rejects.toThrow(
      "This run is running: 2 of 9 results. Check it against a gate when it has ended.",
    );
    await expect(gate(await run("1", { kind: "single" }), rule)).rejects.toThrow("is a single evaluation");
  });
});

describe("a rule as text", () => {
  test.each([
    ["pass_rate>=0.8", { of: "pass_rate", at_least: 0.8 }, "pass_rate >= 80%"],
    [" verdict.pass_rate >= 80% ", { of: "pass_rate", at_least: 0.8 }, "pass_rate >= 80%"],
    ["correctness.mean>=0.7", { of: "mean", metric: "correctness", at_least: 0.7 }, "correctness.mean >= 0.7"],
    [
      "judge@2/tone.pass_rate<=1",
      { of: "pass_rate", metric: "tone", evaluator: "judge@2", at_most: 1 },
      "judge@2/tone.pass_rate <= 100%",
    ],
    ["errors<=1%", { of: "errors", at_most: 0.01 }, "errors <= 1%"],
    ["latency_p95<=2s", { of: "latency_p95", at_most: 2000 }, "latency_p95 <= 2s"],
    ["latency_p95<=60s", { of: "latency_p95", at_most: 60_000 }, "latency_p95 <= 60s"],
    ["ttft_p50<=0.35s", { of: "ttft_p50", at_most: 350 }, "ttft_p50 <= 350ms"],
    ["pass_rate>=baseline-2%", { of: "pass_rate", max_regression: 0.02 }, "pass_rate >= baseline - 2%"],
    ["pass_rate>=baseline", { of: "pass_rate", max_regression: 0 }, "pass_rate >= baseline"],
  ] as const)("%s", (text, rule, written) => {
    expect(parseRule(text)).toEqual({ ...rule });
    expect(ruleText({ ...rule })).toBe(written);
    expect(parseRule(written)).toEqual({ ...rule });
  });

  test.each([
    "",
    "0.8",
    "pass_rate",
    "pass_rate>0.8",
    "pass_rate>=",
    "speed<=3",
    "pass_rate>=baseline+0.1",
    "pass_rate>=baseline-",
    "pass_rate>=0.8x",
  ])("%p is refused with examples", (text) => {
    expect(() => parseRule(text)).toThrow(
      /^".*" is not a gate rule\.( Write it in quotes\.)? Examples: pass_rate>=0.8/,
    );
  });
});
