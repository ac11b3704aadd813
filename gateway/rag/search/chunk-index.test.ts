import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../tests/random";
import type { Metadata } from "../../ports/metadata-filter";
import { ChunkIndex } from "./chunk-index";
import type { Search, SearchEntry } from "./search";

const [EAST, NORTH] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
const towards = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));

const entry = (id: string, text: string, vector: Float32Array, metadata: Metadata = {}): SearchEntry => ({
  id,
  text,
  title: "",
  heading: "",
  vector,
  metadata,
});

const search = (fields: Partial<Search> = {}): Search => ({
  text: "fox",
  vector: EAST,
  mode: "hybrid",
  candidates: 10,
  filter: null,
  fusion: { kind: "score", vectorWeight: 0.5 },
  ...fields,
});

const animals = () => {
  const index = new ChunkIndex();
  index.replace({
    id: "a",
    entries: [
      entry("a1", "the red fox", towards(60), { year: 2020 }),
      entry("a2", "a dog", towards(10), { year: 2021 }),
    ],
  });
  index.replace({ id: "b", entries: [entry("b1", "fox fox fox", NORTH, { year: 2021 })] });
  return index;
};
const idsOf = (index: ChunkIndex, fields: Partial<Search> = {}) =>
  index.search(search(fields)).hits.map(({ id }) => id);

describe("modes", () => {
  test("vector search ranks by cosine", () => {
    const { hits, searched } = animals().search(search({ mode: "vector" }));
    expect(hits.map(({ id, document }) => [id, document])).toEqual([
      ["a2", "a"],
      ["a1", "a"],
      ["b1", "b"],
    ]);
    expect(hits[1]?.scores.vector).toBeCloseTo(0.5, 5);
    expect(hits.map(({ scores, ranks }) => [scores.keyword, scores.fused, ranks.vector])).toEqual([
      [null, null, 1],
      [null, null, 2],
      [null, null, 3],
    ]);
    expect(searched).toBe(3);
  });

  test("keyword search ranks by BM25, and adds cosines if the question has a vector", () => {
    const { hits } = animals().search(search({ mode: "keyword" }));
    expect(hits.map(({ id, ranks }) => [id, ranks.keyword, ranks.vector])).toEqual([
      ["b1", 1, null],
      ["a1", 2, null],
    ]);
    expect(hits[1]?.scores.vector).toBeCloseTo(0.5, 5);
    expect(animals().search(search({ mode: "keyword", vector: null })).hits[0]?.scores.vector).toBeNull();
  });

  test("hybrid search returns both scores of every candidate, whichever retriever found it", () => {
    const { hits } = animals().search(search({ candidates: 1 }));
    const byId = new Map(hits.map((hit) => [hit.id, hit]));
    expect([...byId.keys()].sort()).toEqual(["a2", "b1"]);
    expect(byId.get("b1")?.scores.vector).toBeCloseTo(0, 5);
    expect(byId.get("a2")?.scores.keyword).toBe(0);
    expect([byId.get("b1")?.ranks.vector, byId.get("b1")?.ranks.keyword]).toEqual([null, 1]);
    expect(hits.map(({ ranks }) => ranks.fused)).toEqual([1, 2]);
  });

  test("hybrid search fuses scores by weight, or ranks", () => {
    expect(idsOf(animals(), { fusion: { kind: "score", vectorWeight: 0.9 } })[0]).toBe("a2");
    expect(idsOf(animals(), { fusion: { kind: "score", vectorWeight: 0.1 } })[0]).toBe("b1");
    expect(idsOf(animals(), { fusion: { kind: "rank" } })).toEqual(["b1", "a1", "a2"]);
  });

  test("vector search without a vector is rejected", () => {
    expect(() => animals().search(search({ vector: null }))).toThrow("Embed the question first.");
  });
});

test("the filter is applied before ranking, for both retrievers", () => {
  const filter = { year: 2021 };
  const { hits, searched } = animals().search(search({ filter, candidates: 1 }));
  expect(hits.map(({ id }) => id).sort()).toEqual(["a2", "b1"]);
  expect(searched).toBe(2);
  expect(idsOf(animals(), { filter: { year: { gt: 2030 } } })).toEqual([]);
});

test("an empty index finds nothing", () => {
  const { hits, searched } = new ChunkIndex().search(search());
  expect([hits, searched]).toEqual([[], 0]);
});

describe("replacing documents", () => {
  test("only the new chunks of a document are found", () => {
    const index = animals();
    index.replace({ id: "a", entries: [entry("a3", "a grey fox", EAST)] });
    expect(idsOf(index).sort()).toEqual(["a3", "b1"]);
    expect([index.documents, index.chunks]).toEqual([2, 2]);
  });

  test("a document without entries is removed, and an unknown one is ignored", () => {
    const index = animals();
    index.replace({ id: "a", entries: [] });
    index.replace({ id: "unknown", entries: [] });
    expect(idsOf(index)).toEqual(["b1"]);
    expect([index.documents, index.chunks]).toEqual([1, 1]);
  });

  test("a vector with a different dimension is rejected and changes nothing", () => {
    const index = animals();
    const entries = [entry("a3", "fox", EAST), entry("a4", "fox", Float32Array.of(1, 0, 0))];
    expect(() => index.replace({ id: "a", entries })).toThrow("has 3 dimensions, but the index has 2");
    expect(idsOf(index).sort()).toEqual(["a1", "a2", "b1"]);
  });

  test("after thousands of replacements, searches return the same as in a new index", () => {
    const random = seededRandom(11);
    const words = "red fox jumps over lazy dog while cat sleeps".split(" ");
    const word = () => words[Math.floor(random() * words.length)] ?? "";
    const index = new ChunkIndex();
    const documents = new Map<string, SearchEntry[]>();
    for (let step = 0; step < 3000; step++) {
      const id = `doc${Math.floor(random() * 300)}`;
      const entries = Array.from({ length: Math.floor(random() * 4) }, (_, i) =>
        entry(`${step}-${i}`, `${word()} ${word()} ${word()}`, towards(random() * 360), { kind: word() }),
      );
      index.replace({ id, entries });
      documents.set(id, entries);
    }
    const rebuilt = new ChunkIndex();
    for (const [id, entries] of documents) rebuilt.replace({ id, entries });
    expect(index.chunks).toBe(rebuilt.chunks);
    for (const filter of [null, { kind: "fox" }]) {
      const question = search({ text: "fox dog", vector: towards(40), candidates: 1000, filter });
      const byId = (from: ChunkIndex) =>
        from
          .search(question)
          .hits.map(({ id, scores }) => [id, scores.vector?.toFixed(5), scores.keyword?.toFixed(4)])
          .sort();
      expect(byId(index)).toEqual(byId(rebuilt));
    }
  });
});

describe("coverage of the question's words", () => {
  test("is computed from the best hits, in vector search too", () => {
    expect(animals().search(search({ text: "red fox" })).coverage).toBe(1);
    expect(animals().search(search({ text: "red fox", mode: "vector", candidates: 1 })).coverage).toBe(0);
  });

  test("is not computed without a vector", () => {
    expect(animals().search(search({ mode: "keyword", vector: null })).coverage).toBeNull();
  });
});
