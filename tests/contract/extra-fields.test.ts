import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ScriptedServer } from "../scripted-server";
import { deep, MODEL, newRequest, post, startCapableStack, startUnableStack, user } from "./capable-stack";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

/* Fields that only the model's server knows. The server of `able` knows many, the engine of `unable` none. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let able: Stack;
let unable: Stack;
let server: ScriptedServer;
beforeAll(async () => {
  capable = await startCapableStack();
  ({ stack: able, server } = capable);
  unable = await startUnableStack();
});
afterAll(async () => {
  await capable.close();
  await unable.close();
});

const chat = (body: object) => capable.chat(body);

describe("a field that only the model's server knows", () => {
  test.each([
    [{ chat_template_kwargs: { enable_thinking: false, style: "short", depth: 3 } }],
    [{ min_tokens: 3, stop_token_ids: [1, 2] }],
    [{ structured_outputs: { json: { type: "object", properties: { a: { type: ["string", "null"] } } } } }],
    [{ logit_bias: { "50256": -100 } }],
  ])("is passed on: %j", async (fields) => {
    server.answer = () => [{ content: "Hi", finish_reason: "stop" }];
    for (const stream of [false, true]) {
      const response = await able.call("POST", "/v1/chat/completions", {
        body: { messages: [user], ...fields, stream },
      });
      expect(response.status).toBe(200);
      await response.text();
      expect(server.last).toMatchObject(fields);
    }
    expect((await post(able, "/v1/chat", { messages: [user], ...fields })).status).toBe(200);
    expect(server.last).toEqual({ messages: [user], ...fields, model: MODEL, stream: false });
  });

  test("is passed on in text completions, unless it only concerns chats", async () => {
    expect((await post(able, "/v1/completions", { prompt: ["a", "b"], min_tokens: 3 })).status).toBe(200);
    expect(server.requests.slice(-2).map(({ min_tokens }) => min_tokens)).toEqual([3, 3]);
    const { status, body } = await post(able, "/v1/completions", { prompt: "a", chat_template_kwargs: {} });
    expect([status, body.error.param]).toEqual([400, "chat_template_kwargs"]);
  });

  test("is treated like an omitted field if it is null or empty", async () => {
    expect((await chat({ min_tokens: null, logit_bias: {} })).status).toBe(200);
    expect(server.last).toEqual({ messages: [user], model: MODEL, stream: false });
  });

  test("is part of the cache key, and can't be mistaken for another part", async () => {
    const explain = async (fields: object) =>
      (await post(able, "/v1/cache/explain", { request: { temperature: 0, messages: [user], ...fields } })).body;
    const bodies = [{}, { min_tokens: 1 }, { min_tokens: 2 }, { ignore_eos: true }, { skip_special_tokens: false }];
    const keys = await Promise.all(bodies.map(async (fields) => (await explain(fields)).key));
    expect(new Set(keys).size).toBe(bodies.length);
    expect((await explain({ stop_token_ids: [42] })).parts.extra).toMatch(/^hash:/);
    const request = newRequest({ min_tokens: 1, stream_options: undefined });
    expect((await post(able, "/v1/chat", request)).body.cache.status).toBe("miss");
    expect((await post(able, "/v1/chat", request)).body.cache.status).toBe("hit");
    expect((await post(able, "/v1/chat", { ...request, min_tokens: 2 })).body.cache.status).toBe("miss");
  });

  test.each<[object, string]>([
    [{ chat_template: "{{ messages }}" }, "chat_template"],
    [{ prompt_embeds: "AAAA" }, "prompt_embeds"],
    [{ custom_logit_processor: "x", min_tokens: 1 }, "custom_logit_processor"],
    [{ kv_transfer_params: {} }, "kv_transfer_params"],
    [{ chat_template_kwargs: "x" }, "chat_template_kwargs"],
    [{ chat_template_kwargs: ["x"] }, "chat_template_kwargs"],
    [{ chat_template_kwargs: { a: {} } }, "chat_template_kwargs.a"],
    [{ chat_template_kwargs: { a: [1] } }, "chat_template_kwargs.a"],
    [{ chat_template_kwargs: { chat_template: "x" } }, "chat_template_kwargs.chat_template"],
    [{ chat_template_kwargs: { tokenize: true } }, "chat_template_kwargs.tokenize"],
    [{ chat_template_kwargs: { a: "x".repeat(1001) } }, "chat_template_kwargs.a"],
    [
      { chat_template_kwargs: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [n, n])) },
      "chat_template_kwargs",
    ],
    [{ structured_outputs: deep(33) }, "structured_outputs"],
    [{ bad_words: ["x".repeat(70_000)] }, "bad_words"],
    [{ guided_regex: "a+" }, "guided_regex"],
    [{ min_tokens: 1, temperature: 3 }, "temperature"],
    [{ min_tokens: 1, no_such_field: 1 }, "no_such_field"],
    [{ messages: [{ ...user, min_tokens: 1 }] }, "messages.0.min_tokens"],
  ])("S4: is refused: %.80j", async (fields, param) => {
    const sent = server.requests.length;
    for (const path of ["/v1/chat/completions", "/v1/chat"]) {
      const { status, body } = await post(able, path, { messages: [user], ...fields });
      expect([status, body.error.code, body.error.param]).toEqual([400, "invalid_request", param]);
    }
    expect(server.requests.length).toBe(sent);
  });

  test.each(["min_tokens", "chat_template_kwargs", "logit_bias"])(
    "%s is refused for a model whose extra_fields don't include it",
    async (name) => {
      const { status, body } = await post(unable, "/v1/chat/completions", { messages: [user], [name]: { a: 1 } });
      expect([status, body.error.param]).toEqual([400, name]);
    },
  );
});

describe("before a node has reported its models, a field that only the model's server may know", () => {
  let early: Stack;
  beforeAll(async () => {
    early = await startStack({}, { gateway: { nodes: ["http://127.0.0.1:1"] }, hasWorker: false });
  });
  afterAll(() => early.close());

  test("is refused until then, and clients try again", async () => {
    for (const path of ["/v1/chat/completions", "/v1/chat"]) {
      const response = await early.call("POST", path, { body: { messages: [user], min_tokens: 1 } });
      const { code, param, retryable } = await errorOf(response);
      expect([response.status, code, param, retryable]).toEqual([503, "unavailable", "min_tokens", true]);
      expect(response.headers.get("retry-after")).toBe("1");
    }
    const explained = await post(early, "/v1/cache/explain", { request: { messages: [user], min_tokens: 1 } });
    expect([explained.status, explained.body.error.param]).toEqual([503, "min_tokens"]);
  });

  test.each<[object, string]>([
    [{ min_tokens: 1, temperature: 3 }, "temperature"],
    [{ min_tokens: 1, chat_template: "x" }, "chat_template"],
    [{ structured_outputs: deep(33) }, "structured_outputs"],
    [{ messages: [{ ...user, min_tokens: 1 }] }, "messages.0.min_tokens"],
  ])("doesn't hide other problems: %.80j", async (fields, param) => {
    const { status, body } = await post(early, "/v1/chat/completions", { messages: [user], ...fields });
    expect([status, body.error.param]).toEqual([400, param]);
  });
});
