import { afterAll, describe, expect, test } from "bun:test";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { chatBody, closed, events, firstBytes, TestClient, testConfig, testNode } from "../../tests/test-node";
import { until } from "../../tests/until";
import type { EngineEvent, NodeEngine } from "../engine/engine";
import { createSyntheticEngine } from "../engine/synthetic";

/** Delay between tokens. Longer than any test, so that a cancelled answer can't have ended by itself. */
const ENDLESS = 3000;

const node = await testNode();
const client = new TestClient(node.url);
afterAll(async () => {
  client[Symbol.dispose]();
  await node.close(0);
});

const failure = (text: string) => JSON.parse(text).error;

/** The value of a line of /metrics. */
const figure = async (caller: TestClient, name: RegExp): Promise<number> => {
  const { text } = await caller.request("/metrics");
  return Number(new RegExp(`${name.source}.*\\} (\\d+)`).exec(text)?.[1] ?? 0);
};
const output = (caller: TestClient) => figure(caller, /gen_ai_token_type="output"/);
const left = (caller: TestClient) => figure(caller, /error_type="client_closed"/);

describe("an answer", () => {
  test("is OpenAI's chat completion, with usage and timings", async () => {
    const { headers, text } = await client.chat("one two three", { max_tokens: 4 });
    const answer = JSON.parse(text);
    expect(answer).toEqual({
      id: expect.stringMatching(/^chatcmpl-\w{32}$/),
      object: "chat.completion",
      created: expect.any(Number),
      model: "smollm2-135m-instruct",
      system_fingerprint: "fp_synthetic",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: expect.any(String), refusal: null },
          logprobs: null,
          finish_reason: "length",
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 4,
        total_tokens: 7,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      timings: {
        queue_ms: expect.any(Number),
        prefill_ms: expect.any(Number),
        ttft_ms: expect.any(Number),
        total_ms: expect.any(Number),
        cached_tokens: 0,
      },
    });
    expect(answer.choices[0].message.content.split(" ")).toHaveLength(4);
    expect([headers["x-engine"], headers["x-model-revision"]]).toEqual(["synthetic", "synthetic"]);
  });

  test("streams the same text in OpenAI's chunks, each with the same id", async () => {
    const whole = JSON.parse((await client.chat("Hi")).text).choices[0].message.content;
    const { text, headers } = await client.chat("Hi", { stream: true });
    const chunks = events(text) as Record<string, unknown>[];
    expect(headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(chunks[0]).toMatchObject({
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }],
    });
    expect(chunks.at(-2)).toMatchObject({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    expect(chunks.at(-1)).toEqual("[DONE]" as never);
    const deltas = chunks.slice(1, -2) as { id: string; choices: { delta: { content: string } }[] }[];
    expect(deltas.map(({ choices }) => choices[0]?.delta.content).join("")).toBe(whole);
    expect(new Set(deltas.map(({ id }) => id)).size).toBe(1);
    expect(text).not.toContain('"usage"');
  });

  test("has a usage frame, and null usage before it, only on request", async () => {
    const { text } = await client.chat("Hi", { stream: true, stream_options: { include_usage: true } });
    const chunks = events(text) as { usage: unknown; choices: unknown[]; timings?: unknown }[];
    const last = chunks.at(-2);
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 16, total_tokens: 17 } });
    expect(last?.timings).toBeDefined();
    expect(chunks.slice(0, -2).map(({ usage }) => usage)).toEqual(Array(18).fill(null));
  });

  test("of the completions route has that route's format, including logprobs", async () => {
    const body = { prompt: "Hi", max_tokens: 2, logprobs: 1 };
    const whole = JSON.parse((await client.request("/v1/completions", { body })).text);
    const [choice] = whole.choices;
    expect(whole).toMatchObject({ object: "text_completion", id: expect.stringMatching(/^cmpl-/) });
    expect(choice.logprobs.tokens.join("")).toBe(choice.text);
    expect(choice.logprobs.text_offset).toEqual([0, choice.logprobs.tokens[0].length]);
    const streamed = await client.request("/v1/completions", { body: { ...body, stream: true } });
    const chunks = events(streamed.text).slice(0, -1) as (typeof whole)[];
    expect(chunks.map(({ choices }) => choices[0].text).join("")).toBe(choice.text);
    expect(chunks.flatMap(({ choices }) => choices[0].logprobs?.text_offset ?? [])).toEqual(
      choice.logprobs.text_offset,
    );
  });

  test.each([
    ["/v1/chat/completions", chatBody("Hi"), true],
    ["/v1/completions", { prompt: "Hi" }, 1],
  ])("of %s has the same frames with and without logprobs", async (path, request, logprobs) => {
    const choices = async (options: object) => {
      const { text } = await client.request(path, { body: { ...request, stream: true, ...options } });
      const chunks = events(text).slice(0, -1) as { choices: [{ logprobs: unknown }] }[];
      return chunks.map((chunk) => chunk.choices[0]);
    };
    const withoutLogprobs = (await choices({ logprobs })).map((choice) => ({ ...choice, logprobs: null }));
    expect(await choices({})).toEqual(withoutLogprobs);
  });

  test("of a chat has logprobs on request", async () => {
    const { text } = await client.chat("Hi", { max_tokens: 1, logprobs: true });
    const [choice] = JSON.parse(text).choices;
    expect(choice.logprobs.content).toEqual([
      { token: choice.message.content, logprob: 0, bytes: [...Buffer.from(choice.message.content)], top_logprobs: [] },
    ]);
  });
});

