import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { RerankServer } from "../../../tests/rerank-server";
import { TestClient, testNode } from "../../../tests/test-node";

const QUERY = "how many days of leave";
const DOCUMENTS = ["The canteen opens at noon.", "Thirty days of leave.", "How many seats?"];

const start = async (type: "vllm" | "tei") => {
  const server = new RerankServer(type);
  const node = await testNode({ node: { rerankerUrl: server.url, rerankerKey: "behind" } });
  await node.ready;
  const client = new TestClient(node.url);
  return {
    server,
    client,
    rerank: async (body: Record<string, unknown>) => {
      const reply = await client.request("/v1/rerank", { body });
      return { ...reply, body: JSON.parse(reply.text) };
    },
    close: async () => {
      client[Symbol.dispose]();
      await node.close(0);
      await server.close();
    },
  };
};

describe.each(["vllm", "tei"] as const)("a reranker on a server like %s", (type) => {
  const started = start(type);
  afterAll(async () => (await started).close());
  afterEach(async () => {
    (await started).server.failure = () => undefined;
  });

  test("lists only the models that can rerank", async () => {
    const { models, embeddings } = await (await started).client.readiness();
    expect(models.filter(({ kind }) => kind === "rerank")).toMatchObject([
      { id: "word-ranker", context_window: 512, capabilities: { chat: false, rerank: true } },
    ]);
    expect(embeddings?.slots.total).toBe(64);
  });

  test("sorts documents by score, with the server's token count", async () => {
    const { rerank } = await started;
    const { status, body, headers } = await rerank({ query: QUERY, documents: DOCUMENTS });
    expect([status, headers["x-engine"]]).toEqual([200, expect.stringContaining("openai http")]);
    expect(body).toMatchObject({
      model: "word-ranker",
      results: [
        { index: 1, relevance_score: 0.6 },
        { index: 2, relevance_score: 0.4 },
        { index: 0, relevance_score: 0 },
      ],
      usage: { prompt_tokens: 27, total_tokens: 27 },
    });
    expect(body.results.reduce((sum: number, { tokens }: { tokens: number }) => sum + tokens, 0)).toBe(27);
  });

  test("asks the server to truncate only if the request does", async () => {
    const { rerank, server } = await started;
    await rerank({ query: "a", documents: ["b"] });
    expect(server.last).toEqual(
      type === "tei"
        ? { query: "a", texts: ["b"], truncate: false, raw_scores: false, return_text: false }
        : { model: "word-ranker", query: "a", documents: ["b"], return_documents: false },
    );
    await rerank({ query: "a", documents: ["b"], truncate: true });
    expect(server.last).toMatchObject(type === "tei" ? { truncate: true } : { truncate_prompt_tokens: -1 });
  });

  test("a document that is too long for the server is reported as such", async () => {
    const { rerank, server } = await started;
    server.failure = () =>
      type === "tei"
        ? Response.json(
            { error: "Input validation error: `inputs` must have less than 512 tokens. Given: 624", error_type: "v" },
            { status: 413 },
          )
        : Response.json({ error: { message: "This model's maximum context length is 512 tokens." } }, { status: 400 });
    const { status, body } = await rerank({ query: "a", documents: ["b"] });
    expect([status, body.error.code]).toEqual([400, "context_length_exceeded"]);
  });

  test.each<[string, unknown]>([
    ["a missing score", []],
    ["a score above 1", [{ index: 0, score: 3.2, relevance_score: 3.2 }]],
    ["a score of another document", [{ index: 7, score: 0.5, relevance_score: 0.5 }]],
    ["an object in place of the list", { 0: { index: 0, score: 0.5 } }],
    ["null in place of a score", [null]],
    ["invalid JSON", "oops"],
  ])("%s is an upstream error", async (_what, results) => {
    const { rerank, server } = await started;
    const answer = type === "tei" ? results : { results };
    server.failure = () => (typeof results === "string" ? new Response(results) : Response.json(answer));
    const { status, body } = await rerank({ query: "a", documents: ["b"] });
    expect([status, body.error.code, body.error.source]).toEqual([502, "upstream_error", "node"]);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ documents: ["a"] }, "query"],
    [{ query: "", documents: ["a"] }, "query"],
    [{ query: "a", documents: [] }, "documents"],
    [{ query: "a", documents: ["a", ""] }, "documents.1"],
    [{ query: "a", documents: ["a"], raw_scores: true }, "raw_scores"],
  ])("the node rejects %j and names the field", async (request, param) => {
    const { status, body } = await (await started).rerank(request);
    expect([status, body.error.param]).toEqual([400, param]);
  });
});

test("a node without a reranker says which settings add one", async () => {
  await using node = await testNode({});
  await node.ready;
  using client = new TestClient(node.url);
  const { status, text } = await client.request("/v1/rerank", { body: { query: "a", documents: ["b"] } });
  const { error } = JSON.parse(text);
  expect([status, error.code]).toEqual([404, "model_not_found"]);
  expect(error.message).toContain("GROUNDWIRE_RERANK_MODEL or GROUNDWIRE_NODE_RERANKER_URL");
});
