import { describe, expect, test } from "bun:test";
import { AppError, type ErrorKind } from "../../../lib/errors";
import { problemOf } from "../../../tests/db/temporary";
import { callOf } from "../../../tests/principal";
import { chunkOf } from "../../../tests/stored-chunk";
import type { RankingRequest } from "../../rerank/service";
import type { RetrievalSettings } from "../../retrieval-contract";
import { DEFAULT_RETRIEVAL, mergeRetrieval } from "../indexes/defaults";
import { type OpenIndex, retrieve } from "./retrieve";

const SETTINGS: RetrievalSettings = {
  ...DEFAULT_RETRIEVAL,
  ...{ top_k: 2, rerank: true, rerank_model: "ranker", rerank_candidates: 3 },
  threshold: { score: "rerank", value: 0.4 },
};
const INDEX: OpenIndex = {
  ...{ id: "idx_1", name: "handbook", revision: 1, version: 1, retrieval: SETTINGS, lacksVectors: false },
  ...{ embeddingModel: "all-minilm-l6-v2", embeddingModelRevision: "e1" },
};
const IDS = ["chunk_a", "chunk_b", "chunk_c", "chunk_d"];

/** A search that finds four chunks, best first by its own scores, and a reranker with these scores by chunk. */
const setUp = () => {
  const state = {
    scores: { chunk_a: 0.1, chunk_b: 0.5, chunk_c: 0.9, chunk_d: 1 } as Record<string, number>,
    chunks: IDS.map((id) => chunkOf(`text of ${id}`, 0, undefined, { id })),
    isKeywordOnly: false,
    failure: (_request: RankingRequest): AppError | undefined => undefined,
    asked: [] as RankingRequest[],
  };
  const search = (changes: Partial<RetrievalSettings> = {}, question = "How many days?") =>
    retrieve(
      {
        embedder: { embedQuery: async () => ({ vector: Float32Array.of(1), revision: "e1" }) },
        search: {
          search: async () => ({
            hits: IDS.map((id, at) => ({
              ...{ id, document: "doc_1" },
              scores: { vector: 0.9 - at / 10, keyword: 4 - at, fused: 1 - at / 10 },
              ranks: { vector: at + 1, keyword: at + 1, fused: at + 1 },
            })),
            ...{ coverage: 1, stagesMs: { vector: 1 }, isKeywordOnly: state.isKeywordOnly },
          }),
        },
        chunks: { read: async (_, ids) => state.chunks.filter(({ id }) => ids.includes(id)) },
        reranking: {
          rank: async (_, request) => {
            state.asked.push(request);
            const failure = state.failure(request);
            if (failure) throw failure;
            return { scores: request.documents.map((text) => state.scores[text.replace("text of ", "")] ?? 0) };
          },
        },
        scoring: { checkSufficiency: async () => null },
      },
      callOf(),
      INDEX,
      { ...SETTINGS, ...changes },
      { question },
    );
  return { state, search };
};