describe("an answer with calls or reasoning", () => {
  const pieces: Partial<Extract<EngineEvent, { type: "delta" }>>[] = [
    { text: "Wait." },
    { calls: [{ index: 0, id: "call_1", name: "f", arguments: '{"a"' }] },
    {
      calls: [
        { index: 0, arguments: ": 1}" },
        { index: 1, id: "call_2", name: "g", arguments: "" },
      ],
    },
    { calls: [{ index: 1, arguments: "{}" }] },
  ];
  const calling = (given: typeof pieces, mustCall = false): NodeEngine => {
    const engine = createSyntheticEngine(testConfig());
    async function* start(): AsyncGenerator<EngineEvent> {
      for (const piece of given) yield { type: "delta", text: "", tokens: 1, ...piece };
      yield {
        type: "end",
        finishReason: given.length > 0 ? "tool_calls" : "length",
        usage: { promptTokens: 1, completionTokens: 9, cachedTokens: 0 },
      };
    }
    return { ...engine, accept: async (asked) => ({ ...(await engine.accept(asked)), mustCall, start }) };
  };
  const answers = async (given: typeof pieces, mustCall?: boolean) => {
    const engine = calling(given, mustCall);
    await using other = await testNode({}, { engines: { engine, close: () => engine.close() } });
    await other.ready;
    using caller = new TestClient(other.url);
    const whole = JSON.parse((await caller.chat("Hi")).text).choices[0];
    const chunks = events((await caller.chat("Hi", { stream: true })).text).slice(0, -1) as { choices: [object] }[];
    return { whole, frames: chunks.map(({ choices }) => choices[0]) };
  };
  const call = (id: string, name: string, text: string) => ({
    id,
    type: "function",
    function: { name, arguments: text },
  });
  const frame = (delta: object, finish_reason: string | null = null) => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason,
  });
  const first = (index: number, id: string, name: string) => frame({ tool_calls: [{ index, ...call(id, name, "") }] });
  const next = (index: number, text: string) => frame({ tool_calls: [{ index, function: { arguments: text } }] });

  test("has them in OpenAI's format, id and name before the arguments", async () => {
    const { whole, frames } = await answers(pieces);
    expect(whole).toEqual({
      index: 0,
      message: {
        ...{ role: "assistant", content: "Wait.", refusal: null },
        tool_calls: [call("call_1", "f", '{"a": 1}'), call("call_2", "g", "{}")],
      },
      logprobs: null,
      finish_reason: "tool_calls",
    });
    expect(frames).toEqual([
      frame({ role: "assistant", content: "" }),
      frame({ content: "Wait." }),
      first(0, "call_1", "f"),
      next(0, '{"a"'),
      next(0, ": 1}"),
      first(1, "call_2", "g"),
      next(1, "{}"),
      frame({}, "tool_calls"),
    ]);
  });

  test("has the reasoning before the text", async () => {
    const { whole, frames } = await answers([{ reasoning: "H" }, { reasoning: "m.", text: "Yes." }]);
    expect(whole.message).toEqual({ role: "assistant", content: "Yes.", refusal: null, reasoning_content: "Hm." });
    const texts = [{ reasoning_content: "H" }, { reasoning_content: "m." }, { content: "Yes." }];
    expect(frames.slice(1, -1)).toEqual(texts.map((delta) => frame(delta)));
    const onlyReasoning = await answers([{ reasoning: "H" }]);
    expect(onlyReasoning.whole.message).toMatchObject({ content: null, reasoning_content: "H" });
    expect(onlyReasoning.frames[0]).toEqual(frame({ role: "assistant", content: null }));
  });

  test("has no content if it has no text", async () => {
    const { whole, frames } = await answers(pieces.slice(1));
    expect(whole.message).toMatchObject({ content: null, tool_calls: [{}, {}] });
    expect(frames.slice(0, 2)).toEqual([frame({ role: "assistant", content: null }), first(0, "call_1", "f")]);
  });

  test("has no content if it is cut before a call that it had to make", async () => {
    const { whole, frames } = await answers([], true);
    expect(whole).toMatchObject({ message: { content: null }, finish_reason: "length" });
    expect(whole.message).not.toHaveProperty("tool_calls");
    expect(frames).toEqual([frame({ role: "assistant", content: null }), frame({}, "length")]);
  });
});

