import { afterAll, describe, expect, test } from "bun:test";
import http2 from "node:http2";
import { NEVER_FORWARDED } from "../../../lib/forwarded-fields";
import { silentLog } from "../../../lib/log";
import { chatBody, events, firstBytes, TestClient, testConfig, testNode } from "../../../tests/test-node";
import { until } from "../../../tests/until";
import { startNode } from "../../node";

/** A server like vLLM; tests set its next response. */
let answer: (request: Request, body: Record<string, unknown>) => Response | Promise<Response> = () => new Response();
let lastHeaders = new Headers();
const server = Bun.serve({
  port: 0,
  routes: {
    "/v1/models": () =>
      Response.json({ data: [{ id: "qwen", owned_by: "vllm", root: "Qwen/Qwen3", max_model_len: 2048 }] }),
    "/tokenize": async (request) =>
      Response.json({ tokens: [1, 2, ((await request.json()) as { prompt: string }).prompt.length] }),
  },
  fetch: async (request) => {
    lastHeaders = request.headers;
    return answer(request, (await request.json()) as Record<string, unknown>);
  },
});

const node = await testNode({
  node: { engine: "openai", engineUrl: `${server.url}v1/`, engineKey: "behind", slots: 2 },
});
await node.ready;
const client = new TestClient(node.url);
afterAll(async () => {
  client[Symbol.dispose]();
  await node.close(0);
  await server.stop(true);
});

const chunk = (choices: object[], more: object = {}) => `data: ${JSON.stringify({ id: "up-1", choices, ...more })}\n\n`;
const delta = (content: string, finish_reason: string | null = null) =>
  chunk([{ index: 0, delta: { content }, finish_reason }]);
const usage = chunk([], { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } });
const stream = (...frames: string[]) =>
  new Response(frames.join(""), { headers: { "content-type": "text/event-stream" } });

