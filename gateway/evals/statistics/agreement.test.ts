import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { times } from "../../../tests/statistics/simulate";
import { auroc, aurocByCluster } from "./auroc";
import { clustersOf, eachOnce, singletons } from "./clusters";
import {
  balancedAccuracy,
  confusionByCluster,
  exchangeClasses,
  f1,
  sensitivity,
  specificity,
  toTable,
} from "./confusion";
import { cohenKappa, kappaInterval, krippendorffAlpha } from "./rater-agreement";
import { countSpans, type Span, spanScores } from "./spans";

const confusionOf = (labels: readonly number[], decisions: readonly boolean[]) => {
  const items = labels.map((label, i) => ({ label: label === 1, decision: decisions[i] ?? false, group: null }));
  return confusionByCluster(items, clustersOf(items.map(() => null)))(eachOnce(items.length));
};

const aurocOf = (labels: readonly number[], scores: readonly number[]) =>
  auroc(
    labels.map((label) => label === 1),
    scores,
  );

describe("equal to scikit-learn, scipy, statsmodels and krippendorff", () => {
  test.each(reference.decisions)(
    "decisions, scores and labels, case %#",
    ({ labels, scores, threshold, ...expected }) => {
      const confusion = confusionOf(
        labels,
        scores.map((score) => score >= threshold),
      );
      expectClose(aurocOf(labels, scores), expected.auroc);
      expectClose(balancedAccuracy(confusion), expected.balancedAccuracy);
      expectClose(sensitivity(confusion), expected.sensitivity);
      expectClose(specificity(confusion), expected.specificity);
      expectClose(f1(confusion), expected.f1);
      expectClose(f1(exchangeClasses(confusion)), expected.f1OfZero);
      expectClose(cohenKappa(toTable(confusion)), expected.kappa);
    },
  );

  test("Cohen's kappa for two and three categories, with its large-sample interval", () => {
    for (const { table, kappa, low, high } of reference.kappa) {
      const interval = kappaInterval(table);
      expectClose(cohenKappa(table), kappa);
      expectClose(interval?.low ?? null, Math.max(-1, low));
      expectClose(interval?.high ?? null, Math.min(1, high));
    }
  });

  test("Krippendorff's alpha, with missing ratings", () => {
    for (const { ratings, nominal, interval } of reference.alpha) {
      const items = times(ratings[0]?.length ?? 0, (i) =>
        ratings.map((rater) => rater[i] ?? null).filter((rating) => rating !== null),
      );
      expectClose(krippendorffAlpha(items, "nominal"), nominal);
      expectClose(krippendorffAlpha(items, "interval"), interval);
    }
  });

  test("precision, recall and F1 by character", () => {
    const toSpans = (pairs: [number, number][]) => pairs.map(([start, end]) => ({ start, end }));
    for (const { expected, predicted, precision, recall, f1: score } of reference.spans) {
      const scores = spanScores(countSpans(toSpans(expected), toSpans(predicted)));
      expectClose(scores.precision, precision);
      expectClose(scores.recall, recall);
      expectClose(scores.f1, score);
    }
  });
});

const labelsAndScores = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 6 })), {
  minLength: 1,
  maxLength: 60,
});

test("AUROC is the proportion of correctly ordered pairs, with ties counted half, and depends only on the order of scores", () => {
  fc.assert(
    fc.property(labelsAndScores, (items) => {
      const labels = items.map(([label]) => label);
      const scores = items.map(([, score]) => score);
      const ones = items.filter(([label]) => label === 1);
      const zeros = items.filter(([label]) => label === 0);
      const inOrder = ones.flatMap(([, one]) => zeros.map(([, zero]) => (one > zero ? 1 : one === zero ? 0.5 : 0)));
      const share = inOrder.length === 0 ? null : inOrder.reduce<number>((a, b) => a + b, 0) / inOrder.length;
      expectClose(aurocOf(labels, scores), share, 1e-12);
      expect(aurocOf(labels, scores.map(Math.exp))).toBe(aurocOf(labels, scores));
    }),
  );
});

test("an item that was drawn several times counts several times", () => {
  fc.assert(
    fc.property(labelsAndScores, fc.array(fc.nat(), { maxLength: 80 }), (items, draws) => {
      const drawn = Int32Array.from(draws, (draw) => draw % items.length);
      const repeated = [...drawn].map((position) => items[position] ?? ([0, 0] satisfies [number, number]));
      const labelsOf = (list: typeof items) => list.map(([label]) => label === 1);
      const scoresOf = (list: typeof items) => list.map(([, score]) => score);
      const compute = aurocByCluster(labelsOf(items), scoresOf(items), singletons(items.length));
      expectClose(compute(drawn), auroc(labelsOf(repeated), scoresOf(repeated)), 1e-12);
    }),
  );
});

test("spans are counted by marked characters, even if they overlap", () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
    .map(([a, b]): Span => ({ start: Math.min(a, b), end: Math.max(a, b) }));
  const characters = (spans: readonly Span[]) =>
    new Set(spans.flatMap(({ start, end }) => times(end - start, (i) => start + i)));
  fc.assert(
    fc.property(fc.array(span), fc.array(span), (expected, predicted) => {
      const [marked, found] = [characters(expected), characters(predicted)];
      const shared = marked.intersection(found).size;
      expect(countSpans(expected, predicted)).toEqual({ expected: marked.size, predicted: found.size, shared });
    }),
  );
});

test("undefined figures are null, never a number", () => {
  const onlyOnes = confusionOf([1, 1, 1], [true, false, true]);
  expect(specificity(onlyOnes)).toBeNull();
  expect(balancedAccuracy(onlyOnes)).toBeNull();
  expect(f1(confusionOf([0, 0], [false, false]))).toBeNull();
  expect(sensitivity(confusionOf([], []))).toBeNull();
  expect(aurocOf([1, 1], [0.2, 0.3])).toBeNull();
  expect(aurocOf([], [])).toBeNull();
  expect(
    cohenKappa([
      [0, 0],
      [0, 0],
    ]),
  ).toBeNull();
  expect(
    cohenKappa([
      [9, 0],
      [0, 0],
    ]),
  ).toBeNull();
  expect(
    kappaInterval([
      [9, 0],
      [0, 0],
    ]),
  ).toBeNull();
  expect(
    kappaInterval([
      [20, 0],
      [0, 13],
    ]),
  ).toBeNull();
  expect(krippendorffAlpha([[1], [2], []], "nominal")).toBeNull();
  expect(
    krippendorffAlpha(
      [
        [3, 3],
        [3, 3],
      ],
      "interval",
    ),
  ).toBeNull();
  expect(spanScores(countSpans([], []))).toEqual({ precision: null, recall: null, f1: null });
  expect(spanScores(countSpans([{ start: 0, end: 4 }], []))).toEqual({ precision: null, recall: 0, f1: 0 });
});
