import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { EmbeddingList } from "../../gateway/embeddings/contract";
import type { Node, NodePage } from "../../gateway/nodes/contract";
import type { ErrorEnvelope } from "../../lib/errors";
import { decodeVector } from "../../lib/vectors";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await until("the node has reported its models", async () => {
    const { data } = (await (await stack.call("GET", "/v1/models")).json()) as { data: unknown[] };
    return data.length === 2;
  });
});
afterAll(() => stack.close());

const post = (body: unknown, headers: Record<string, string> = {}, key?: string) =>
  stack.call("POST", "/v1/embeddings", { body, headers, ...(key && { key }) });
const embed = async (body: object, headers?: Record<string, string>) => {
  const response = await post(body, headers);
  expect(response.status).toBe(200);
  return { headers: response.headers, list: (await response.json()) as EmbeddingList };
};
const refusal = async (body: unknown, headers?: Record<string, string>, key?: string) => {
  const response = await post(body, headers, key);
  const { error } = (await response.json()) as ErrorEnvelope;
  return [response.status, error.code, error.param];
};

describe("an answer", () => {
  test("has OpenAI's format, plus revision, cache counts and request id", async () => {
    const { list, headers } = await embed({ input: ["one two", "three"], user: "u" }, { "x-request-id": "req_mine" });
    expect(list).toMatchObject({
      object: "list",
      data: [
        { object: "embedding", index: 0 },
        { object: "embedding", index: 1 },
      ],
      model: "all-minilm-l6-v2",
      model_revision: "synthetic",
      usage: { prompt_tokens: 3, total_tokens: 3 },
      cache: { hits: 0, misses: 2 },
      stored: null,
      request_id: "req_mine",
    });
    expect(headers.get("cache-status")).toBe("Groundwire; fwd=miss; stored");
    expect(headers.get("server-timing")).toMatch(/queue;dur=.*total;dur=/);
    expect(headers.get("x-retries")).toBe("0");
  });

  test("as base64 has the same numbers, and both come from the cache with the original usage", async () => {
    await embed({ input: "cached words" });
    const [list, base64] = [
      await embed({ input: "cached words" }),
      await embed({ input: "cached words", encoding_format: "base64" }),
    ];
    const [listed, encoded] = [list.list.data[0]?.embedding, base64.list.data[0]?.embedding];
    expect(typeof encoded).toBe("string");
    expect(decodeVector(encoded)).toEqual(decodeVector(listed) as Float32Array);
    expect(base64.list).toMatchObject({ usage: { prompt_tokens: 2 }, cache: { hits: 1, misses: 0 } });
    expect(base64.headers.get("cache-status")).toMatch(
      /^Groundwire; hit; ttl=\d+; key="v2-[0-9a-f]{64}"; detail="exact/,
    );
    expect(base64.headers.get("age")).toMatch(/^\d+$/);
  });

  test("for 2,048 inputs is complete and in order", async () => {
    const input = Array.from({ length: 2048 }, (_, index) => `word${index} ${"more ".repeat(index % 3)}`);
    const { list } = await embed({ input, encoding_format: "base64" });
    expect(list.data.map(({ index }) => index)).toEqual([...input.keys()]);
    const [last] = (await embed({ input: input.at(-1), encoding_format: "base64" })).list.data;
    expect(list.data.at(-1)?.embedding).toEqual(last?.embedding as string);
  });

  test("is computed for token ids too", async () => {
    const { list } = await embed({ input: [[1, 2, 3], [4]] });
    expect([list.data.length, list.usage.prompt_tokens]).toEqual([2, 4]);
  });
});

describe("cache-control", () => {
  test("only-if-cached calls no model", async () => {
    expect(await refusal({ input: ["never seen"] }, { "cache-control": "only-if-cached" })).toEqual([
      504,
      "not_cached",
      null,
    ]);
  });

  test("no-store stores nothing, no-cache reads nothing", async () => {
    const status = async (control: string) =>
      (await embed({ input: "a directive" }, { "cache-control": control })).headers.get("cache-status");
    expect(await status("no-store")).toMatch(/fwd=miss; key/);
    expect(await status("max-age=60")).toMatch(/fwd=miss; stored/);
    expect(await status("no-cache")).toMatch(/fwd=request; stored; .*detail="no-cache"/);
    expect(await status("max-age=60")).toMatch(/; hit;/);
  });

  test("nothing is stored for a key without content logging", async () => {
    const key = await stack.keyOf("member", { content_logging: false });
    for (const _ of "ab") {
      const response = await post({ input: "a secret" }, {}, key);
      expect(((await response.json()) as EmbeddingList).cache).toEqual({ hits: 0, misses: 1 });
    }
  });

  test("the admin's statistics count every text, and invalidating the model deletes all of them", async () => {
    await embed({ input: ["counted one", "counted two"] });
    const response = await stack.call("POST", "/v1/cache/invalidate", { body: { model: "all-minilm-l6-v2" } });
    expect(((await response.json()) as { deleted: number }).deleted).toBeGreaterThanOrEqual(2);
    expect((await embed({ input: "counted one" })).list.cache).toEqual({ hits: 0, misses: 1 });
  });
});

