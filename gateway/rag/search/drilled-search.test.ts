import { expect, test } from "bun:test";
import type { Search } from "../query/retrieve";
import { drilledSearch } from "./drilled-search";

type Request = Parameters<Search["search"]>[1];

const setUp = (isKeywordOnly: boolean) => {
  const searched: Pick<Request, "mode" | "vector">[] = [];
  const inner: Search = {
    search: async (_version, { mode, vector }) => {
      searched.push({ mode, vector });
      return { hits: [], coverage: null, stagesMs: {} };
    },
  };
  const search = (mode: Request["mode"]) =>
    drilledSearch(inner, () => isKeywordOnly).search(
      { index: "idx_1", version: 1, revision: 1 },
      {
        ...{ mode, candidates: 10, text: "question", filter: null, fusion: { kind: "rank" } },
        vector: mode === "keyword" ? null : Float32Array.of(1, 0),
      },
      new AbortController().signal,
    );
  return { search, searched };
};

test("during the drill of keyword_only, a hybrid search uses only keywords and says so", async () => {
  const { search, searched } = setUp(true);
  expect(await search("hybrid")).toMatchObject({ isKeywordOnly: true });
  expect(searched).toEqual([{ mode: "keyword", vector: null }]);
});

test("during the drill, a vector search gets a 503 with a retry time, as if the store were down", async () => {
  const { search, searched } = setUp(true);
  const refused = search("vector");
  expect(refused).rejects.toMatchObject({ kind: "unavailable", detail: { retryAfterMs: 5000 } });
  await refused.catch(() => {});
  expect(searched).toEqual([]);
});

test("without a drill, and for keyword searches, nothing changes", async () => {
  const { search, searched } = setUp(false);
  expect(await search("hybrid")).not.toHaveProperty("isKeywordOnly");
  expect(searched[0]?.mode).toBe("hybrid");
  const drilled = setUp(true);
  expect(await drilled.search("keyword")).not.toHaveProperty("isKeywordOnly");
});
