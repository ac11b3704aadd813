import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { normal, times, uniform } from "../../../tests/statistics/simulate";
import { bestThreshold } from "../statistics/auroc";
import { createRandom } from "../statistics/random";
import { formatAgreement, reportAgreement, type ScoredRow } from "./report";

const simulateRows = (groups: number, size: number, seed = 3): ScoredRow[] => {
  const random = createRandom(seed);
  return times(groups, (group) => {
    const shared = normal(random);
    return times(size, (i): ScoredRow => {
      const label = uniform(random) < 0.6 ? 1 : 0;
      return { id: `${group}-${i}`, group: `${group}`, label, score: label + 0.7 * shared + 0.5 * normal(random) };
    });
  }).flat();
};

const FIGURES = ["auroc", "balanced_accuracy", "f1_of_one", "f1_of_zero", "kappa"] as const;

test("at a given threshold, the figures match scikit-learn", () => {
  for (const { labels, scores, threshold, ...expected } of reference.decisions) {
    const rows = labels.map((label, i): ScoredRow => {
      return { id: `${i}`, group: `${i}`, label: label === 1 ? 1 : 0, score: scores[i] ?? 0 };
    });
    const report = reportAgreement(rows, threshold, { resamples: 10 });
    expect(report).toMatchObject({
      n: rows.length,
      groups: rows.length,
      threshold,
      threshold_is_fitted: false,
      spans: null,
    });
    expectClose(report.auroc?.value ?? null, expected.auroc);
    expectClose(report.balanced_accuracy?.value ?? null, expected.balancedAccuracy);
    expectClose(report.f1_of_one?.value ?? null, expected.f1);
    expectClose(report.f1_of_zero?.value ?? null, expected.f1OfZero);
    expectClose(report.kappa?.value ?? null, expected.kappa);
    expectClose(report.base_rate, labels.reduce((a, b) => a + b) / labels.length);
  }
});

describe("intervals", () => {
  const rows = simulateRows(40, 6);
  const report = reportAgreement(rows, 0.5);

  test("contain their values and are reproducible", () => {
    for (const name of FIGURES) {
      const { value, interval } = report[name] ?? {};
      expect(interval?.method).toBe("cluster_bootstrap");
      expect(value ?? -1).toBeGreaterThan(interval?.low ?? 1);
      expect(value ?? 2).toBeLessThan(interval?.high ?? -1);
    }
    expect(reportAgreement(rows, 0.5)).toEqual(report);
  });

  test("over groups are wider than over independent rows", () => {
    const independent = reportAgreement(
      rows.map((row) => ({ ...row, group: row.id })),
      0.5,
    );
    const width = ({ auroc }: typeof report) => (auroc?.interval ? auroc.interval.high - auroc.interval.low : 0);
    expect(independent.auroc?.interval?.method).toBe("bca_bootstrap");
    expect(width(report)).toBeGreaterThan(1.1 * width(independent));
  });

  test("are null without enough data", () => {
    const rows = simulateRows(1, 20);
    expect(reportAgreement(rows, 0.5).auroc).toMatchObject({ interval: null });
    const ones = simulateRows(20, 2).map((row): ScoredRow => ({ ...row, label: 1 }));
    expect(reportAgreement(ones, 0.5)).toMatchObject({
      base_rate: 1,
      auroc: null,
      balanced_accuracy: null,
    });
  });
});

test("no rows, or a row without a score, is rejected", () => {
  expect(() => reportAgreement([], 0.5)).toThrow("no rows");
  expect(() => reportAgreement([{ id: "a", group: "a", label: 1, score: Number.NaN }], 0.5)).toThrow("Value 0 is NaN");
});

test("no other score is a better threshold than the best one", () => {
  const row = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (items) => {
      const rows = items.map(
        ([label, score], i): ScoredRow => ({ id: `${i}`, group: `${i}`, label: label ? 1 : 0, score }),
      );
      const at = (threshold: number | "best") =>
        reportAgreement(rows, threshold, { resamples: 1 }).balanced_accuracy?.value ?? 0;
      const best = Math.max(...rows.map(({ score }) => at(score)));
      expect(at("best")).toBeCloseTo(best, 12);
    }),
  );
  expect(bestThreshold([false, false, true, true], [0.1, 0.2, 0.3, 0.4])).toBe(0.3);
});

test("spans are counted over all rows with spans", () => {
  const rows = simulateRows(30, 2).map((row, i): ScoredRow => {
    const expected = i % 3 === 0 ? [{ start: 0, end: 10 }] : [];
    return i % 5 === 0 ? row : { ...row, spans: { expected, predicted: [{ start: 5, end: 10 + (i % 4) }] } };
  });
  const { spans } = reportAgreement(rows, 0.5);
  const counted = rows.flatMap(({ spans: both }) => (both ? [both] : []));
  const marked = counted.filter(({ expected }) => expected.length > 0).length;
  expectClose(spans?.recall?.value ?? null, 0.5);
  expect(spans?.recall?.interval).toBeNull();
  const predicted = counted.reduce((sum, { predicted: [span] }) => sum + (span ? span.end - span.start : 0), 0);
  expectClose(spans?.precision?.value ?? null, (5 * marked) / predicted);
  expect(spans?.precision?.interval?.method).toBe("cluster_bootstrap");
});

describe("the table", () => {
  const rows = simulateRows(30, 4).map((row): ScoredRow => ({ ...row, spans: { expected: [], predicted: [] } }));
  const entries = [
    { name: "reference@1", report: reportAgreement(rows, 0.5) },
    { name: "a scorer with a name that is too long", report: reportAgreement(rows, "best") },
    {
      name: "upside down",
      report: reportAgreement(
        rows.map((row) => ({ ...row, score: -row.score })),
        -0.5,
      ),
    },
  ];

  test.each(["text", "markdown"] as const)("as %s has a row for each scorer and fits into 120 columns", (format) => {
    const table = formatAgreement("correctness_x.jsonl", entries, format);
    const lines = table.split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
    expect(lines.filter((line) => /reference@1|a scorer with a n…|upside down/.test(line))).toHaveLength(6);
    expect(table).toContain("120 rows in 30 groups");
    expect(table).toContain("favours that scorer");
    expect(lines.find((line) => line.includes("a scorer with a n…"))).toContain("* ");
    const head = lines.find((line) => line.includes("AUROC")) ?? "";
    const line = lines.find((each) => each.includes("reference@1")) ?? "";
    expect(line.indexOf(entries[0]?.report.auroc?.value.toFixed(3) ?? "?")).toBe(head.indexOf("AUROC"));
  });

  test("marks only thresholds that were fitted", () => {
    const table = formatAgreement("x", entries.slice(0, 1), "text");
    expect(table).not.toContain("*");
    expect(table).toContain(" 0.5 ");
  });
});
