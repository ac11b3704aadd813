import { beforeEach, describe, expect, test } from "bun:test";
import { normalise } from "../../lib/vectors";
import { seededRandom } from "../../tests/random";
import type { Metadata, MetadataFilter } from "./metadata-filter";
import type { StoredVector, VectorStore } from "./vectors";

const towards = (degrees: number) => {
  const radians = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(radians), Math.sin(radians));
};
const stored = (id: string, degrees: number, metadata: Metadata = {}): StoredVector => ({
  id,
  vector: towards(degrees),
  metadata,
});
const SIGNS = [
  stored("doc_1/0", 0, { site: "north", year: 2020, open: true }),
  stored("doc_1/1", 30, { site: "north's", year: 2021, open: false }),
  stored("doc_2/0", 90, { site: 'the "south"', year: 2022 }),
  stored("doc_3/0", 180, { site: null, kind: "naïve 東京" }),
];

/** What every vector store guarantees. `create` returns an empty store. */
export const vectorsContract = (name: string, create: () => VectorStore): void => {
  describe(`vectors: ${name}`, () => {
    let store: VectorStore;
    beforeEach(async () => {
      store = create();
      await store.upsert("signs", SIGNS);
    });
    const found = async (filter: MetadataFilter | null, topK = 10) =>
      (await store.query("signs", { vector: towards(0), topK, filter })).map(({ id }) => id);
    const all = async (namespace: string, limit = 100) => {
      const vectors: StoredVector[] = [];
      let cursor: string | null = null;
      do {
        const page = await store.range(namespace, { cursor, limit });
        expect(page.vectors.length).toBeLessThanOrEqual(limit);
        vectors.push(...page.vectors);
        cursor = page.cursor;
      } while (cursor !== null);
      return vectors;
    };

    test("a store that works passes its check", async () => {
      await store.check();
    });

    test("a query returns the closest vectors first, with their cosines", async () => {
      const matches = await store.query("signs", { vector: towards(0), topK: 3, filter: null });
      expect(matches.map(({ id }) => id)).toEqual(["doc_1/0", "doc_1/1", "doc_2/0"]);
      for (const [i, cosine] of [1, Math.cos(Math.PI / 6), 0].entries())
        expect(matches[i]?.score).toBeCloseTo(cosine, 5);
      const [opposite] = await store.query("signs", { vector: towards(0), topK: 1, filter: { kind: "naïve 東京" } });
      expect(opposite?.score).toBeCloseTo(-1, 5);
    });

    test.each<[MetadataFilter, string[]]>([
      [{}, ["doc_1/0", "doc_1/1", "doc_2/0", "doc_3/0"]],
      [{ site: "north" }, ["doc_1/0"]],
      [{ site: "north's" }, ["doc_1/1"]],
      [{ site: 'the "south"' }, ["doc_2/0"]],
      [{ open: false }, ["doc_1/1"]],
      [{ site: null }, ["doc_3/0"]],
      [{ year: { gte: 2021, lt: 2022 } }, ["doc_1/1"]],
      [{ year: { gt: 2020, lte: 2022 } }, ["doc_1/1", "doc_2/0"]],
      [{ year: { in: [2020, null] } }, ["doc_1/0", "doc_3/0"]],
      [{ year: { in: [] } }, []],
      [{ or: [{ year: 2020 }, { kind: "naïve 東京" }] }, ["doc_1/0", "doc_3/0"]],
      [{ or: [{ year: 2020 }, {}] }, ["doc_1/0", "doc_1/1", "doc_2/0", "doc_3/0"]],
      [{ open: true, or: [{ year: 2020 }, { year: 2021 }] }, ["doc_1/0"]],
      [{ and: [{ or: [{ year: 2020 }, { year: 2021 }] }, { open: false }] }, ["doc_1/1"]],
    ])("the filter %j is applied before ranking", async (filter, ids) => {
      expect(await found(filter)).toEqual(ids);
      expect(await found(filter, 1)).toEqual(ids.slice(0, 1));
    });

    test("an upsert with the same id replaces the vector and its metadata", async () => {
      await store.upsert("signs", [stored("doc_1/0", 170, { site: "west" })]);
      expect(await found({ site: "north" })).toEqual([]);
      expect(await found(null)).toEqual(["doc_1/1", "doc_2/0", "doc_1/0", "doc_3/0"]);
    });

    test("vectors are deleted by id or prefix, and unknown ids are ignored", async () => {
      expect(await store.delete("signs", { ids: ["doc_2/0", "unknown"] })).toBe(1);
      expect(await store.delete("signs", { prefix: "doc_1/" })).toBe(2);
      expect(await store.delete("signs", { prefix: "doc_1/" })).toBe(0);
      expect(await found(null)).toEqual(["doc_3/0"]);
    });

    test("namespaces are separate, and dropping an unknown one has no effect", async () => {
      await store.upsert("other", [stored("doc_9/0", 0)]);
      expect(await found(null)).not.toContain("doc_9/0");
      await store.drop("signs");
      await store.drop("signs");
      expect(await found(null)).toEqual([]);
      expect((await all("other")).map(({ id }) => id)).toEqual(["doc_9/0"]);
    });

    test("pages contain every stored vector once, with its metadata", async () => {
      const vectors = await all("signs", 3);
      expect(vectors.map(({ id }) => id).sort()).toEqual(SIGNS.map(({ id }) => id));
      const second = vectors.find(({ id }) => id === "doc_1/1");
      expect(second?.metadata).toEqual({ site: "north's", year: 2021, open: false });
      expect(second?.vector).toEqual(towards(30));
      expect(await store.range("signs", { cursor: null, limit: 100 })).toMatchObject({ cursor: null });
    });

    test("thousands of vectors are stored and deleted in one call", async () => {
      const random = seededRandom(5);
      const many = Array.from({ length: 2500 }, (_, i) => ({
        id: `many/${i}`,
        vector: normalise([random() - 0.5, random() - 0.5]),
        metadata: {},
      }));
      await store.upsert("many", many);
      expect((await all("many", 1000)).length).toBe(2500);
      expect(await store.delete("many", { ids: many.map(({ id }) => id) })).toBe(2500);
      expect(await all("many")).toEqual([]);
    });
  });
};