describe("errors", () => {
  test.each<[what: string, param: string, body: Record<string, unknown>]>([
    ["no input", "input", {}],
    ["an empty text", "input", { input: "" }],
    ["an empty list", "input", { input: [] }],
    ["too many texts", "input", { input: Array(2049).fill("a") }],
    ["an empty text among others", "input.1", { input: ["a", ""] }],
    ["a number among texts", "input.1", { input: ["a", 1] }],
    ["a text among tokens", "input.1", { input: [1, "a"] }],
    ["an empty list among lists", "input.1", { input: [[1], []] }],
    ["an unknown encoding", "encoding_format", { input: "a", encoding_format: "int8" }],
    ["a length that differs from the model's", "dimensions", { input: "a", dimensions: 128 }],
    ["a length of 0", "dimensions", { input: "a", dimensions: 0 }],
    ["a chat model", "model", { input: "a", model: "smollm2-135m-instruct" }],
    ["an unknown field", "truncate", { input: "a", truncate: true }],
  ])("%s is rejected by name", async (_what, param, body) => {
    expect(await refusal(body)).toEqual([400, "invalid_request", param]);
  });

  test("an unknown model, or a model that the key may not use, is rejected", async () => {
    expect(await refusal({ input: "a", model: "gpt-99" })).toEqual([404, "model_not_found", "model"]);
    const key = await stack.keyOf("member", { allowed_models: ["smollm2-135m-instruct"] });
    expect(await refusal({ input: "a" }, {}, key)).toEqual([404, "model_not_found", "model"]);
  });

  test("an embedding model is rejected for a chat", async () => {
    const body = { model: "all-minilm-l6-v2", messages: [{ role: "user", content: "Hi" }] };
    const response = await stack.call("POST", "/v1/chat/completions", { body });
    const { error } = (await response.json()) as ErrorEnvelope;
    expect([response.status, error.param, error.message.includes("/v1/embeddings")]).toEqual([400, "model", true]);
  });

  test("a text that is too long is rejected with its position and the node's message", async () => {
    const long = "word ".repeat(5000);
    expect(await refusal({ input: ["a", ...Array(40).fill("b"), "c", long] })).toEqual([
      400,
      "context_length_exceeded",
      "input.42",
    ]);
    expect(await refusal({ input: long })).toEqual([400, "context_length_exceeded", "input"]);
  });

  test("an unknown priority is rejected with the name of the header", async () => {
    const headers = { "x-priority": "urgent" };
    expect(await refusal({ input: "a" }, headers)).toEqual([400, "invalid_request", "x-priority"]);
  });

  test("an error of the node, with its message", async () => {
    expect(await refusal({ input: ["a", "!error 503"] })).toEqual([503, "unavailable", null]);
    expect(await refusal({ input: "!truncate" })).toEqual([502, "upstream_error", null]);
    expect(await refusal({ input: "!hang" }, { "x-deadline-ms": "50" })).toEqual([504, "deadline_exceeded", null]);
  });
});

const nodes = async (): Promise<Node[]> => ((await (await stack.call("GET", "/v1/nodes")).json()) as NodePage).data;

test("the lists of models and nodes show embedding models", async () => {
  const models = (await (await stack.call("GET", "/v1/models")).json()) as { data: unknown[] };
  expect(models.data).toMatchObject([
    {
      ...{ id: "smollm2-135m-instruct", kind: "chat", dimensions: null, default: true },
      capabilities: { chat: true, tools: false, json_schema: false, logprobs: true, max_output_tokens: 16 },
    },
    {
      ...{ id: "all-minilm-l6-v2", kind: "embedding", dimensions: 64, default: true },
      capabilities: { chat: false, dimensions: false, max_output_tokens: null },
    },
  ]);
  for (const model of models.data as { id: string }[]) {
    expect(await (await stack.call("GET", `/v1/models/${model.id}`)).json()).toEqual(model);
  }
  // The node's last report may still show the slot of a request that was aborted before.
  await until("every slot is reported as free", async () => (await nodes())[0]?.embeddings?.slots.running === 0);
  expect(await nodes()).toMatchObject([{ embeddings: { slots: { total: 64, running: 0 }, queue: { capacity: 64 } } }]);
});

test("embedding metrics have OpenTelemetry's names, and cache hits count no tokens", async () => {
  await embed({ input: "measured once" });
  await embed({ input: "measured once" });
  const text = await (await stack.call("GET", "/metrics")).text();
  expect(text).toMatch(/gen_ai_server_request_duration_seconds_count\{gen_ai_operation_name="embeddings",[^}]*\} \d/);
  expect(text).toMatch(/gen_ai_client_token_usage_sum\{gen_ai_operation_name="embeddings",[^}]*="input"\} \d/);
  expect(text).not.toMatch(/gen_ai_client_token_usage_sum\{gen_ai_operation_name="embeddings",[^}]*="output"\}/);
});
