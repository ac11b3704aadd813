import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { updateDataset } from "../../db/datasets";
import { insertScores, listResults, setOutcome } from "../../db/results";
import { insertEmptyDataset, openComparing, type StoredSample, samplesFrom } from "../../tests/compared-runs";
import { findFalseDifferences } from "../../tests/statistics/equal-runs";
import { expectClose } from "../../tests/statistics/expect-close";
import type { Criterion } from "../evals/contract";
import { BUILT_IN_CRITERIA, criterionHash } from "../evals/rubric";
import { mcnemarExact } from "../evals/statistics/paired";
import type { CompareQuery, Comparison } from "./contract";

const { db, datasetId, service, run } = await openComparing();
afterAll(() => db.close());

const compare = (runs: readonly string[], query: Partial<CompareQuery> = {}): Promise<Comparison> =>
  service.compare({ allowedIndexes: undefined }, { runs: runs.join(), ...query });
const first = async (...runs: string[]) => {
  const [only] = (await compare(runs)).comparisons;
  if (!only) throw new Error("Expected a comparison.");
  return only;
};

const WORSE = "1".repeat(28) + "0".repeat(12);
const BETTER = "1".repeat(40);

describe("the verdict in words", () => {
  test.each([
    [
      "better",
      WORSE,
      BETTER,
      "Better: the pass rate is 100.0 % and was 70.0 % on 40 samples (+30.0 points, 95 % interval +17.5 to +47.5, p < 0.001).",
    ],
    ["worse", BETTER, WORSE, "Worse: the pass rate is 70.0 % and was 100.0 % on 40 samples (−30.0 points"],
    ["not_shown", "1101", "1111", "No difference shown: the pass rate is 100.0 % and was 75.0 % on 4 samples"],
    [
      "not_shown",
      "1111",
      "1111",
      "No difference shown: the pass rate is 100.0 % and was 100.0 % on 4 samples (0.0 points",
    ],
  ] as const)("%s", async (verdict, before, after, text) => {
    const compared = await first(await run(before), await run(after));
    expect(compared.verdict).toBe(verdict);
    expect(compared.summary).toStartWith(text);
  });

  test("says how large a difference could be detected if none is shown", async () => {
    const compared = await first(await run("1010101010"), await run("1010101001"));
    expect(compared.summary).toMatch(/This comparison can detect differences of \d+\.\d points\.$/);
  });

  test("names the exact test, its p value, and the samples that changed", async () => {
    const { metrics } = await first(await run(WORSE), await run(BETTER));
    const [verdict, correctness] = metrics;
    expect(verdict).toMatchObject({
      metric: "verdict",
      of: "pass_rate",
      test: "mcnemar_exact",
      n: 40,
      better: 12,
      worse: 0,
    });
    expect(correctness).toMatchObject({ metric: "correctness", evaluator: "exact@1", of: "mean", better: 12 });
    // A verdict that one criterion decides is the same test, so it is not adjusted for itself.
    for (const { p, p_adjusted } of metrics)
      expect([p, p_adjusted]).toEqual([mcnemarExact(12, 0), mcnemarExact(12, 0)]);
  });

  test("adjusts p values for all runs of the comparison together", async () => {
    const others = [await run("1".repeat(33) + "0".repeat(7)), await run(`${"1".repeat(38)}00`)];
    const { comparisons } = await compare([await run(WORSE), ...others]);
    const verdicts = comparisons.map(({ metrics }) => metrics[0]);
    const [less = 1, more = 1] = verdicts.map((each) => each?.p ?? 1);
    expect(verdicts.map((each) => each?.p_adjusted)).toEqual([Math.max(less, 2 * more), 2 * more]);
    expect(comparisons.map(({ verdict }) => verdict)).toEqual(["not_shown", "better"]);
  });

  test("a lower value is better if the criterion says so", async () => {
    const [, , hallucination] = BUILT_IN_CRITERIA;
    if (hallucination?.direction !== "lower_is_better") throw new Error("Expected hallucination.");
    const scored = (value: number): StoredSample[] =>
      samplesFrom("1".repeat(30)).map((sample, n) => ({
        ...sample,
        results: [{ passed: true, value: value + (n % 7) / 100 }],
      }));
    const compared = await first(
      await run(scored(0.1), { criterion: hallucination }),
      await run(
        scored(0.3).map((sample, n) => (n % 3 ? sample : (scored(0.25)[n] ?? sample))),
        { criterion: hallucination },
      ),
    );
    expect(compared.metrics[1]).toMatchObject({ metric: "hallucination", verdict: "worse", better: 0, worse: 30 });
    expect(compared.summary).toStartWith("Worse: the mean hallucination is 0.312 and was 0.128 on 30 samples (+0.183");
  });
});

