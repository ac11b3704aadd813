import { describe, expect, test } from "bun:test";
import { decodeVector } from "../../lib/vectors";
import { chatBody, TestClient, testConfig, testNode } from "../../tests/test-node";
import { until } from "../../tests/until";
import type { Embedder, Embedding } from "../engine/engine";
import { createSyntheticEmbedder, createSyntheticEngine } from "../engine/synthetic";
import type { EmbeddingAnswer } from "../protocol";

const failure = (text: string) => JSON.parse(text).error;
const embed = async (client: TestClient, body: object, headers: Record<string, string> = {}) => {
  const reply = await client.request("/v1/embeddings", { body, headers });
  return { ...reply, answer: JSON.parse(reply.text) as EmbeddingAnswer };
};

describe("POST /v1/embeddings", () => {
  test("answers in OpenAI's format, in input order, with exact usage and the node's own timings", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const { answer, headers, status } = await embed(client, { input: ["one two", "three"], user: "u" });
    expect(status).toBe(200);
    expect(answer).toMatchObject({
      object: "list",
      data: [
        { object: "embedding", index: 0, tokens: 2 },
        { object: "embedding", index: 1, tokens: 1 },
      ],
      model: "all-minilm-l6-v2",
      usage: { prompt_tokens: 3, total_tokens: 3 },
      timings: { queue_ms: expect.any(Number), total_ms: expect.any(Number) },
    });
    expect([headers["x-engine"], headers["x-model-revision"]]).toEqual(["synthetic", "synthetic"]);
    expect(Number(headers["x-queue-ms"])).toBeGreaterThanOrEqual(0);
  });

  test("the base64 encoding has the same numbers as the list", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const [list, base64] = [
      await embed(client, { input: "Hi" }),
      await embed(client, { input: "Hi", encoding_format: "base64" }),
    ];
    const vectorOf = ({ answer }: typeof list) => decodeVector(answer.data[0]?.embedding);
    expect(typeof base64.answer.data[0]?.embedding).toBe("string");
    expect(vectorOf(base64)).toEqual(vectorOf(list) as Float32Array);
  });

  test("a chat model is rejected for embeddings, and an embedding model for a chat", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const wrong = await embed(client, { input: "a", model: "smollm2-135m-instruct" });
    expect([wrong.status, failure(wrong.text).param]).toEqual([404, "model"]);
    const chat = await client.request("/v1/chat/completions", { body: chatBody("Hi", { model: "all-minilm-l6-v2" }) });
    expect([chat.status, failure(chat.text).message]).toEqual([
      404,
      'This node has no chat model "all-minilm-l6-v2". Available: smollm2-135m-instruct.',
    ]);
  });

  test("a node without an embedder says so and lists no embedding models", async () => {
    await using node = await testNode({ node: { embedder: "off" } });
    using client = new TestClient(node.url);
    const { status, text } = await embed(client, { input: "a" });
    expect([status, failure(text).code]).toEqual([404, "model_not_found"]);
    const { models, embeddings } = await client.readiness();
    expect([models.length, embeddings]).toEqual([1, undefined]);
  });

  test("a failure is reported in the error format, and an incomplete answer is an error", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    for (const [input, status, code] of [
      ["!error 503", 503, "unavailable"],
      ["!crash", 500, "internal"],
      ["!truncate", 502, "upstream_error"],
    ] as const) {
      const reply = await embed(client, { input: ["a", input] });
      expect([reply.status, failure(reply.text).code]).toEqual([status, code]);
    }
  });
});

describe("the embedder's queue", () => {
  test("is separate: when it is full, it rejects with the time to retry, and chats continue", async () => {
    await using node = await testNode({ node: { embedderSlots: 1, embedderQueue: 1 } });
    using client = new TestClient(node.url);
    const hung = client.open("/v1/embeddings", { body: { input: "!hang" } });
    await until("one runs", async () => (await client.readiness()).embeddings?.slots.running === 1);
    const waiting = embed(client, { input: "a" });
    await until("one waits", async () => (await client.readiness()).embeddings?.queue.depth === 1);
    const rejected = await embed(client, { input: "a" });
    expect([rejected.status, failure(rejected.text).code]).toEqual([429, "overloaded"]);
    expect(Number(rejected.headers["retry-after"])).toBeGreaterThan(0);
    expect((await client.chat("Hi")).status).toBe(200);
    expect((await client.readiness()).slots.running).toBe(0);
    hung.destroy();
    expect((await waiting).status).toBe(200);
    const { text } = await client.request("/metrics");
    expect(text).toContain('groundwire_node_slots{kind="embedding"} 1');
  });

  test("respects a request's deadline and queue timeout", async () => {
    await using node = await testNode({ node: { embedderSlots: 1 } });
    using client = new TestClient(node.url);
    client.open("/v1/embeddings", { body: { input: "!hang" } });
    await until("one runs", async () => (await client.readiness()).embeddings?.slots.running === 1);
    const tired = await embed(client, { input: "a" }, { "x-queue-timeout-ms": "20" });
    const late = await embed(client, { input: "a" }, { "x-deadline-ms": "20" });
    expect([tired.status, late.status]).toEqual([429, 504]);
    expect(failure((await embed(client, { input: "a" }, { "x-priority": "high" })).text).param).toBe("x-priority");
  });

  test("a client that disconnects frees its slot", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const leaving = client.open("/v1/embeddings", { body: { input: "!hang" } });
    await until("it runs", async () => (await client.readiness()).embeddings?.slots.running === 1);
    leaving.destroy();
    await until("its slot is free", async () => (await client.readiness()).embeddings?.slots.running === 0);
  });

  test("a text that hangs makes the node stuck, even while chats continue to produce tokens", async () => {
    await using node = await testNode({ node: { stuckMs: 100 } });
    using client = new TestClient(node.url);
    const hung = client.open("/v1/embeddings", { body: { input: "!hang" } });
    await until("the node is stuck", async () => (await client.readiness()).state === "stuck");
    expect((await client.readiness()).last_token_ms).toBeUndefined();
    expect((await client.chat("Hi")).status).toBe(200);
    hung.destroy();
    await until("the node is ready", async () => (await client.readiness()).state === "ready");
  });
});