describe("the openai engine", () => {
  test("serves the models of the server behind it", async () => {
    const { data } = JSON.parse((await client.request("/v1/models")).text);
    const capabilities = { chat: true, tools: true, vision: false, max_choices: 8, max_output_tokens: 2048 };
    expect(data).toMatchObject([{ id: "qwen", context_window: 2048, capabilities }]);
    expect((await client.readiness()).engine).toBe(`openai ${server.url.origin}`);
  });

  test("sends parameters and trace context unchanged, with its own key", async () => {
    let sent: unknown;
    answer = (_, body) => {
      sent = body;
      return Response.json({ id: "up-1", choices: [{ finish_reason: "stop" }], usage: { prompt_tokens: 5 } });
    };
    const parameters = { tools: [{ type: "function" }], guided_regex: "a+", n: 2, model: "qwen" };
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const { status, text } = await client.chat("Hi", parameters, { traceparent });
    expect(sent).toEqual({ ...chatBody("Hi"), ...parameters });
    expect([lastHeaders.get("authorization"), lastHeaders.get("traceparent")]).toEqual(["Bearer behind", traceparent]);
    expect([status, JSON.parse(text)]).toMatchObject([200, { id: "up-1", timings: { cached_tokens: 0 } }]);
  });

  test.each([...NEVER_FORWARDED])("refuses %s, which is never passed on", async (name) => {
    answer = () => Response.json({ id: "reached" });
    const { status, text } = await client.chat("Hi", { [name]: "x" });
    expect([status, JSON.parse(text).error.param]).toEqual([400, name]);
  });

  test("forwards chunks unchanged, and the usage frame only on request", async () => {
    answer = (_, body) => {
      expect(body.stream_options).toEqual({ include_usage: true });
      return stream(": comment\n\n", delta("Hel"), delta("lo", "stop"), usage, "data: [DONE]\n\n");
    };
    const plain = await client.chat("Hi", { stream: true });
    expect(plain.text).toBe(`${delta("Hel")}${delta("lo", "stop")}data: [DONE]\n\n`);
    const counted = await client.chat("Hi", { stream: true, stream_options: { include_usage: true } });
    expect(events(counted.text)[2]).toMatchObject({ id: "up-1", usage: { total_tokens: 7 }, timings: {} });
    const { text } = await client.request("/metrics");
    expect(text).toContain('gen_ai_token_type="output"} 4');
  });

  test("finds the usage frame however the server formats JSON, and sends it without spaces", async () => {
    answer = () =>
      stream(
        delta("Hi", "stop"),
        'data: {"id": "up-1", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\n',
        "data: [DONE]\n\n",
      );
    const { text } = await client.chat("Hi", { stream: true, stream_options: { include_usage: true } });
    expect(text).toContain('"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2},"timings":{');
    expect((await client.chat("Hi", { stream: true })).text).not.toContain("usage");
  });

  test.each<[string, number, string]>([
    ["vLLM", 400, "This model's maximum context length is 2048 tokens. However, you requested 4096 tokens."],
    ["vLLM, the first sentence only", 400, "This model's maximum context length is 2048 tokens."],
    ["vLLM, max_tokens", 400, "'max_tokens' is too large: 9000. This model's maximum context length is 2048 tokens."],
    ["vLLM, the prompt", 400, "The decoder prompt (length 5000) is longer than the maximum model length of 2048."],
    ["SGLang", 400, "The input (5000 tokens) is longer than the model's context length (2048 tokens)."],
    ["SGLang, in sum", 400, "Requested token count exceeds the model's maximum context length of 2048 tokens."],
    ["llama-server", 400, "request (5000 tokens) exceeds the available context size (2048 tokens), try increasing it"],
    ["TEI", 413, "Input validation error: `inputs` must have less than 2048 tokens. Given: 5000"],
  ])("reports a prompt that is too long for %s in OpenAI's words", async (_, status, message) => {
    answer = () => Response.json({ error: { message, param: "messages" } }, { status });
    const { error } = JSON.parse((await client.chat("Hi")).text);
    expect([error.code, error.param]).toEqual(["context_length_exceeded", "messages"]);
    expect(error.message).toMatch(
      /^This model's maximum context length is 2048 tokens\. \S.* \(context_length_exceeded\)$/,
    );
    expect(error.message.split("maximum context length is 2048 tokens. ")[1]).not.toStartWith("(");
  });

  test.each<[string, () => Response, number, string]>([
    [
      "its own rejection",
      () => Response.json({ error: { message: "Bad top_p", param: "top_p" } }, { status: 400 }),
      400,
      "invalid_request",
    ],
    [
      "too long a prompt",
      () => Response.json({ message: "This model's maximum context length is 2048 tokens." }, { status: 400 }),
      400,
      "context_length_exceeded",
    ],
    ["overload", () => Response.json({ error: { message: "Busy" } }, { status: 429 }), 429, "overloaded"],
    ["a failure", () => new Response("<html>", { status: 500 }), 502, "upstream_error"],
    ["a wrong key", () => Response.json({ error: { message: "No" } }, { status: 401 }), 502, "upstream_error"],
    ["invalid JSON", () => stream("data: {oops\n\n"), 502, "upstream_error"],
    ["JSON of the wrong shape", () => stream("data: 7\n\n"), 502, "upstream_error"],
    ["bytes that are not UTF-8", () => new Response(new Uint8Array([0x64, 0xff, 0xfe])), 502, "upstream_error"],
    ["an error as the first chunk", () => stream('data: {"error":{"message":"x"}}\n\n'), 502, "upstream_error"],
    ["an empty stream", () => stream(), 502, "upstream_error"],
    ["an endless line", () => stream(`data: ${"x".repeat(5_000_000)}`), 502, "upstream_error"],
  ])("reports %s as an error envelope", async (_, reply, status, code) => {
    answer = reply;
    const result = await client.chat("Hi", { stream: true });
    expect([result.status, JSON.parse(result.text).error.code]).toEqual([status, code]);
    expect(JSON.parse(result.text).error.source).toBe("node");
  });

  test("ends an incomplete stream with an error frame", async () => {
    answer = () => stream(delta("Hel"));
    const { text } = await client.chat("Hi", { stream: true });
    expect(events(text).at(-1)).toMatchObject({ error: { code: "upstream_error" } });
  });

  test("cancels the request to the server when the client disconnects", async () => {
    let cancelled = false;
    answer = (request) => {
      request.signal.addEventListener("abort", () => {
        cancelled = true;
      });
      return new Response(new ReadableStream({ start: (body) => body.enqueue(Buffer.from(delta("Hel"))) }));
    };
    const open = client.open("/v1/chat/completions", { body: chatBody("Hi", { stream: true }) });
    await firstBytes(open);
    open.close(http2.constants.NGHTTP2_CANCEL);
    await until("the request behind is cancelled", () => cancelled);
    await until("no slot is taken", async () => (await client.readiness()).slots.running === 0);
  });

  test("counts tokens with the server's own tokenizer", async () => {
    const reply = await client.request("/tokenize", { body: { prompt: "abcd" } });
    expect(JSON.parse(reply.text)).toEqual({ tokens: [1, 2, 4], count: 3 });
  });

  test("waits for a server that isn't running yet", async () => {
    const other = Bun.serve({ port: 0, fetch: () => new Response() });
    const engineUrl = other.url.href;
    await other.stop(true);
    await using waiting = await testNode({ node: { engine: "openai", engineUrl } });
    using caller = new TestClient(waiting.url);
    expect(await caller.readiness()).toMatchObject({ state: "loading", models: [] });
  });

  test("works with another GPU node as its server", async () => {
    await using behind = await testNode();
    await using front = await testNode({ node: { engine: "openai", engineUrl: behind.url } });
    await front.ready;
    using caller = new TestClient(front.url);
    const parameters = { stream: true, stream_options: { include_usage: true } };
    const { text } = await caller.chat("Hi", parameters);
    expect(events(text).at(-2)).toMatchObject({ usage: { completion_tokens: 16 } });
    expect((await caller.chat("!error 503")).status).toBe(503);
  });

  test("requires an address", async () => {
    const config = testConfig({ node: { engine: "openai" } });
    await expect(startNode(config, { log: silentLog() })).rejects.toThrow("GROUNDWIRE_NODE_ENGINE_URL");
  });
});