/** Adds the score of another criterion or evaluator, with the same value, to each result of a run. */
const addScores = async (
  id: string,
  criterion: Criterion,
  evaluator: string,
  { shadow = false } = {},
): Promise<void> => {
  const rows = await listResults(db, id, { limit: 100 });
  const scores = rows.map(({ id: resultId, overall }) => ({
    ...{ resultId, metric: criterion.name, criterion, value: overall, passed: true, shadow },
    ...{ criterionHash: criterionHash(criterion), evaluator, evaluatorHash: evaluator },
    ...{ state: "scored" as const, claims: [], votes: [], scoredAt: new Date() },
  }));
  await db.write((tx) => insertScores(tx, scores));
};

test("two criteria that change alike in opposite directions are mixed", async () => {
  const [, , hallucination] = BUILT_IN_CRITERIA;
  if (!hallucination) throw new Error("Expected hallucination.");
  const runs = [await run(WORSE), await run(BETTER)];
  for (const id of runs) await addScores(id, hallucination, "exact@1");
  const compared = await first(...runs);
  expect(compared.metrics.map(({ metric, verdict }) => [metric, verdict])).toEqual([
    ["verdict", "better"],
    ["correctness", "better"],
    ["hallucination", "worse"],
  ]);
  expect([compared.verdict, compared.summary]).toEqual([
    "mixed",
    "Mixed. Better: pass rate. Worse: mean hallucination.",
  ]);
});

describe("not comparable", () => {
  test.each([
    [
      "a running run",
      "run_not_finished",
      async () => [await run(WORSE), await run(BETTER, { state: "running", expected: 90 })],
    ],
    [
      "another dataset",
      "dataset_differs",
      async () => [await run("11"), await run("11", { datasetId: await insertEmptyDataset(db, "others") })],
    ],
    [
      "another evaluator version",
      "evaluator_differs",
      async () => [await run("11"), await run("11", { evaluator: "exact@2" })],
    ],
    [
      "an evaluator that changed",
      "evaluator_differs",
      async () => [await run("11"), await run("11", { evaluatorHash: "x" })],
    ],
    [
      "another judge",
      "evaluator_differs",
      async () => [
        await run("11", { judge: { model: "small", model_revision: "1" } }),
        await run("11", { judge: { model: "large", model_revision: "1" } }),
      ],
    ],
    [
      "another judge of an unknown revision",
      "evaluator_differs",
      async () => [
        await run("11", { judge: { model: "small", model_revision: null } }),
        await run("11", { judge: { model: "large", model_revision: null } }),
      ],
    ],
    ["no common samples", "no_common_samples", async () => [await run("11.."), await run("..11")]],
    [
      "samples that all changed",
      "no_common_samples",
      async () => [
        await run("11"),
        await run(samplesFrom("11").map((sample) => ({ ...sample, input: `${sample.key}, new` }))),
      ],
    ],
    ["only errors", "no_common_samples", async () => [await run("11"), await run("ee")]],
    ["another evaluator", "not_scored", async () => [await run("11"), await run("11", { evaluator: "judge@1" })]],
  ] as const)("%s: %s", async (_, code, make) => {
    const compared = await first(...(await make()));
    expect([compared.verdict, compared.reason?.code]).toEqual(["not_comparable", code]);
    expect(compared.summary).toBe(`Not comparable. ${compared.reason?.message}`);
    expect(compared.metrics.every(({ verdict }) => verdict === "not_comparable")).toBe(true);
  });

  test("verdicts name the evaluator that decided them, not one that both runs share", async () => {
    const runs = [await run("11"), await run("11", { evaluatorHash: "x" })];
    const [, , hallucination] = BUILT_IN_CRITERIA;
    if (!hallucination) throw new Error("Expected hallucination.");
    for (const id of runs) await addScores(id, hallucination, "other@1", { shadow: true });
    const { metrics } = await first(...runs);
    expect(metrics[0]?.reason?.message).toStartWith("exact@1 changed between the two runs");
    expect(metrics[1]).toMatchObject({ evaluator: "other@1", reason: null });
  });

  test("verdicts name an evaluator that decides in only one run, although both were scored alike", async () => {
    const runs = [await run("11"), await run("11", { evaluator: "other@1" })];
    const [correctness] = BUILT_IN_CRITERIA;
    if (!correctness) throw new Error("Expected correctness.");
    for (const [n, evaluator] of ["other@1", "exact@1"].entries())
      await addScores(runs[n] ?? "", correctness, evaluator, { shadow: true });
    const { metrics } = await first(...runs);
    expect(metrics.map(({ evaluator, reason }) => [evaluator, reason?.code])).toEqual([
      [null, "evaluator_differs"],
      ["other@1", undefined],
      ["exact@1", undefined],
    ]);
    expect(metrics[0]?.reason?.message).toMatch(
      /^(exact@1 decides the verdicts of the baseline|other@1 decides the verdicts of this run), but in (this run|the baseline) its scores are for comparison only\./,
    );
  });

  test("a single evaluation, an unknown run and too many runs are rejected", async () => {
    const single = await run("1", { kind: "single" });
    const batch = await run("11");
    await expect(compare([batch, single])).rejects.toThrow("is a single evaluation. Only batch runs can be compared");
    await expect(compare([batch, "run_none"])).rejects.toThrow("Run run_none not found.");
    for (const runs of ["", ",", `${batch},${batch}`, Array(6).fill(0).join()])
      await expect(service.compare({ allowedIndexes: undefined }, { runs })).rejects.toThrow(
        "must contain two to 5 different run ids",
      );
  });
});

