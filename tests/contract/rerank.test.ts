import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { TokenCounts } from "../../gateway/embeddings/contract";
import type { LimitsExplanation } from "../../gateway/limits/contract";
import type { Kpis } from "../../gateway/metrics/contract";
import type { Model } from "../../gateway/models/contract";
import type { NodeCheck, NodePage } from "../../gateway/nodes/contract";
import type { LoggedRequestPage } from "../../gateway/requests/contract";
import type { RerankList } from "../../gateway/rerank/contract";
import { RerankServer } from "../rerank-server";
import { until } from "../until";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

const MODEL = "word-ranker";
const QUERY = "how many days of leave";
const DOCUMENTS = ["The canteen opens at noon.", { text: "Thirty days of leave." }, "How many seats?"];

let server: RerankServer;
let stack: Stack;
beforeAll(async () => {
  server = new RerankServer();
  stack = await startStack({}, { node: { rerankerUrl: server.url }, hasWorker: false });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(async () => {
  await stack.close();
  await server.close();
});
beforeEach(() => {
  server.failure = () => undefined;
});

const post = (body: unknown, headers: Record<string, string> = {}, key?: string) =>
  stack.call("POST", "/v1/rerank", { body, headers, ...(key && { key }) });
const rerank = async (body: object, headers?: Record<string, string>) => {
  const response = await post(body, headers);
  expect(response.status).toBe(200);
  return { headers: response.headers, list: (await response.json()) as RerankList };
};
const refusal = async (response: Response) => {
  const { code, param, message } = await errorOf(response);
  return { status: response.status, code, param, message };
};
let queries = 0;
/** A query that is not in the cache. */
const newQuery = () => `leave ${++queries}`;

describe("an answer", () => {
  test("has the results by relevance, in the format of Jina and Cohere", async () => {
    const { list, headers } = await rerank({ query: QUERY, documents: DOCUMENTS }, { "x-request-id": "req_mine" });
    expect(list).toEqual({
      id: expect.stringMatching(/^rerank_/),
      model: MODEL,
      model_revision: expect.stringMatching(/^[0-9a-f]{12}$/),
      results: [
        { index: 1, relevance_score: 0.6 },
        { index: 2, relevance_score: 0.4 },
        { index: 0, relevance_score: 0 },
      ],
      usage: { prompt_tokens: 27, total_tokens: 27 },
      cache: expect.objectContaining({ status: "miss", stored: true }),
      request_id: "req_mine",
    });
    expect(headers.get("server-timing")).toMatch(/queue;dur=.*total;dur=/);
    expect(headers.get("x-retries")).toBe("0");
  });

  test("contains the best top_n documents and, if requested, their texts", async () => {
    const { list } = await rerank({
      ...{ model: MODEL, query: QUERY, documents: DOCUMENTS },
      ...{ top_n: 2, return_documents: true, truncate: false },
    });
    expect(list.results).toEqual([
      { index: 1, relevance_score: 0.6, document: { text: "Thirty days of leave." } },
      { index: 2, relevance_score: 0.4, document: { text: "How many seats?" } },
    ]);
    expect((await rerank({ query: QUERY, documents: DOCUMENTS, top_n: 99 })).list.results).toHaveLength(3);
  });

  test("is complete and in order for 2,048 documents, which reach the server in batches", async () => {
    const before = server.requests.length;
    const documents = Array.from({ length: 2048 }, (_, index) => (index === 1999 ? "leave" : `seat ${index}`));
    const { list } = await rerank({ query: "leave", documents });
    expect(list.results.slice(0, 3).map(({ index }) => index)).toEqual([1999, 0, 1]);
    const batches = server.requests.slice(before).map((body) => (body.documents as string[]).length);
    expect([batches.length, Math.max(...batches)]).toEqual([64, 32]);
  });

  test("comes from the cache the second time, with the original usage, even for another top_n", async () => {
    const request = { query: newQuery(), documents: ["a day", "leave"] };
    const first = await rerank(request);
    const called = server.requests.length;
    const second = await rerank({ ...request, top_n: 1 });
    expect([server.requests.length, second.list.cache.status, second.list.usage]).toEqual([
      called,
      "hit",
      first.list.usage,
    ]);
    expect(second.list.results).toEqual(first.list.results.slice(0, 1));
    expect((await rerank({ ...request, truncate: true })).list.cache.status).toBe("miss");
    expect((await rerank(request, { "cache-control": "no-cache" })).list.cache.status).not.toBe("hit");
  });

  test("is not stored for a key without content logging", async () => {
    const key = await stack.keyOf("member", { content_logging: false });
    const body = { query: newQuery(), documents: ["a"] };
    for (const _ of "ab") {
      const { cache } = (await (await post(body, {}, key)).json()) as RerankList;
      expect([cache.status, cache.stored]).toEqual(["miss", false]);
    }
  });
});

describe("errors", () => {
  test.each<[what: string, param: string, body: Record<string, unknown>]>([
    ["no query", "query", { documents: ["a"] }],
    ["an empty query", "query", { query: "", documents: ["a"] }],
    ["no documents", "documents", { query: "a" }],
    ["an empty list", "documents", { query: "a", documents: [] }],
    ["an empty document", "documents.1", { query: "a", documents: ["a", ""] }],
    ["an object without a text", "documents.0.title", { query: "a", documents: [{ title: "a" }] }],
    ["2,049 documents", "documents", { query: "a", documents: Array(2049).fill("x") }],
    ["top_n of 0", "top_n", { query: "a", documents: ["a"], top_n: 0 }],
    ["TEI's texts", "texts", { query: "a", texts: ["a"] }],
    ["raw scores", "raw_scores", { query: "a", documents: ["a"], raw_scores: true }],
  ])("400 for %s, and the error names the field", async (_what, param, body) => {
    const { status, ...error } = await refusal(await post(body));
    expect([status, error.code, error.param]).toEqual([400, "invalid_request", param]);
  });

  test("a model of another kind and an unknown one are refused by name", async () => {
    const chat = await refusal(await post({ model: "smollm2-135m-instruct", query: "a", documents: ["a"] }));
    expect(chat).toMatchObject({ status: 400, param: "model", message: expect.stringContaining("a rerank model") });
    const unknown = await refusal(await post({ model: "nothing", query: "a", documents: ["a"] }));
    expect([unknown.status, unknown.code]).toEqual([404, "model_not_found"]);
    const embedding = await stack.call("POST", "/v1/embeddings", { body: { model: MODEL, input: "a" } });
    expect((await refusal(embedding)).message).toContain("/v1/rerank");
  });

  test("401 without a key, 403 for a viewer, 404 for a key that may not use the model", async () => {
    const body = { query: "a", documents: ["a"] };
    expect((await stack.call("POST", "/v1/rerank", { key: null, body })).status).toBe(401);
    expect((await post(body, {}, await stack.keyOf("viewer"))).status).toBe(403);
    const limited = await stack.keyOf("member", { allowed_models: ["smollm2-135m-instruct"] });
    expect((await refusal(await post(body, {}, limited))).code).toBe("model_not_found");
  });

  test("a document that is too long for the server is a 400 with its own code", async () => {
    const long = "x".repeat(100);
    server.failure = ({ documents }) =>
      (documents as string[]).includes(long)
        ? Response.json(
            { error: { message: "This model's maximum context length is 512 tokens.", param: "documents" } },
            { status: 400 },
          )
        : undefined;
    const failed = await refusal(await post({ query: newQuery(), documents: ["a", long] }));
    expect([failed.status, failed.code]).toEqual([400, "context_length_exceeded"]);
  });

  test("a failing server is a 502, and only-if-cached without an entry a 504", async () => {
    server.failure = () => new Response("broken", { status: 500 });
    const failed = await post({ query: newQuery(), documents: ["a"] });
    expect((await refusal(failed)).code).toBe("upstream_error");
    const uncached = await post({ query: newQuery(), documents: ["a"] }, { "cache-control": "only-if-cached" });
    expect((await refusal(uncached)).code).toBe("not_cached");
  });
});

describe("after a ranking", () => {
  test("its tokens count towards the key's limits, but not those of a cached answer", async () => {
    const key = await stack.keyOf("member", { tokens_per_minute: 1000 });
    const used = async () => {
      const explained = (await (await stack.call("GET", "/v1/limits/explain", { key })).json()) as LimitsExplanation;
      return explained.limits.find(({ name }) => name === "tokens_per_minute")?.used;
    };
    const body = { query: newQuery(), documents: ["one two three", "four"] };
    const { usage } = (await (await post(body, {}, key)).json()) as RerankList;
    await post(body, {}, key);
    expect([usage.total_tokens, await used()]).toEqual([8, 8]);
    const refused = await post({ query: newQuery(), documents: Array(300).fill("many words in here") }, {}, key);
    expect((await refusal(refused)).status).toBe(400);
    expect(await used()).toBe(8);
  });

  test("its model, tokens and route are in the request log and the metrics", async () => {
    const { list } = await rerank({ query: newQuery(), documents: ["logged"] });
    const find = async () => {
      const page = await stack.call("GET", `/v1/requests?id=${list.request_id}`);
      return ((await page.json()) as LoggedRequestPage).data[0];
    };
    await until("the request is logged", async () => (await find()) !== undefined);
    expect(await find()).toMatchObject({
      route: "/v1/rerank",
      model: MODEL,
      usage: { prompt_tokens: list.usage.prompt_tokens, completion_tokens: 0 },
    });
    const prometheus = await (await stack.call("GET", "/metrics")).text();
    expect(prometheus).toMatch(/gen_ai_operation_name="rerank",[^}]*gen_ai_request_model="word-ranker"/);
    const kpis = (await (await stack.call("GET", "/v1/metrics")).json()) as Kpis;
    expect(kpis.stages.rerank.count).toBeGreaterThan(0);
  });
});

test("the list of models shows the reranker, and a check of the node reaches it", async () => {
  const model = (await (await stack.call("GET", `/v1/models/${MODEL}`)).json()) as Model;
  expect(model).toMatchObject({ kind: "rerank", default: true, dimensions: null, context_window: 512 });
  expect(model.capabilities).toMatchObject({ rerank: true, chat: false, max_output_tokens: null });
  const counted = await stack.call("POST", "/v1/tokenize", { body: { model: MODEL, input: "two words" } });
  expect(((await counted.json()) as TokenCounts).data).toEqual([{ count: 2 }]);
  const [node] = ((await (await stack.call("GET", "/v1/nodes")).json()) as NodePage).data;
  const checked = (await (await stack.call("POST", `/v1/nodes/${node?.id}/check`)).json()) as NodeCheck;
  expect(checked.models).toContainEqual(expect.objectContaining({ model: MODEL, error: null }));
});

test("without a reranker, the error says which settings add one, also if the request names a model", async () => {
  const plain = await startStack({}, { hasWorker: false });
  await until("the gateway knows its node", async () => (await plain.call("GET", "/readyz")).status === 200);
  for (const named of [{}, { model: "bge-reranker-v2-m3" }]) {
    const body = { ...named, query: "a", documents: ["b"] };
    const { status, code, message } = await refusal(await plain.call("POST", "/v1/rerank", { body }));
    expect([status, code]).toEqual([404, "model_not_found"]);
    expect(message).toContain("GROUNDWIRE_RERANK_MODEL or GROUNDWIRE_NODE_RERANKER_URL");
  }
  await plain.close();
});
