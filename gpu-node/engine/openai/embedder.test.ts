import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { encodeVector } from "../../../lib/vectors";
import { TestClient, testNode } from "../../../tests/test-node";

/** A server like vLLM or Infinity; tests set its next response. */
let answer: (body: { input: string | string[]; encoding_format?: string }) => Response;
let sent: Record<string, unknown> = {};
let key: string | null = null;
const vector = (...values: number[]) => encodeVector(Float32Array.from(values), "base64");
const server = Bun.serve({
  port: 0,
  routes: {
    "/v1/models": () =>
      Response.json({ data: [{ id: "chat-model" }, { id: "bge", root: "BAAI/bge", max_model_len: 512 }] }),
    "/tokenize": async (request) =>
      Response.json({ tokens: [1, ((await request.json()) as { prompt: string }).prompt.length] }),
    "/v1/embeddings": async (request) => {
      sent = (await request.json()) as Record<string, unknown>;
      key = request.headers.get("authorization");
      if (sent.model === "chat-model") return Response.json({ error: { message: "no" } }, { status: 400 });
      return answer(sent as { input: string });
    },
  },
});
/** Every text gets the same vector of length 5. */
const usual: typeof answer = ({ input }) =>
  Response.json({
    data: (Array.isArray(input) ? input : [input]).map((_, index) => ({ index, embedding: vector(3, 4) })),
    usage: { prompt_tokens: 10 },
  });
beforeEach(() => {
  answer = usual;
});

answer = usual;
const node = await testNode({
  node: { embedder: "openai", embedderUrl: `${server.url}v1/`, embedderKey: "behind", embedderSlots: 4 },
});
await node.ready;
const client = new TestClient(node.url);
afterAll(async () => {
  client[Symbol.dispose]();
  await node.close(0);
  await server.stop(true);
});
const embed = async (body: Record<string, unknown>) => {
  const reply = await client.request("/v1/embeddings", { body });
  return { ...reply, body: JSON.parse(reply.text) };
};

describe("the openai embedder", () => {
  test("serves the embedding models behind it, with the length of their vectors", async () => {
    const { models } = await client.readiness();
    expect(models.filter(({ kind }) => kind === "embedding")).toMatchObject([
      { id: "bge", context_window: 512, dimensions: 2, capabilities: { chat: false, dimensions: false } },
    ]);
  });

  test("finds out whether the server shortens vectors", async () => {
    answer = (body) => {
      const { dimensions = 4 } = body as { dimensions?: number };
      const embedding = Array.from({ length: dimensions }, () => 1);
      return Response.json({ data: [{ index: 0, embedding }], usage: { prompt_tokens: 1 } });
    };
    await using other = await testNode({ node: { embedder: "openai", embedderUrl: server.url.href } });
    await other.ready;
    using own = new TestClient(other.url);
    const { models } = await own.readiness();
    expect(models.at(-1)).toMatchObject({ dimensions: 4, capabilities: { dimensions: true } });
  });

  test("sends parameters unchanged, with its own key and the cheapest encoding", async () => {
    await embed({ input: ["a", "b"], truncate: true, input_type: "query", encoding_format: "float" });
    expect(sent).toEqual({
      input: ["a", "b"],
      truncate: true,
      input_type: "query",
      encoding_format: "base64",
      model: "bge",
    });
    expect(key).toBe("Bearer behind");
  });

  test("returns vectors of length 1 in the requested encoding, with the server's token count", async () => {
    const { body, headers } = await embed({ input: ["a", "bcd"] });
    expect(body).toMatchObject({
      data: [
        { index: 0, tokens: 3 },
        { index: 1, tokens: 7 },
      ],
      model: "bge",
      usage: { prompt_tokens: 10, total_tokens: 10 },
    });
    expect(body.data[0].embedding[0]).toBeCloseTo(0.6, 6);
    expect(headers["x-engine"]).toBe(`openai ${server.url.origin}`);
    expect((await embed({ input: "a", encoding_format: "base64" })).body.data[0].embedding).toBe(vector(0.6, 0.8));
  });

  test("reads lists of numbers, and vectors in any order", async () => {
    answer = () =>
      Response.json({
        data: [
          { index: 1, embedding: [0, 2] },
          { index: 0, embedding: [2, 0] },
        ],
        usage: { prompt_tokens: 2 },
      });
    const { body } = await embed({ input: ["a", "b"] });
    expect(body.data.map(({ embedding }: { embedding: number[] }) => embedding)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test.each<[string, unknown]>([
    ["a missing vector", { data: [{ index: 0, embedding: [1] }] }],
    [
      "a vector that is returned twice",
      {
        data: [
          { index: 0, embedding: [1] },
          { index: 0, embedding: [1] },
        ],
      },
    ],
    [
      "an object instead of a vector",
      {
        data: [
          { index: 0, embedding: {} },
          { index: 1, embedding: [1] },
        ],
      },
    ],
    ["invalid JSON", "oops"],
  ])("%s is reported as an upstream error", async (_what, reply) => {
    answer = () => (typeof reply === "string" ? new Response(reply) : Response.json(reply));
    const { status, body } = await embed({ input: ["a", "b"] });
    expect([status, body.error.code, body.error.source]).toEqual([502, "upstream_error", "node"]);
  });

  test("the server's error keeps its message", async () => {
    answer = () =>
      Response.json(
        { error: { message: "This model's maximum context length is 512 tokens.", param: "input" } },
        { status: 400 },
      );
    const { status, body } = await embed({ input: "long" });
    expect([status, body.error.code, body.error.param]).toEqual([400, "context_length_exceeded", "input"]);
  });

  test("tokenizes with the server", async () => {
    const reply = await client.request("/tokenize", { body: { model: "bge", prompt: "abc" } });
    expect(JSON.parse(reply.text)).toEqual({ tokens: [1, 3], count: 2 });
    const counted = await client.request("/tokenize", { body: { model: "bge", prompt: ["abc", "abc"] } });
    expect(JSON.parse(counted.text)).toEqual({ counts: [2, 2] });
  });
});

test("reads the model of TEI, which has no list of models, from /info", async () => {
  const tei = Bun.serve({
    port: 0,
    routes: {
      "/info": () => Response.json({ model_id: "BAAI/bge", model_sha: "fca145", max_input_length: 256 }),
      "/v1/embeddings": () =>
        Response.json({ data: [{ index: 0, embedding: [1, 0, 0] }], usage: { prompt_tokens: 3 } }),
      "/tokenize": () =>
        Response.json([
          [
            { id: 5, text: "a" },
            { id: 6, text: "b" },
          ],
        ]),
    },
    fetch: () => new Response(null, { status: 404 }),
  });
  await using waiting = await testNode({ node: { embedder: "openai", embedderUrl: tei.url.href } });
  await waiting.ready;
  using own = new TestClient(waiting.url);
  const { models } = await own.readiness();
  expect(models.at(-1)).toMatchObject({ id: "BAAI/bge", context_window: 256, dimensions: 3 });
  const { text } = await own.request("/tokenize", { body: { model: "BAAI/bge", prompt: "ab" } });
  expect(JSON.parse(text).tokens).toEqual([5, 6]);
  await tei.stop(true);
});