describe("a failure", () => {
  test("before the first token has its own status and says when to retry", async () => {
    const { status, headers, text } = await client.chat("!error overloaded", { stream: true });
    expect([status, failure(text).code, headers["retry-after"], headers["retry-after-ms"]]).toEqual([
      429,
      "overloaded",
      "1",
      "1000",
    ]);
    expect(headers["x-should-retry"]).toBe("true");
  });

  test("after the first token is a single frame without [DONE], and no earlier token is lost", async () => {
    const { status, text } = await client.chat("!error 503 after 2", { stream: true });
    const chunks = events(text);
    expect([status, chunks.length]).toEqual([200, 4]);
    expect(chunks.at(-1)).toMatchObject({ error: { code: "unavailable", source: "node", retryable: true } });
  });

  test("that is unexpected reveals no internals", async () => {
    const { status, text } = await client.chat("!crash");
    expect([status, failure(text).code, text.includes("asked for")]).toEqual([500, "internal", false]);
  });

  test("to finish is an error, not an answer that looks complete", async () => {
    const { text } = await client.chat("!truncate after 2", { stream: true });
    expect(events(text).at(-1)).toMatchObject({ error: { code: "upstream_error" } });
  });
});

describe("a deadline", () => {
  test("that passes before the first token gets 504", async () => {
    const { status, text } = await client.chat("!hang", {}, { "x-deadline-ms": "20" });
    expect([status, failure(text).code]).toEqual([504, "deadline_exceeded"]);
  });

  test("that passes in the middle of a stream sends an error frame", async () => {
    const { text } = await client.chat("!hang after 1", { stream: true }, { "x-deadline-ms": "50" });
    expect(events(text).at(-1)).toMatchObject({ error: { code: "deadline_exceeded" } });
  });

  test("that has passed frees the slot", async () => {
    await until("no slot is taken", async () => (await client.readiness()).slots.running === 0);
  });
});

describe("the queue", () => {
  test("rejects with 429 when it is full, and when waiting for a slot takes too long", async () => {
    await using small = await testNode({ node: { slots: 1, queue: 1 } });
    using caller = new TestClient(small.url);
    const running = caller.open("/v1/chat/completions", { body: chatBody("!hang") });
    await until("one slot is taken", async () => (await caller.readiness()).slots.running === 1);
    const waiting = caller.chat("Hi", {}, { "x-queue-timeout-ms": "300" });
    await until("one waits", async () => (await caller.readiness()).queue.depth === 1);
    const rejected = await caller.chat("Hi");
    expect([rejected.status, failure(rejected.text).code]).toEqual([429, "overloaded"]);
    expect(Number(rejected.headers["retry-after-ms"])).toBeGreaterThan(0);
    const late = await waiting;
    expect([late.status, failure(late.text).code]).toEqual([429, "overloaded"]);
    running.destroy();
  });

  test("drops a disconnected client immediately, and lets batch work wait for interactive work", async () => {
    await using small = await testNode({ node: { slots: 1, queue: 8 } });
    using caller = new TestClient(small.url);
    const running = caller.open("/v1/chat/completions", { body: chatBody("!hang") });
    await until("one slot is taken", async () => (await caller.readiness()).slots.running === 1);
    const leaver = caller.open("/v1/chat/completions", { body: chatBody("!hang") });
    await until("one waits", async () => (await caller.readiness()).queue.depth === 1);
    const order: string[] = [];
    const batch = caller.chat("Hi", {}, { "x-priority": "batch" }).then(() => order.push("batch"));
    await until("two wait", async () => (await caller.readiness()).queue.depth === 2);
    const chat = caller.chat("Hi").then(() => order.push("interactive"));
    await until("three wait", async () => (await caller.readiness()).queue.depth === 3);
    leaver.close(http2.constants.NGHTTP2_CANCEL);
    await until("two wait", async () => (await caller.readiness()).queue.depth === 2);
    running.close(http2.constants.NGHTTP2_CANCEL);
    await Promise.all([batch, chat]);
    expect(order).toEqual(["interactive", "batch"]);
  });
});

