import { beforeEach, describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import { callOf } from "../../tests/principal";
import type { RagAnswer, RagEvent, RagQuery } from "../rag/contract";
import type { RagIndex } from "../rag/indexes/contract";
import { FoundPassages, IndexAnswer, ListedIndexes } from "./contract";
import { createMcp } from "./service";

const CALL = callOf();

const RETRIEVAL = {
  threshold: null,
  warning: null,
  degraded: null,
  index: { id: "idx_1", name: "handbook", revision: 7, version: 2 },
};

const CHUNK: RagAnswer["chunks"][number] = {
  ...{ id: "chunk_a", document_id: "doc_a", position: 0, text: "30 days of leave.", tokens: 5, start: 0, end: 17 },
  ...{ heading: "Leave", page: null, document_title: "Rules", document_hash: "h", source: "rules.md", metadata: {} },
  scores: { vector: 0.6, keyword: 3, fused: 0.9, rerank: null, final: 0.9 },
  ranks: { vector: 1, keyword: 1, fused: 1, final: 1 },
  ...{ context: 1, cited: true },
};

const ANSWER: RagAnswer = {
  ...{ id: "rag_1", status: "answered", answer: "There are 30 days [1]." },
  citations: [
    {
      ...{ marker: 1, found_by: "model", answer_start: 17, answer_end: 20, chunk_id: "chunk_a", document_id: "doc_a" },
      ...{ document_title: "Rules", document_hash: "h", start: 0, end: 17, quote: "30 days of leave.", page: null },
    },
  ],
  sources: [{ document_id: "doc_a", title: "Rules", source: "rules.md" }],
  grounding: { supported: 1, evaluator: "reference@1", sentences: [] },
  ...RETRIEVAL,
  chunks: [CHUNK],
  diagnostics: {
    ...{ stages_ms: { total: 1 }, vector_candidates: 1, keyword_candidates: 1, reranked: false },
    ...{ context_tokens: 5, dropped_contexts: 0, removed_markers: 0 },
  },
  ...{ model: "small", model_revision: "r1", template_version: "rag@1", finish_reason: "stop", usage: null },
  ...{ latency: { queue: 0, ttft: 1, total: 2 }, cache: { status: "miss" }, request_id: "req_1" },
};

const INDEX = {
  ...{ id: "idx_1", name: "handbook", description: "Rules", status: "ready", documents: 3, chunks: 9, tokens: 40 },
} as unknown as RagIndex;

let asked: RagQuery[];
let answer: RagAnswer;
let events: RagEvent[];
const mcp = createMcp({
  rag: {
    async query(_, body) {
      asked.push(body);
      if (body.index === "none") throw new AppError("not_found", 'Index "none" not found.', { param: "index" });
      return answer;
    },
    async *events(_, body) {
      asked.push(body);
      yield* events;
    },
  },
  indexes: {
    list: async (_, { limit = 20 }) => ({ data: [INDEX].slice(0, limit), has_more: false, next_cursor: null }),
  },
});

beforeEach(() => {
  asked = [];
  answer = ANSWER;
  events = [];
});

const errorOf = async (name: string, input: unknown): Promise<AppError> => {
  try {
    await mcp.run(CALL, name, input);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("The tool was expected to fail.");
};

test("every tool's result matches its output schema", async () => {
  const input = { index: "handbook", question: "How many days?" };
  expect(Value.Check(ListedIndexes, await mcp.run(CALL, "list_indexes"))).toBe(true);
  expect(Value.Check(FoundPassages, await mcp.run(CALL, "search_index", input))).toBe(true);
  expect(Value.Check(IndexAnswer, await mcp.run(CALL, "ask_index", input))).toBe(true);
});

test("search_index searches without a model and leaves out the scores of each retriever", async () => {
  const found = await mcp.run(CALL, "search_index", { index: "handbook", question: "How many days?", top_k: 3 });
  expect(asked).toEqual([{ index: "handbook", question: "How many days?", retrieval: { top_k: 3 }, generate: false }]);
  expect(found).toEqual({
    passages: [
      {
        ...{ document_title: "Rules", source: "rules.md", heading: "Leave", page: null, text: "30 days of leave." },
        ...{ metadata: {}, id: "chunk_a", document_id: "doc_a", start: 0, end: 17, score: 0.9 },
      },
    ],
    ...RETRIEVAL,
  });
});

test("ask_index returns the fallback text if nothing relevant is found", async () => {
  answer = {
    ...ANSWER,
    status: "no_relevant_context",
    answer: "Nothing.",
    citations: [],
    sources: [],
    grounding: null,
  };
  const input = { index: "handbook", question: "What is the weather?", history: [] };
  expect(await mcp.run(CALL, "ask_index", input)).toMatchObject({
    ...{ status: "no_relevant_context", answer: "Nothing.", citations: [], supported: null },
  });
});

test("ask_index reports progress at most once a second while tokens arrive", async () => {
  const retrieval: RagEvent = { type: "retrieval", ...RETRIEVAL, chunks: [CHUNK], cache: { status: "miss" } };
  events = [retrieval, ...Array.from({ length: 50 }, (): RagEvent => ({ type: "token", text: "x" }))];
  events.push({ type: "done", answer: ANSWER });
  const reports: [number, string][] = [];
  const result = await mcp.run(CALL, "ask_index", { index: "handbook", question: "?" }, (...report) =>
    reports.push(report),
  );
  expect(result).toMatchObject({ status: "answered", answer: ANSWER.answer });
  expect(reports).toEqual([
    [1, "Found 1 passage"],
    [2, "Writing the answer"],
  ]);
});

describe("arguments", () => {
  const question = "How many days?";
  test.each([
    ["search_index", { question }, "index", "index is missing"],
    ["search_index", { index: "handbook", question, query: "x" }, "query", "`query` is not a field of this request."],
    ["search_index", { index: "handbook", question, top_k: 101 }, "top_k", "top_k must be 100 or less, not 101."],
    ["search_index", { index: "handbook", question, generate: true }, "generate", "`generate` is not a field"],
    ["ask_index", { index: "handbook", question: "  " }, "question", "question"],
    ["ask_index", { index: "handbook", question, stream: true }, "stream", "`stream` is not a field"],
    ["list_indexes", { limit: 0 }, "limit", "limit must be 1 or more, not 0."],
    ["search_index", { index: "handbook", question, filter: { year: [2024] } }, "filter.year", "filter.year must be"],
    ["list_indexes", [], undefined, "must be an object"],
  ])("of %s %j are rejected", async (name, input, param, message) => {
    const error = await errorOf(name, input);
    expect([error.kind, error.detail.param]).toEqual(["invalid_request", param]);
    expect(error.message).toContain(message);
    expect(asked).toEqual([]);
  });

  test("that are null are treated like omitted ones", async () => {
    await mcp.run(CALL, "search_index", { index: "handbook", question, top_k: null, filter: null });
    expect(asked).toEqual([{ index: "handbook", question, generate: false }]);
  });
});

test("running a tool that doesn't exist returns undefined, even if an object has a method with its name", () => {
  for (const name of ["delete_index", "toString", "__proto__", ""]) expect(mcp.run(CALL, name)).toBeUndefined();
});

test("the errors of the services reach the caller unchanged", async () => {
  expect((await errorOf("ask_index", { index: "none", question: "?" })).kind).toBe("not_found");
});

test("the listed schemas are plain JSON Schema and short enough for a model's context", () => {
  const tools = mcp.list();
  expect(mcp.list()).toBe(tools);
  for (const { name, description, inputSchema } of tools) {
    expect([name, inputSchema.type, inputSchema.additionalProperties]).toEqual([name, "object", false]);
    expect(description.length).toBeLessThan(300);
  }
  const inputs = JSON.stringify(tools.map(({ inputSchema }) => inputSchema));
  expect(inputs.length).toBeLessThan(5000);
  expect(JSON.stringify(tools)).not.toMatch(/"(neutral|strict|unsupported)":/);
});