test("of many comparisons of equal models, at most 5.5 % are called different", () => {
  // `bun tests/statistics/equal-runs.ts` makes 10,000.
  const found = findFalseDifferences(60);
  expect(found.reduce((sum, { share }) => sum + share, 0) / found.length).toBeLessThan(0.055);
}, 120_000);

test("a key without access to a run's index can't compare it, and a changed score is noticed", async () => {
  const [open, closed] = [await run(WORSE), await run(BETTER, { index: "idx_secret" })];
  const runs = `${open},${closed}`;
  await expect(service.compare({ allowedIndexes: ["idx_other"] }, { runs })).rejects.toThrow(
    `Run ${closed} not found.`,
  );
  expect((await service.compare({ allowedIndexes: ["idx_secret"] }, { runs })).comparisons[0]?.verdict).toBe("better");
  const [changed] = (await compare([open, closed])).samples.data;
  const id = changed?.runs[1]?.result_id ?? "";
  await db.write((tx) => setOutcome(tx, id, { passed: false, failure: "wrong", overall: 0 }));
  expect((await compare([open, closed])).comparisons[0]?.metrics[0]).toMatchObject({ better: 11, worse: 0 });
});

describe("samples that can't be paired", () => {
  test("are excluded, counted, and never counted as passed", async () => {
    const baseline = await run("11e0.1");
    const candidate = await run(
      samplesFrom("1e0.11").map((sample) => (sample.key === "k5" ? { ...sample, input: "new content" } : sample)),
    );
    const { comparisons, runs } = await compare([baseline, candidate]);
    const [compared] = comparisons;
    expect(compared).toMatchObject({ pairs: 3, only_in_baseline: 1, only_in_run: 1, changed: 1 });
    expect(compared?.metrics[0]).toMatchObject({ n: 1, errors: 2, baseline: 1, value: 1 });
    // k1 is an error of the candidate (baseline 1), k2 one of the baseline (candidate 0).
    expectClose(compared?.metrics[0]?.bounds?.worst ?? null, (0 - 1 + (0 - 1)) / 3);
    expect(compared?.metrics[0]?.bounds?.best).toBe(0);
    expect(compared?.warnings.map(({ code }) => code)).toEqual([
      "samples_missing",
      "samples_changed",
      "errors_present",
    ]);
    expect(runs.map(({ samples, errors }) => [samples, errors])).toEqual([
      [5, 1],
      [5, 1],
    ]);
  });

  test("samples that a criterion doesn't apply to are no errors of it", async () => {
    const unscored = Array.from({ length: 30 }, (_, n) => ({
      key: `other ${n}`,
      results: [{ passed: true, isUnscored: true }],
    }));
    const [before, after] = [
      await run([...samplesFrom(WORSE), ...unscored]),
      await run([...samplesFrom(BETTER), ...unscored]),
    ];
    const [verdict, correctness] = (await first(before, after)).metrics;
    expect(verdict).toMatchObject({ n: 70, errors: 0 });
    expect(correctness).toMatchObject({ metric: "correctness", n: 40, errors: 0, bounds: null, verdict: "better" });
  });

  test("errors that could explain a difference keep it from being called better", async () => {
    const [before, after] = ["0".repeat(12) + "1".repeat(28), "1".repeat(12) + "e".repeat(28)];
    const compared = await first(await run(before), await run(after));
    expect(compared.metrics[0]).toMatchObject({ p: mcnemarExact(12, 0), reason: { code: "errors_present" } });
    expect([compared.verdict, compared.summary]).toEqual([
      "not_shown",
      expect.stringContaining("28 samples without a value could explain it. Retry the errors of this run."),
    ]);
  });

  test("nor do repeats that are errors", async () => {
    const repeated = (verdicts: string): StoredSample[] =>
      Array.from({ length: 40 }, (_, n) => ({
        key: `k${n}`,
        results: [...verdicts].map((verdict) => ({ passed: verdict === "e" ? null : verdict === (n % 8 ? "1" : "0") })),
      }));
    const compared = await first(await run(repeated("0001")), await run(repeated("1eee")));
    expect(compared.metrics[0]).toMatchObject({ n: 40, errors: 0, verdict: "not_shown" });
    expect(compared.metrics[0]?.reason?.code).toBe("errors_present");
    expect(compared.summary).toContain("40 samples with missing values could explain it");
    expect(compared.warnings.map(({ code }) => code)).toEqual(["errors_present"]);
  });

  test("a cancelled run is compared on its results, with a warning about missing ones", async () => {
    const compared = await first(
      await run(WORSE),
      await run("1".repeat(30), { name: "short", state: "cancelled", expected: 40 }),
    );
    expect(compared.pairs).toBe(30);
    expect(compared.warnings.map(({ message }) => message)).toContain(
      '"short" is cancelled: 10 of its 40 samples have no result.',
    );
  });
});

