import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { RagAnswer } from "../../gateway/rag/contract";
import type { RagIndex } from "../../gateway/rag/indexes/contract";
import { RagClient } from "../rag-client";
import { RerankServer } from "../rerank-server";
import { until } from "../until";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

/* Answers from an index whose chunks are reranked by a server behind a real node. */

let server: RerankServer;
let stack: Stack;
let client: RagClient;
let index: string;

const LEAVE = "Employees have thirty days of leave";
const QUESTION = "thirty days leave";

beforeAll(async () => {
  server = new RerankServer();
  stack = await startStack({}, { node: { rerankerUrl: server.url } });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
  client = new RagClient(stack.url, stack.adminKey);
  index = await client.createIndex({ retrieval: { rerank: true, rerank_candidates: 10, top_k: 3 } });
  const texts = [LEAVE, "Leave your keys at the desk for thirty minutes", "The canteen opens at noon", "Thirty seats"];
  await client.addTexts(index, ...texts.map((text, at) => ({ text, source: `${at}.md` })));
  await client.settled(index);
});
afterEach(() => {
  server.failure = () => undefined;
});
afterAll(async () => {
  await stack.close();
  await server.close();
});

const query = async (body: object = {}): Promise<RagAnswer> => {
  const response = await stack.call("POST", "/v1/rag/query", {
    body: { index, question: QUESTION, generate: false, ...body },
    headers: { "cache-control": "no-cache" },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as RagAnswer;
};

describe("an index with reranking", () => {
  test("was created with a threshold on the rerank score", async () => {
    const { retrieval } = await client.read(`/${index}`);
    expect(retrieval).toMatchObject({ rerank: true, threshold: { score: "rerank", value: 0.5 } });
  });

  test("R4, R5: returns every score of each chunk, and reports the reranker and its duration", async () => {
    const { chunks, threshold, diagnostics, degraded } = await query();
    expect(chunks.map(({ text }) => text)[0]).toBe(LEAVE);
    for (const { scores } of chunks) {
      expect(scores.final).toBe(scores.rerank ?? -1);
      expect([typeof scores.vector, typeof scores.fused]).toEqual(["number", "number"]);
    }
    expect(chunks.map(({ scores }) => scores.rerank)).toEqual(
      chunks.map(({ scores }) => scores.rerank).toSorted((a, b) => (b ?? 0) - (a ?? 0)),
    );
    expect(threshold).toEqual({ score: "rerank", value: 0.5, best: 1, passed: true });
    expect(diagnostics).toMatchObject({ reranked: true, stages_ms: { rerank: expect.any(Number) } });
    expect(degraded).toBeNull();
    expect(server.last).toMatchObject({ query: QUESTION, truncate_prompt_tokens: -1 });
  });

  test("R6: refuses a question whose chunks the reranker finds irrelevant, without calling a model", async () => {
    const { status, threshold } = await query({ question: "thirty volcano eruptions yesterday", generate: true });
    expect(status).toBe("no_relevant_context");
    expect(threshold).toMatchObject({ score: "rerank", best: 0.25, passed: false });
  });

  test("continues without a reranker that fails, and says so", async () => {
    server.failure = () => new Response("broken", { status: 500 });
    const { degraded, threshold, chunks, diagnostics } = await query();
    expect([degraded, threshold, diagnostics.reranked]).toEqual(["not_reranked", null, false]);
    expect(chunks.map(({ scores }) => scores.rerank)).toEqual([null, null, null]);
  });

  test("a query can switch reranking off, with the default threshold or one on another score", async () => {
    const named = { score: "vector", value: 0.1 };
    const { chunks, diagnostics, threshold } = await query({ retrieval: { rerank: false, threshold: named } });
    expect([diagnostics.reranked, chunks[0]?.scores.rerank]).toEqual([false, null]);
    expect(threshold).toMatchObject(named);
    const standard = await query({ retrieval: { rerank: false } });
    expect(standard.threshold).toMatchObject({ score: "relevance", value: 0.5 });
  });

  test("gets its default threshold back when reranking is switched off", async () => {
    const other = await client.createIndex({ name: "switched", retrieval: { rerank: true } });
    const response = await stack.call("PATCH", `/v1/rag/indexes/${other}`, { body: { retrieval: { rerank: false } } });
    const { retrieval } = (await response.json()) as RagIndex;
    expect(retrieval).toMatchObject({ rerank: false, threshold: { score: "relevance", value: 0.5 } });
  });

  test("can't be created with a rerank model that no node has, or be changed to one", async () => {
    const retrieval = { rerank: true, rerank_model: "nothing" };
    for (const [method, path, body] of [
      ["POST", "/v1/rag/indexes", { name: "unranked", retrieval }],
      ["PATCH", `/v1/rag/indexes/${index}`, { retrieval }],
    ] as const) {
      const response = await stack.call(method, path, { body });
      const { code, param } = await errorOf(response);
      expect([response.status, code, param]).toEqual([404, "model_not_found", "retrieval.rerank_model"]);
    }
  });

  test("a rerank model that no node has is a 404 that names the setting", async () => {
    const response = await stack.call("POST", "/v1/rag/query", {
      body: { index, question: QUESTION, retrieval: { rerank_model: "nothing" } },
    });
    const { error } = (await response.json()) as { error: { code: string; param: string } };
    expect([response.status, error.code, error.param]).toEqual([404, "model_not_found", "retrieval.rerank_model"]);
  });

  test("a calibration measures the rerank score", async () => {
    const response = await stack.call("POST", `/v1/rag/indexes/${index}/calibrate`, {
      body: {
        questions: [
          { question: QUESTION, relevant: ["0.md"] },
          { question: "thirty volcano eruptions yesterday", relevant: [] },
        ],
      },
    });
    const measured = (await response.json()) as { score: string; suggested: { threshold: number }; mrr: object };
    expect([response.status, measured.score]).toEqual([200, "rerank"]);
    expect(measured.suggested).toMatchObject({ false_answers: 0, false_refusals: 0 });
    expect(measured.suggested.threshold).toBeGreaterThan(0.25);
    server.failure = () => new Response("broken", { status: 500 });
    const failed = await stack.call("POST", `/v1/rag/indexes/${index}/calibrate`, {
      body: {
        questions: [
          { question: "a question about leave", relevant: ["0.md"] },
          { question: "a question about seats", relevant: [] },
        ],
      },
    });
    expect(failed.status).toBe(503);
  });
});
