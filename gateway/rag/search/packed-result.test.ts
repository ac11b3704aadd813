import { expect, test } from "bun:test";
import { packResult, unpackResult } from "./packed-result";
import type { SearchHit, SearchResult } from "./search";

const hit = (id: string, value: number | null): SearchHit => ({
  id,
  document: `doc_of_${id}`,
  scores: { vector: value, keyword: 0, fused: 0.1 + 0.2 },
  ranks: { vector: 1, keyword: value, fused: 200 },
});

test.each<[string, SearchHit[]]>([
  ["without hits", []],
  ["with one hit", [hit("chunk_1", null)]],
  ["with hits that have all scores or only some", [hit("chunk_1", -0.25), hit("chunk_2", null), hit("chunk_3", 0)]],
])("a result %s is the same after packing", (_, hits) => {
  const result: SearchResult = {
    hits,
    searched: 7,
    coverage: null,
    stagesMs: { filter: 0, vector: 1, keyword: 2, fusion: 3 },
  };
  expect(unpackResult(structuredClone(packResult(result)))).toEqual(result);
});