describe("dependent results", () => {
  test("repeats of a sample are averaged, so they don't count as samples", async () => {
    const repeated = (rates: readonly number[]): StoredSample[] =>
      rates.map((passes, n) => ({
        key: `k${n}`,
        results: [0, 1, 2, 3].map((repeat) => ({ passed: repeat < passes })),
      }));
    const compared = await first(await run(repeated([0, 1, 2, 3])), await run(repeated([1, 2, 3, 4])));
    expect(compared.metrics[0]).toMatchObject({ n: 4, baseline: 0.375, value: 0.625, better: 4, worse: 0 });
  });

  test("samples of a group are clustered", async () => {
    const grouped = (verdicts: string) =>
      samplesFrom(verdicts).map((sample, n) => ({ ...sample, group: `document ${Math.floor(n / 4)}` }));
    const compared = await first(await run(grouped(WORSE)), await run(grouped(BETTER)));
    expect(compared.metrics[0]).toMatchObject({
      clusters: 10,
      test: "paired_t",
      interval: { method: "cluster_robust" },
    });
    expect(compared.metrics[0]?.p ?? 0).toBeGreaterThan(mcnemarExact(12, 0));
  });
});

describe("the list of samples", () => {
  const tagged = (verdicts: string, text = "an answer") =>
    samplesFrom(verdicts).map((sample, n) => ({
      ...sample,
      tags: [Number(sample.key.slice(1)) % 2 ? "odd" : "even"],
      results: sample.results.map((result) => ({ ...result, text: `${text} to ${sample.key}`, totalMs: 100 + n })),
    }));
  let runs: string[];
  beforeAll(async () => {
    runs = [
      await run(tagged("110010e.")),
      await run(tagged("01110e01", "another answer")),
      await run(tagged("1100.010")),
    ];
  });
  const keys = async (query: Partial<CompareQuery>) =>
    (await compare(runs.slice(0, 2), query)).samples.data.map(({ sample_key }) => sample_key);

  test("shows what changed, worst first", async () => {
    const { samples, counts } = await compare(runs.slice(0, 2));
    expect(samples.data.map(({ sample_key, change }) => [sample_key, change])).toEqual([
      ["k0", "worse"],
      ["k4", "worse"],
      ["k2", "better"],
      ["k3", "better"],
    ]);
    expect(counts).toEqual({ changed: 4, worse: 2, better: 2, failed: 3, errors: 2, missing: 1, all: 8 });
    expect(samples.data[0]).toMatchObject({ input: "Question k0?", references: ["Yes"], tags: ["even"] });
    expect(samples.data[0]?.runs).toMatchObject([
      {
        run_id: runs[0],
        state: "done",
        pass_rate: 1,
        value: 1,
        difference: null,
        output: "an answer to k0",
        failure: null,
      },
      {
        run_id: runs[1],
        state: "done",
        pass_rate: 0,
        difference: -1,
        output: "another answer to k0",
        failure: "wrong",
      },
    ]);
  });

  test.each([
    ["worse", ["k0", "k4"]],
    ["better", ["k2", "k3"]],
    ["failed", ["k0", "k4", "k6"]],
    ["errors", ["k5", "k6"]],
    ["missing", ["k7"]],
    ["all", ["k0", "k4", "k1", "k2", "k3", "k5", "k6", "k7"]],
  ] as const)("show %s", async (show, expected) => {
    expect((await keys({ show, limit: 100 })).toSorted()).toEqual([...expected].sort());
  });

  test("is filtered by tag and by text, and counted with the same filter", async () => {
    expect(await keys({ show: "all", tag: "odd" })).toEqual(["k1", "k3", "k5", "k7"]);
    expect(await keys({ show: "all", search: "another answer to k2" })).toEqual(["k2"]);
    expect((await compare(runs.slice(0, 2), { search: "Question k4?" })).counts).toMatchObject({ all: 1, worse: 1 });
  });

  test("is read page by page", async () => {
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const { samples } = await compare(runs, { show: "all", limit: 3, after });
      seen.push(...samples.data.map(({ sample_key }) => sample_key));
      if (!samples.has_more) break;
      after = samples.next_cursor ?? undefined;
    }
    expect([seen.length, new Set(seen).size]).toEqual([8, 8]);
    await expect(compare(runs, { after: "nonsense" })).rejects.toThrow("`after` must be a `next_cursor`");
  });

  test("is sorted by any criterion; an unknown one is rejected with the known ones", async () => {
    const { metric, evaluator, samples } = await compare(runs, { metric: "correctness" });
    expect([metric, evaluator, samples.data[0]?.sample_key]).toEqual(["correctness", "exact@1", "k0"]);
    await expect(compare(runs, { metric: "tone" })).rejects.toThrow(
      "The baseline has no scores for tone. It has: verdict, correctness by exact@1.",
    );
  });

  test("by verdicts of different evaluators calls no sample better or worse", async () => {
    const others = [await run("0011"), await run("1111", { evaluator: "exact@2" })];
    const { metric, counts, samples } = await compare(others, { show: "all" });
    expect([metric, counts]).toMatchObject([
      "verdict",
      { worse: 0, better: 0, changed: 0, failed: 0, errors: 0, all: 4 },
    ]);
    expect(samples.data.map(({ change }) => change)).toEqual(Array(4).fill("unknown"));
    expect(samples.data[0]?.runs.map(({ value, difference }) => [value, difference])).toEqual([
      [0, null],
      [1, null],
    ]);
  });

  test("uses the first criterion that can be compared if the verdicts can't", async () => {
    const others = [await run("0011"), await run("1111")];
    const [correctness] = BUILT_IN_CRITERIA;
    if (!correctness) throw new Error("Expected correctness.");
    await addScores(others[1] ?? "", correctness, "other@1");
    const { metric, evaluator, counts, comparisons } = await compare(others);
    expect([metric, evaluator]).toEqual(["correctness", "exact@1"]);
    expect(counts).toMatchObject({ worse: 0, better: 2 });
    expect(comparisons[0]?.summary).toStartWith(
      "The pass rates can't be compared. No difference shown: the mean correctness is",
    );
    expect((await compare(others, { metric: "verdict" })).counts).toMatchObject({ changed: 0 });
  });

  test("has latencies and tokens with their change from the baseline", async () => {
    const { runs: compared } = await compare(runs);
    expect(compared[0]).toMatchObject({
      tokens: { prompt: 10, completion: 5 },
      change: null,
      model: "smollm2-135m-instruct",
    });
    const [before, after] = compared.map(({ latency }) => latency?.total);
    expect(compared[1]?.change).toMatchObject({
      latency_p50: (after?.p50 ?? 0) - (before?.p50 ?? 0),
      latency_p95: (after?.p95 ?? 0) - (before?.p95 ?? 0),
      completion_tokens: 0,
    });
  });
});

describe("the baseline of a dataset", () => {
  test("is the default for a single run id, until it is deleted", async () => {
    const [baseline, candidate] = [await run(WORSE), await run(BETTER)];
    await expect(compare([candidate])).rejects.toThrow(
      "has no baseline run. Name a baseline in the request, or set one",
    );
    await db.write((tx) => updateDataset(tx, datasetId, { baselineRunId: baseline }));
    expect((await compare([candidate])).runs.map(({ run_id }) => run_id)).toEqual([baseline, candidate]);
    await expect(compare([baseline])).rejects.toThrow(`Run ${baseline} is the baseline of the dataset "questions".`);
    await db.write((tx) => tx.run(sql`DELETE FROM runs WHERE id = ${baseline}`));
    await expect(compare([candidate])).rejects.toThrow("has no baseline run.");
  });
});