describe("a client that is slow to send", () => {
  test("is rejected if its body doesn't arrive", async () => {
    await using impatient = await testNode({}, { stallMs: 50 });
    using caller = new TestClient(impatient.url);
    const headers = { ":method": "POST", ":path": "/v1/completions", "content-type": "application/json" };
    const stream = caller.session.request(headers, { endStream: false });
    const status = new Promise((resolve) => stream.on("response", (received) => resolve(received[":status"])));
    stream.on("error", () => {});
    stream.write("{");
    expect(await status).toBe(400);
    stream.resume();
    await closed(stream);
  });
});

describe("a client that disconnects", () => {
  test.each(["stream", "whole"])("ends its generation within one token (%s)", async (kind) => {
    await using slow = await testNode({ node: { slots: 1 }, synthetic: { tokenMs: 2, tokens: ENDLESS } });
    using watcher = new TestClient(slow.url);
    using leaver = new TestClient(slow.url);
    const stream = leaver.open("/v1/chat/completions", { body: chatBody("Hi", { stream: kind === "stream" }) });
    if (kind === "stream") await firstBytes(stream);
    await until("one slot is taken", async () => (await watcher.readiness()).slots.running === 1);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await until("no slot is taken", async () => (await watcher.readiness()).slots.running === 0);
    expect(await output(watcher)).toBeLessThan(ENDLESS);
    expect(await left(watcher)).toBe(1);
  });

  test("frees its slot when the whole connection breaks, over HTTP/2 and HTTP/1.1", async () => {
    using broken = new TestClient(node.url);
    const stream = broken.open("/v1/chat/completions", { body: chatBody("!hang after 1", { stream: true }) });
    await firstBytes(stream);
    broken.session.destroy();
    const request = http.request(`${node.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    request.on("error", () => {});
    const answer = new Promise<http.IncomingMessage>((resolve) => request.on("response", resolve));
    request.end(JSON.stringify(chatBody("!hang after 1", { stream: true })));
    (await answer).destroy();
    await until("no slot is taken", async () => (await client.readiness()).slots.running === 0);
  });

  test("nine hundred times on one connection does not affect other streams on it", async () => {
    using shared = new TestClient(node.url);
    const before = await output(client);
    const leftBefore = await left(client);
    const bystanders = Array.from({ length: 8 }, () => shared.chat("Hi", { stream: true }));
    const resets = Array.from({ length: 900 }, () => {
      const stream = shared.open("/v1/chat/completions", { body: chatBody("!hang", { stream: true }) });
      const done = closed(stream);
      stream.close(http2.constants.NGHTTP2_CANCEL);
      return done;
    });
    await Promise.all(resets);
    const replies = await Promise.all(bystanders);
    expect(replies.every(({ status, text }) => status === 200 && text.endsWith("data: [DONE]\n\n"))).toBe(true);
    await until("no slot is taken", async () => (await client.readiness()).slots.running === 0);
    expect((await output(client)) - before).toBe(8 * 16);
    expect(await left(client)).toBeGreaterThan(leftBefore);
  });
});

describe("a connection that is half open", () => {
  test("is found by ping, and its requests are stopped", async () => {
    await using pinging = await testNode({}, { pingMs: 50 });
    using watcher = new TestClient(pinging.url);
    // Forwards bytes until the test makes it drop them, like a network whose other end has disappeared.
    let swallows = false;
    const proxy = net.createServer((near) => {
      const far = net.connect(Number(new URL(pinging.url).port), "127.0.0.1");
      near.on("data", (bytes) => swallows || far.write(bytes));
      far.on("data", (bytes) => swallows || near.write(bytes));
      for (const socket of [near, far]) socket.on("error", () => {});
    });
    const port = await new Promise<number>((resolve) => {
      proxy.listen(0, "127.0.0.1", () => resolve((proxy.address() as net.AddressInfo).port));
    });
    using lost = new TestClient(`http://127.0.0.1:${port}`);
    await firstBytes(lost.open("/v1/chat/completions", { body: chatBody("!hang after 1", { stream: true }) }));
    swallows = true;
    await until("no slot is taken", async () => (await watcher.readiness()).slots.running === 0);
    expect((await watcher.chat("Hi")).status).toBe(200);
    proxy.close();
  });
});

describe("a client that doesn't read", () => {
  test("pauses the engine when its window is full, and is disconnected when it stalls", async () => {
    const tokens = 200_000; // 40 MB of frames
    await using patient = await testNode(
      { node: { slots: 1, contextTokens: 1_000_000 }, synthetic: { tokens } },
      { stallMs: 200 },
    );
    using reader = new TestClient(patient.url);
    using sleeper = new TestClient(patient.url);
    const stream = sleeper.open("/v1/chat/completions", { body: chatBody("Hi", { stream: true }) });
    stream.pause();
    await until("the client is dropped", async () => (await left(reader)) === 1);
    await until("no slot is taken", async () => (await reader.readiness()).slots.running === 0);
    expect(await output(reader)).toBeLessThan(5000);
  });
});
