import { describe, expect, test } from "bun:test";
import { formatReport, reportFallback, reportMethod, type SearchedQuery } from "./report";

const searched = (kind: SearchedQuery["kind"], best: number | null, ranked: string[] = []): SearchedQuery => ({
  id: crypto.randomUUID(),
  kind,
  relevant: kind === "answerable" ? ["a"] : [],
  ranked,
  scores: ranked.map(() => 1),
  best,
});

/** Questions whose passage is at rank 1, at rank 2, after rank 10, and not found. */
const ANSWERABLE = [
  searched("answerable", 0.8, ["a", "b"]),
  searched("answerable", 0.6, ["b", "a"]),
  searched("answerable", 0.5, [..."bcdefghijk", "a"]),
  searched("answerable", null),
];
const OTHERS = [searched("off_corpus", 0.2), searched("off_corpus", 0.55), searched("unanswerable_near", 0.7)];

describe("a method", () => {
  test("is measured on answerable questions only, up to rank 10", () => {
    const report = reportMethod([...ANSWERABLE, ...OTHERS]);
    expect(report.recall_at_1?.value).toBe(1 / 4);
    expect(report.recall_at_5?.value).toBe(2 / 4);
    expect(report.recall_at_10?.value).toBe(2 / 4);
    expect(report.mrr_at_10?.value).toBe((1 + 1 / 2) / 4);
    expect(report.ndcg_at_10?.value).toBeCloseTo((1 + 1 / Math.log2(3)) / 4, 10);
    expect(report.ndcg_at_10?.interval?.level).toBe(0.95);
  });

  test("has no rates without answerable questions", () => {
    expect(reportMethod(OTHERS).ndcg_at_10).toBeNull();
  });
});

describe("the fallback", () => {
  test("counts answerable questions that are refused and unanswerable questions that are answered", () => {
    const [fixed] = reportFallback([...ANSWERABLE, ...OTHERS], 0.52);
    expect(fixed).toMatchObject({
      threshold: 0.52,
      is_fitted: false,
      false_refusals: { value: 2 / 4 },
      false_answers: { value: 1 / 2 },
      false_answers_near: { value: 1 },
      balanced_accuracy: { value: 0.5 },
    });
  });

  // From 0.21 to 0.50, 3 of 4 answerable and 1 of 2 off-corpus questions are right.
  // From 0.56 to 0.60, it is 2 of 4 and 2 of 2, which is better.
  test("is also measured at the best threshold for these questions", () => {
    const [, fitted] = reportFallback([...ANSWERABLE, ...OTHERS], 0.3);
    expect(fitted).toMatchObject({ threshold: 0.58, is_fitted: true, balanced_accuracy: { value: 0.75 } });
  });

  test("has only false refusals if every question is answerable", () => {
    const reports = reportFallback(ANSWERABLE, 0.52);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ false_answers: null, balanced_accuracy: null, false_refusals: { value: 0.5 } });
  });
});

test("the tables name every method and mark a threshold that was chosen on the same questions", () => {
  const all = [...ANSWERABLE, ...OTHERS];
  const text = formatReport(
    {
      name: "leave",
      passages: 11,
      answerable: 4,
      off_corpus: 2,
      unanswerable_near: 1,
      methods: { keyword: reportMethod(all), hybrid: reportMethod(all) },
      fallback: reportFallback(all, 0.3),
    },
    "text",
  );
  expect(text).toContain("11 passages; 4 answerable questions, 2 off-corpus, 1 near a topic.");
  for (const start of ["keyword  .250", "hybrid   .250", "0.3 ", "0.58*", "* Chosen on the same questions"])
    expect(text.split("\n").some((line) => line.startsWith(start))).toBe(true);
});