describe("a reranked search", () => {
  test("sorts the best candidates by the reranker's score, and returns top_k with every score", async () => {
    const { state, search } = setUp();
    const { retrieved, isReranked, degraded, stagesMs } = await search();
    expect(retrieved.map(({ id, scores, ranks }) => [id, scores, ranks.final])).toEqual([
      ["chunk_c", { vector: 0.7, keyword: 2, fused: 0.8, rerank: 0.9, final: 0.9 }, 1],
      ["chunk_b", { vector: 0.8, keyword: 3, fused: 0.9, rerank: 0.5, final: 0.5 }, 2],
    ]);
    expect([isReranked, degraded, stagesMs.rerank]).toEqual([true, null, expect.any(Number)]);
    expect(state.asked).toEqual([
      {
        ...{ model: "ranker", query: "How many days?", truncate: true },
        documents: ["text of chunk_a", "text of chunk_b", "text of chunk_c"],
      },
    ]);
  });

  test("reranks at least top_k chunks", async () => {
    const { state, search } = setUp();
    const { retrieved } = await search({ top_k: 4, rerank_candidates: 1 });
    expect([state.asked[0]?.documents.length, retrieved[0]?.id]).toEqual([4, "chunk_d"]);
  });

  test("R6: the threshold acts on the score after reranking", async () => {
    const { state, search } = setUp();
    expect((await search()).threshold).toEqual({ score: "rerank", value: 0.4, best: 0.9, passed: true });
    state.scores = { chunk_a: 0.2, chunk_b: 0.3, chunk_c: 0.1 };
    const refused = await search();
    expect(refused.threshold).toEqual({ score: "rerank", value: 0.4, best: 0.3, passed: false });
    expect(refused.isRelevant).toBe(false);
    const named = await search({ threshold: { score: "vector", value: 0.95 } });
    expect(named.threshold).toMatchObject({ score: "vector", best: 0.9, passed: false });
  });

  test("works on the results of a keyword search too", async () => {
    const { state, search } = setUp();
    state.isKeywordOnly = true;
    const { threshold, degraded, retrieved } = await search();
    expect([threshold?.best, degraded, retrieved[0]?.scores.final]).toEqual([0.9, "keyword_only", 0.9]);
  });

  test("leaves out chunks deleted since the search, and reports that the result may be outdated", async () => {
    const { state, search } = setUp();
    state.chunks = state.chunks.filter(({ id }) => id !== "chunk_c");
    const { retrieved, mayBeOutdated } = await search();
    expect([retrieved.map(({ id }) => id), mayBeOutdated]).toEqual([["chunk_b", "chunk_a"], true]);
  });

  test("uses only the end of a question that is too long for the model", async () => {
    const { state, search } = setUp();
    state.failure = ({ query }) =>
      query.length > 5 ? new AppError("context_length_exceeded", "Too long.", { param: "query" }) : undefined;
    await search({}, "0123456789abcdef");
    expect(state.asked.map(({ query }) => query)).toEqual(["0123456789abcdef", "89abcdef", "cdef"]);
  });

  test.each<ErrorKind>(["unavailable", "model_loading", "overloaded", "upstream_error", "model_not_found"])(
    "goes on without the reranker if it fails (%s), and no threshold on its score applies",
    async (kind) => {
      const { state, search } = setUp();
      state.failure = () => new AppError(kind, "down");
      const { retrieved, threshold, degraded, isReranked, isRelevant } = await search();
      expect([degraded, isReranked, threshold, isRelevant]).toEqual(["not_reranked", false, null, true]);
      expect(retrieved.map(({ id, scores }) => [id, scores.rerank, scores.final])).toEqual([
        ["chunk_a", null, 1],
        ["chunk_b", null, 0.9],
      ]);
    },
  );

  test.each<ErrorKind>(["rate_limited", "deadline_exceeded", "client_closed"])("fails with %s", async (kind) => {
    const { state, search } = setUp();
    state.failure = () => new AppError(kind, "no");
    expect((await problemOf(search())).kind).toBe(kind);
  });
});

describe("settings", () => {
  test("that switch reranking on move the threshold to its score, unless they set one", () => {
    expect(mergeRetrieval(DEFAULT_RETRIEVAL, { rerank: true }).threshold).toEqual({ score: "rerank", value: 0.5 });
    const threshold = { score: "vector", value: 0.2 } as const;
    expect(mergeRetrieval(DEFAULT_RETRIEVAL, { rerank: true, threshold }).threshold).toEqual(threshold);
    expect(mergeRetrieval({ ...DEFAULT_RETRIEVAL, threshold: null }, { rerank: true }).threshold).toBeNull();
    expect(mergeRetrieval(SETTINGS, { rerank: true, top_k: 3 }).threshold).toEqual(SETTINGS.threshold);
  });

  test("that switch reranking off restore the default threshold, unless they or the index have another one", () => {
    const threshold = { score: "vector", value: 0.2 } as const;
    const off = { rerank: false };
    expect(mergeRetrieval(SETTINGS, off).threshold).toEqual(DEFAULT_RETRIEVAL.threshold);
    expect(mergeRetrieval(SETTINGS, { ...off, threshold }).threshold).toEqual(threshold);
    expect(mergeRetrieval(SETTINGS, { ...off, threshold: null }).threshold).toBeNull();
    expect(mergeRetrieval({ ...SETTINGS, threshold }, off).threshold).toEqual(threshold);
    expect(mergeRetrieval({ ...SETTINGS, threshold: null }, off).threshold).toBeNull();
  });

  test.each([
    [SETTINGS, { rerank: false, threshold: { score: "rerank" as const, value: 0.2 } }],
    [DEFAULT_RETRIEVAL, { threshold: { score: "rerank" as const, value: 0.2 } }],
  ])("with a threshold on the rerank score need reranking", (settings, changes) => {
    expect(() => mergeRetrieval(settings, changes)).toThrow(
      expect.objectContaining({ kind: "invalid_request", detail: { param: "retrieval.threshold.score" } }),
    );
  });
});