describe("what the node reports about its embedder", () => {
  test("the loading progress covers both models", async () => {
    const load = Promise.withResolvers<void>();
    let report: (fraction: number) => void = () => {};
    const engine = createSyntheticEngine(testConfig());
    const embedder: Embedder = {
      ...createSyntheticEmbedder(testConfig()),
      load: (onProgress) => {
        report = onProgress;
        return load.promise;
      },
    };
    await using node = await testNode({}, { engines: { engine, embedder, close: async () => {} } });
    using client = new TestClient(node.url);
    await until("the engine has loaded", async () => ((await client.readiness()).progress ?? 0) >= 0.8);
    report(0.5);
    expect(await client.readiness()).toMatchObject({ state: "loading", progress: 0.9, models: [] });
    expect((await embed(client, { input: "a" })).status).toBe(503);
    load.resolve();
    await node.ready;
    expect((await client.readiness()).models).toMatchObject([
      { kind: "chat" },
      { id: "all-minilm-l6-v2", kind: "embedding", dimensions: 64, context_window: 4096 },
    ]);
  });

  test("tokens and requests are counted, including those of disconnected clients", async () => {
    const embedder: Embedder = {
      ...createSyntheticEmbedder(testConfig()),
      accept: async ({ body, signal }) => ({
        model: { id: "m", kind: "embedding", revision: "r", context_window: 8, dimensions: 1 },
        inputs: 2,
        start: async function* (): AsyncGenerator<Embedding> {
          yield { index: 0, vector: Float32Array.of(1), tokens: 5 };
          if (body.input === "hang") await new Promise((_, reject) => signal.addEventListener("abort", reject));
          yield { index: 1, vector: Float32Array.of(1), tokens: 2 };
        },
      }),
    };
    const engine = createSyntheticEngine(testConfig());
    await using node = await testNode({}, { engines: { engine, embedder, close: async () => {} } });
    using client = new TestClient(node.url);
    await embed(client, { input: "go" });
    const leaving = client.open("/v1/embeddings", { body: { input: "hang" } });
    await until("it runs", async () => (await client.readiness()).embeddings?.slots.running === 1);
    leaving.destroy();
    await until("it has ended", async () => (await client.readiness()).embeddings?.slots.running === 0);
    const { text } = await client.request("/metrics");
    expect(text).toContain('groundwire_node_tokens_total{gen_ai_response_model="m",gen_ai_token_type="input"} 12');
    expect(text).toContain(
      'gen_ai_server_request_duration_seconds_count{gen_ai_operation_name="embeddings",gen_ai_provider_name="groundwire",gen_ai_response_model="m"} 1',
    );
  });

  test("tokenizes for the named model", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const count = async (model: string) =>
      JSON.parse((await client.request("/tokenize", { body: { model, prompt: "one  two " } })).text).count;
    expect([await count("smollm2-135m-instruct"), await count("all-minilm-l6-v2")]).toEqual([3, 2]);
  });

  test("counts the tokens of up to 256 texts, for both kinds of models", async () => {
    await using node = await testNode();
    using client = new TestClient(node.url);
    const count = async (model: string, prompt: string[]) => {
      const { status, text } = await client.request("/tokenize", { body: { model, prompt } });
      return [status, JSON.parse(text).counts];
    };
    expect(await count("all-minilm-l6-v2", ["one two", "", "one"])).toEqual([200, [2, 0, 1]]);
    expect(await count("smollm2-135m-instruct", ["one two", "one"])).toEqual([200, [2, 1]]);
    for (const texts of [[], Array(257).fill("x")]) {
      expect((await count("all-minilm-l6-v2", texts))[0]).toBe(400);
    }
  });
});
