import { expect, test } from "bun:test";
import { clusteredVectors, seededRandom } from "../../../tests/random";
import { VectorIndex } from "./vector-index";

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const everySlot = (count: number) => new Uint8Array(count).fill(1);

test("scores are exact cosines, best first, at any dimension", () => {
  for (const dimension of [1, 7, 16, 33, 384, 1024]) {
    const next = clusteredVectors(dimension, 5, seededRandom(dimension));
    const vectors = Array.from({ length: 50 }, next);
    const index = new VectorIndex(dimension);
    for (const [slot, vector] of vectors.entries()) index.set(slot, vector);
    const query = next();
    const expected = vectors.map((vector, slot) => ({ slot, score: dot(query, vector) }));
    const found = index.search(query, 50, everySlot(50), 50);
    expect(found.map(({ slot }) => slot).sort((a, b) => a - b)).toEqual([...vectors.keys()]);
    for (const { slot, score } of found) expect(score).toBeCloseTo(expected[slot]?.score ?? Number.NaN, 5);
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
  }
});

test("setting a slot again replaces its vector", () => {
  const index = new VectorIndex(2);
  index.set(0, Float32Array.of(1, 0));
  index.set(1, Float32Array.of(0.6, 0.8));
  index.set(0, Float32Array.of(0, 1));
  expect(index.search(Float32Array.of(0, 1), 1, everySlot(2), 2)).toEqual([{ slot: 0, score: 1 }]);
});

test("a zero vector has a score of 0", () => {
  const index = new VectorIndex(3);
  index.set(0, new Float32Array(3));
  expect(index.search(Float32Array.of(0, 1, 0), 5, everySlot(1), 1)).toEqual([{ slot: 0, score: 0 }]);
});

test("vectors with a different dimension are rejected, and the error names both dimensions", () => {
  const index = new VectorIndex(4);
  const message = "The vector has 3 dimensions, but the index has 4. Use the index's embedding model.";
  expect(() => index.set(0, new Float32Array(3))).toThrow(message);
  expect(() => index.search(new Float32Array(3), 1, everySlot(0), 0)).toThrow(message);
  expect(() => new VectorIndex(5000)).toThrow("Use a model with 1 to 4096 dimensions.");
});

test("at least 98 % of the exact top 10 and top 100 are found, with and without filters, in clusters and in noise", () => {
  const COUNT = 25_000;
  for (const clusters of [500, COUNT]) {
    const random = seededRandom(clusters);
    const next = clusteredVectors(96, clusters, random);
    const index = new VectorIndex(96);
    for (let slot = 0; slot < COUNT; slot++) index.set(slot, next());
    for (const share of [1, 0.5, 0.01]) {
      const allowed = everySlot(COUNT).map(() => (random() < share ? 1 : 0));
      const slots = Uint32Array.from(allowed.keys()).filter((slot) => allowed[slot] === 1);
      for (const k of [10, 100]) {
        let found = 0;
        for (let question = 0; question < 20; question++) {
          const query = next();
          const cutOff = index.cosines(query, slots).sort().at(-k) ?? 0;
          const best = index.search(query, k, allowed, slots.length);
          expect(best.every(({ slot }) => allowed[slot] === 1)).toBe(true);
          found += best.filter(({ score }) => score >= cutOff).length;
        }
        expect(found / (20 * k)).toBeGreaterThanOrEqual(0.98);
      }
    }
  }
});
