import { beforeEach, describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../../lib/errors";
import { silentLog } from "../../../lib/log";
import { defaultConfig } from "../../../lib/settings";
import { problemOf } from "../../../tests/db/temporary";
import { callOf, PRINCIPAL } from "../../../tests/principal";
import { chunkOf } from "../../../tests/stored-chunk";
import { memoryCache } from "../../adapters/cache-memory";
import { createAnswerCache } from "../../cache/service";
import type { Call } from "../../call";
import type { ChatAnswer, ChatCompletionRequest, ChatEvent } from "../../chat/contract";
import { groundAnswer } from "../../evals/scorers/faithfulness/ground-answer";
import { checkSufficiency } from "../../evals/scorers/sufficiency/check-sufficiency";
import { RagAnswer, RagEvent, type RagQuery } from "../contract";
import type { StoredChunk } from "./merge";
import type { OpenIndex, Search } from "./retrieve";
import { createRag } from "./service";

const LEAVE = "Everyone has 30 days of leave. Illness is reported by phone.";
const OFFICES = "The company was founded in 1987. It has 12 offices.";
const QUESTION = "How many days of leave are there?";

const INDEX: OpenIndex = {
  id: "idx_1",
  name: "handbook",
  revision: 7,
  version: 2,
  embeddingModel: "all-minilm-l6-v2",
  embeddingModelRevision: "e1",
  lacksVectors: false,
  retrieval: {
    mode: "hybrid",
    fusion: "score",
    vector_weight: 0.6,
    candidates: 50,
    top_k: 5,
    rerank: false,
    threshold: { score: "vector", value: 0.3 },
    max_context_tokens: 1000,
    fallback_text: "Nothing here answers that.",
  },
};

const CHAT: Omit<ChatAnswer, "message"> = {
  id: "chatcmpl-1",
  model: "small",
  model_revision: "r1",
  finish_reason: "stop",
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  template_version: null,
  retries: 0,
  fallback_from: null,
  degraded: [],
  node: "node-1",
  latency: { queue: 1, ttft: 2, total: 3 },
  cache: { status: "miss" },
  request_id: "req_1",
};

/** Fakes that record their calls, and the state that a test can change. */
const setUp = () => {
  const chunks: StoredChunk[] = [
    chunkOf(LEAVE, 0, undefined, { id: "chunk_a" }),
    chunkOf(OFFICES, 0, undefined, { id: "chunk_b", documentId: "doc_b", documentTitle: "Offices" }),
  ];
  const state = {
    index: INDEX,
    chunks,
    cosine: 0.6,
    coverage: 0.5,
    pieces: ["Everyone has 30 days", " of leave [1", "]."],
    searched: [] as Parameters<Search["search"]>[],
    embedded: [] as string[],
    asked: [] as ChatCompletionRequest[],
    stopped: 0,
    found: ["chunk_a", "chunk_b"],
    finish: "stop" as ChatAnswer["finish_reason"],
    isKeywordOnly: false,
    isRerankerDown: false,
    hasReranker: true,
    embedderRevision: "e1",
    onSearch: () => {},
  };
  const config = defaultConfig();
  const answers = createAnswerCache({
    cache: memoryCache({ maxBytes: 1_000_000 }),
    config,
    namespaces: { nameOf: (keyId) => keyId, isDisabled: () => false },
    log: silentLog(),
  });
  const rag = createRag({
    indexes: {
      open: async ({ keyId }, name) => {
        if (keyId !== "key_other" && name === "handbook") return state.index;
        throw new AppError("not_found", `Index "${name}" not found.`, { param: "index" });
      },
    },
    embedder: {
      embedQuery: async (_, model, text) => {
        state.embedded.push(`${model}: ${text}`);
        return { vector: Float32Array.of(1, 0), revision: state.embedderRevision };
      },
    },
    search: {
      search: async (...request) => {
        state.searched.push(request);
        state.onSearch();
        const hits = state.found.map((id, at) => ({
          id,
          document: id.replace("chunk", "doc"),
          scores: { vector: state.cosine - at / 10, keyword: at === 0 ? 3 : null, fused: 1 - at / 2 },
          ranks: { vector: at + 1, keyword: at === 0 ? 1 : null, fused: at + 1 },
        }));
        const { coverage, isKeywordOnly } = state;
        return { hits, coverage, isKeywordOnly, stagesMs: { vector: 1, keyword: 1, fusion: 0.1 } };
      },
    },
    chunks: { read: async (_, ids) => state.chunks.filter(({ id }) => ids.includes(id)) },
    reranking: {
      rank: async (_, { documents }) => {
        if (!state.hasReranker) throw new AppError("model_not_found", "gone");
        if (state.isRerankerDown) throw new AppError("unavailable", "down");
        return { scores: documents.map((text) => (text === OFFICES ? 0.8 : 0.6)) };
      },
    },
    models: {
      list: () => [],
      resolve: (_, kind, id = "small") => {
        if (kind === "rerank" && !state.hasReranker) throw new AppError("model_not_found", "gone", { param: "model" });
        return {
          ...{ id, revision: "r1", isKnown: true },
          ...{ contextWindow: null, dimensions: null, prefixes: null, capabilities: null },
        };
      },
    },
    prompts: { resolve: async () => Promise.reject(new AppError("not_found", "No prompt.", { param: "prompt" })) },
    answers,
    scoring: {
      ground: async (_, answer) => groundAnswer(answer),
      checkSufficiency: async (_, asked) => checkSufficiency(asked),
    },
    chat: {
      countPrompt: async () => 50,
      answer: async (_, body) => {
        state.asked.push(body);
        return { ...CHAT, finish_reason: state.finish, message: { role: "assistant", content: state.pieces.join("") } };
      },
      async *events(_, body): AsyncGenerator<ChatEvent, void, undefined> {
        state.asked.push(body);
        try {
          yield {
            ...{ type: "start", model: "small", model_revision: "r1" },
            cache: CHAT.cache,
            retries: 0,
            fallback_from: null,
            request_id: "req_1",
          };
          for (const text of state.pieces) yield { type: "delta", text, tokens: 1 };
          yield { type: "done", answer: { ...CHAT, finish_reason: state.finish } };
        } finally {
          state.stopped++;
        }
      },
    },
  });
  const ask = (rest: Partial<RagQuery> = {}) => ({ index: "handbook", question: QUESTION, ...rest });
  return {
    state,
    call: callOf,
    query: (body: Partial<RagQuery> = {}, as: Partial<Call> = {}) => rag.query(callOf(as), ask(body)),
    stream: (body: Partial<RagQuery> = {}) => rag.events(callOf(), ask(body)),
  };
};

let { state, query, stream } = setUp();
beforeEach(() => {
  ({ state, query, stream } = setUp());
});

describe("an answer", () => {
  test("has citations, sources, grounding and diagnostics, and matches the contract", async () => {
    const answer = await query();
    expect([...Value.Errors(RagAnswer, answer)]).toEqual([]);
    expect(answer).toMatchObject({
      status: "answered",
      answer: "Everyone has 30 days of leave [1].",
      citations: [{ marker: 1, found_by: "model", chunk_id: "chunk_a", quote: "Everyone has 30 days of leave." }],
      sources: [{ document_id: "doc_a" }],
      grounding: { supported: 1, sentences: [{ verdict: "supported", chunk_id: "chunk_a" }] },
      threshold: { score: "vector", value: 0.3, best: 0.6, passed: true },
      index: { id: "idx_1", revision: 7, version: 2 },
      diagnostics: { vector_candidates: 2, keyword_candidates: 1, dropped_contexts: 0, removed_markers: 0 },
      model: "small",
      template_version: "groundwire-rag@1",
      usage: CHAT.usage,
    });
    expect(answer.chunks.map(({ id, context, cited }) => [id, context, cited])).toEqual([
      ["chunk_a", 1, true],
      ["chunk_b", 2, false],
    ]);
    expect(Object.keys(answer.diagnostics.stages_ms).toSorted()).toEqual(
      ["embed", "fusion", "generation", "grounding", "keyword", "prompt", "total", "vector"].toSorted(),
    );
  });

  test("has no marker without a context, and counts removed markers", async () => {
    state.pieces = ["Everyone has 30 days of leave [1][9]. Trust me [12]."];
    const { answer, citations, diagnostics } = await query();
    expect([answer, citations.length, diagnostics.removed_markers]).toEqual([
      "Everyone has 30 days of leave [1]. Trust me.",
      1,
      2,
    ]);
  });

  test("has citations but no grounding if the request turns grounding off", async () => {
    const { grounding, citations } = await query({ grounding: false });
    expect([grounding, citations.length]).toEqual([null, 1]);
  });

  test("uses the request's settings instead of the index's", async () => {
    await query({ retrieval: { vector_weight: 0.2, mode: "keyword", top_k: 1 }, filter: { site: "north" } });
    expect(state.searched[0]?.slice(0, 2)).toEqual([
      { index: "idx_1", version: 2, revision: 7 },
      {
        text: QUESTION,
        vector: null,
        mode: "keyword",
        candidates: 50,
        filter: { site: "north" },
        fusion: { kind: "score", vectorWeight: 0.2 },
      },
    ]);
    expect(state.embedded).toEqual([]);
  });

  test("uses the last question of the history in the search and all turns in the prompt", async () => {
    const history = [
      { role: "user" as const, content: "Where are the offices?" },
      { role: "assistant" as const, content: "In Oslo." },
    ];
    await query({ history, question: "How many are there?" });
    expect(state.embedded).toEqual(["all-minilm-l6-v2: Where are the offices?\nHow many are there?"]);
    expect(state.asked[0]?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  });

  test("leaves out chunks that were deleted after the search, in the prompt and in the answer", async () => {
    state.chunks = state.chunks.filter(({ id }) => id !== "chunk_b");
    const answer = await query();
    expect(answer.chunks.map(({ id }) => id)).toEqual(["chunk_a"]);
    expect(JSON.stringify(state.asked)).not.toContain("1987");
  });

  test.each([
    ["a document that is replaced between the search and the reading of its chunks", ["chunk_old"]],
    ["what the newly active version has, when the opened one is retired before the search", []],
  ])("includes %s", async (_, found: string[]) => {
    state.found = found;
    state.onSearch = () => {
      state.index = { ...INDEX, revision: 8 };
      if (state.searched.length === 2) state.found = ["chunk_a"];
    };
    const { chunks, index } = await query();
    expect([chunks.map(({ id }) => id), index.revision]).toEqual([["chunk_a"], 8]);
    expect(state.searched.map(([version]) => version.revision)).toEqual([7, 8]);
  });

  test("has a warning if the chunks may not answer the question", async () => {
    expect((await query()).warning).toBeNull();
    const { status, warning } = await query({ question: "When was Charles Babbage born in London?" });
    expect([status, warning]).toEqual(["answered", expect.stringContaining('"Charles"')]);
  });

  test("has no warning if the check was not fitted to the index's embedding model", async () => {
    state.index = { ...INDEX, embeddingModel: "other" };
    expect((await query({ question: "When was Charles Babbage born in London?" })).warning).toBeNull();
  });

  test("reads only the best top_k chunks", async () => {
    expect((await query({ retrieval: { top_k: 1 } })).chunks.map(({ id }) => id)).toEqual(["chunk_a"]);
  });
});

describe("without a relevant chunk", () => {
  const FALLBACK = { status: "no_relevant_context", answer: "Nothing here answers that.", model: null, citations: [] };

  test("below the threshold, the answer is the fallback text, and no model is called", async () => {
    state.cosine = 0.2;
    const answer = await query();
    expect([...Value.Errors(RagAnswer, answer)]).toEqual([]);
    expect(answer).toMatchObject({ ...FALLBACK, threshold: { best: 0.2, passed: false } });
    expect([answer.chunks.length, state.asked]).toEqual([2, []]);
  });

  test("the threshold is compared with the best cosine of all hits, not with the first hit's", async () => {
    state.index = { ...INDEX, retrieval: { ...INDEX.retrieval, threshold: { score: "vector", value: 0.55 } } };
    state.found = ["chunk_b", "chunk_a"];
    expect((await query()).threshold).toMatchObject({ best: 0.6, passed: true });
  });

  test("relevance rises with the best cosine and with the coverage of the question's words", async () => {
    const retrieval = { threshold: { score: "relevance" as const, value: 0.5 } };
    const relevance = async (cosine: number, coverage: number) => {
      [state.cosine, state.coverage] = [cosine, coverage];
      return (
        (await query({ retrieval, question: `Days ${cosine} ${coverage}?`, generate: false })).threshold?.best ??
        Number.NaN
      );
    };
    const low = await relevance(0.2, 0.2);
    for (const higher of [await relevance(0.6, 0.2), await relevance(0.2, 0.8)]) expect(higher).toBeGreaterThan(low);
    expect(await relevance(0.7, 1)).toBeGreaterThan(0.5);
    expect(low).toBeLessThan(0.5);
  });

  test("the answer is the fallback text if nothing is found, even without a threshold", async () => {
    state.found = [];
    expect(await query({ retrieval: { threshold: null } })).toMatchObject({ ...FALLBACK, threshold: null, chunks: [] });
  });

  test("a threshold does not apply if the mode doesn't compute its score", async () => {
    expect(await query({ retrieval: { mode: "keyword" } })).toMatchObject({ status: "answered", threshold: null });
  });
});

test("a search without an answer calls no model and returns chunks below the threshold", async () => {
  state.cosine = 0.1;
  const answer = await query({ generate: false });
  expect([...Value.Errors(RagAnswer, answer)]).toEqual([]);
  expect(answer).toMatchObject({ status: "retrieved", answer: null, usage: null, threshold: { passed: false } });
  expect(state.asked).toEqual([]);
});

describe("a stream", () => {
  const read = async (events: AsyncIterable<RagEvent>): Promise<RagEvent[]> => {
    const all: RagEvent[] = [];
    for await (const event of events) all.push(event);
    return all;
  };

  test("consists of retrieval, tokens, citations, grounding and done, and matches the contract", async () => {
    const events = await read(stream());
    expect(events.flatMap((event) => [...Value.Errors(RagEvent, event)])).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual([
      "retrieval",
      "token",
      "token",
      "token",
      "citations",
      "grounding",
      "done",
    ]);
    expect(events[0]).toMatchObject({ chunks: [{ context: 1 }, { context: 2 }], threshold: { passed: true } });
    expect(events.at(-1)).toMatchObject({ answer: { answer: "Everyone has 30 days of leave [1]." } });
  });

  test("sends the fallback text as one token", async () => {
    state.cosine = 0.2;
    expect((await read(stream())).map(({ type }) => type)).toEqual(["retrieval", "token", "done"]);
  });

  test("sends the same events for a stored answer", async () => {
    const first = await read(stream({ seed: 1 }));
    const second = await read(stream({ seed: 1 }));
    expect(second.map(({ type }) => type)).toEqual(["retrieval", "token", "citations", "grounding", "done"]);
    expect(second.at(-1)).toMatchObject({ answer: { cache: { status: "hit" } } });
    expect(second.at(-3)).toEqual(first.at(-3));
    expect(state.asked.length).toBe(1);
  });

  test("stops the generation when the reader leaves", async () => {
    for await (const { type } of stream()) if (type === "token") break;
    expect(state.stopped).toBe(1);
  });
});

describe("the cache", () => {
  test("returns the stored answer with a new id for an equal query", async () => {
    const first = await query();
    const second = await query({}, { requestId: "req_2" });
    expect(first.cache).toMatchObject({ status: "miss", stored: true });
    expect(second).toMatchObject({ cache: { status: "hit" }, request_id: "req_2", answer: first.answer });
    expect(second.id).not.toBe(first.id);
    expect([state.asked.length, state.searched.length]).toEqual([1, 1]);
  });

  test.each<[string, () => Promise<RagAnswer>]>([
    [
      "after a change of the index",
      () => {
        state.index = { ...INDEX, revision: 8 };
        return query();
      },
    ],
    [
      "of another version",
      () => {
        state.index = { ...INDEX, version: 3 };
        return query();
      },
    ],
    [
      "with changed settings of the index",
      () => {
        state.index = { ...INDEX, retrieval: { ...INDEX.retrieval, top_k: 1 } };
        return query();
      },
    ],
    ["by another key", () => query({}, { principal: { ...PRINCIPAL, keyId: "key_2" } })],
    ["with another filter", () => query({ filter: { site: "north" } })],
    ["with a history", () => query({ history: [{ role: "user", content: "Hello" }] })],
    ["of another model", () => query({ model: "large" })],
  ])("is not used for a query %s", async (_, again) => {
    await query();
    expect((await again()).cache.status).toBe("miss");
  });

  test("returns no stored answer to a key that may no longer use the index", async () => {
    await query();
    const problem = await problemOf(query({}, { principal: { ...PRINCIPAL, keyId: "key_other" } }));
    expect(problem.kind).toBe("not_found");
    expect(state.searched.length).toBe(1);
  });

  test("neither stores nor returns sampled answers", async () => {
    await query({ temperature: 1 });
    expect((await query({ temperature: 1 })).cache).toMatchObject({ status: "bypass" });
    expect(state.asked.length).toBe(2);
  });

  test("does not store an answer to a search without the vector store, because no threshold applies", async () => {
    state.isKeywordOnly = true;
    state.cosine = 0.1;
    const answer = await query();
    expect(answer).toMatchObject({ status: "answered", degraded: "keyword_only", threshold: null });
    state.isKeywordOnly = false;
    expect(await query()).toMatchObject({ status: "no_relevant_context", degraded: null, cache: { status: "miss" } });
  });

  test("caches a reranked answer, but not an answer after the reranker failed", async () => {
    state.isRerankerDown = true;
    expect(await query({ retrieval: { rerank: true } })).toMatchObject({
      ...{ degraded: "not_reranked", threshold: null, diagnostics: { reranked: false } },
    });
    state.isRerankerDown = false;
    const reranked = await query({ retrieval: { rerank: true } });
    expect(reranked).toMatchObject({
      ...{ degraded: null, cache: { status: "miss" }, threshold: { score: "rerank", best: 0.8, passed: true } },
      diagnostics: { reranked: true, stages_ms: { rerank: expect.any(Number) } },
    });
    expect(reranked.chunks.map(({ id }) => id)).toEqual(["chunk_b", "chunk_a"]);
    expect((await query({ retrieval: { rerank: true } })).cache.status).toBe("hit");
  });

  test("neither reranks nor stores the answer if the index's rerank model has disappeared", async () => {
    const threshold = { score: "rerank", value: 0.5 } as const;
    state.index = { ...INDEX, retrieval: { ...INDEX.retrieval, rerank: true, threshold } };
    state.hasReranker = false;
    expect(await query()).toMatchObject({ status: "answered", degraded: "not_reranked", threshold: null });
    state.hasReranker = true;
    expect(await query()).toMatchObject({ degraded: null, cache: { status: "miss" } });
  });

  test("does not store truncated answers, or answers to a key without content logging", async () => {
    state.finish = "length";
    await query();
    state.finish = "stop";
    const principal = { ...PRINCIPAL, contentLogging: false };
    expect((await query({}, { principal })).cache.status).toBe("miss");
    expect((await query({}, { principal })).cache.status).toBe("miss");
  });
});

describe("a query is rejected for", () => {
  test("an unknown index, before the search", async () => {
    const { kind, detail } = await problemOf(query({ index: "other" }));
    expect([kind, detail.param, state.embedded]).toEqual(["not_found", "index", []]);
  });

  test("a threshold on the rerank score without reranking", async () => {
    const { kind, detail } = await problemOf(query({ retrieval: { threshold: { score: "rerank", value: 0.5 } } }));
    expect([kind, detail.param]).toEqual(["invalid_request", "retrieval.threshold.score"]);
  });

  test("vectors of a different revision of the embedding model, except in keyword mode", async () => {
    state.embedderRevision = "e2";
    const { kind, message, detail } = await problemOf(query());
    expect([kind, detail.param, state.searched]).toEqual(["conflict", "index", []]);
    expect(message).toBe(
      'The nodes have revision e2 of "all-minilm-l6-v2", but version 2 of the index "handbook" was built with revision e1. Build a new version of the index and activate it. Until then, use keyword mode.',
    );
    expect((await query({ retrieval: { mode: "keyword" } })).status).toBe("answered");
  });

  test("a prompt that doesn't exist", async () => {
    expect((await problemOf(query({ prompt: "mine" }))).kind).toBe("not_found");
  });
});
