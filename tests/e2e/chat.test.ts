import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020";
import type OpenAI from "openai";
import type { ChatAnswer } from "../../gateway/chat/contract";
import { readEvents, Stack } from "../harness";
import { until } from "../until";

let stack: Stack;
let openai: OpenAI;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama" });
  openai = stack.openai();
}, 120_000);
afterAll(() => stack.stop());

const MODEL = "smollm2-135m-instruct";
/** Default number of retries of OpenAI's client. Other tests turn retries off to see each error. */
const SDK_RETRIES = 2;
/** Each test asks a different question, so that no answer comes from another test's cache entry. */
const ask = (question: string, more: Record<string, unknown> = {}) => ({
  messages: [{ role: "user" as const, content: question }],
  max_tokens: 24,
  temperature: 0,
  ...more,
});

describe("an answer of the real model", () => {
  test("has the usage that the node counted", async () => {
    const before = await stack.nodeTokens();
    const response = await stack.fetch("/v1/chat", { body: ask("Name three colours.") });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as ChatAnswer;
    const after = await stack.nodeTokens();

    expect(answer.message.content.length).toBeGreaterThan(0);
    expect(answer.model).toBe(MODEL);
    expect(answer.cache.status).toBe("miss");
    expect(answer.latency.ttft).toBeLessThanOrEqual(answer.latency.total);
    expect(answer.usage).toMatchObject({
      prompt_tokens: after.input - before.input,
      completion_tokens: after.output - before.output,
      total_tokens: after.input - before.input + after.output - before.output,
    });
    expect(answer.usage.completion_tokens).toBeGreaterThan(0);
    expect(answer.request_id).toBe(response.headers.get("x-request-id") ?? "");
  });

  test("is the same from OpenAI's client, complete or streamed", async () => {
    const body = ask("Name three animals.", { model: MODEL });
    const whole = await openai.chat.completions.create({ ...body, model: MODEL });
    const stream = await openai.chat.completions.create(
      { ...body, model: MODEL, stream: true, stream_options: { include_usage: true } },
      { headers: { "cache-control": "no-cache" } },
    );
    let text = "";
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0]?.message.content ?? "");
    expect(usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
    expect(usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens);
  });

  test("completes a text on the older completions route", async () => {
    const answer = await openai.completions.create({
      model: MODEL,
      prompt: "The capital of France is",
      max_tokens: 8,
      temperature: 0,
    });
    expect(answer.choices[0]?.text).toContain("Paris");
  });

  test("follows a JSON schema, as OpenAI's client parses it", async () => {
    const completion = await openai.chat.completions.parse({
      ...ask("Where is the Eiffel Tower? Answer as JSON.", { max_tokens: 64 }),
      model: MODEL,
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "place",
          strict: true,
          schema: {
            type: "object",
            properties: { city: { type: "string", maxLength: 20 }, is_capital: { type: "boolean" } },
            required: ["city", "is_capital"],
            additionalProperties: false,
          },
        },
      },
    });
    expect(completion.choices[0]?.message.parsed).toEqual({
      city: expect.any(String),
      is_capital: expect.any(Boolean),
    });
  });

  test("follows the schema of a pydantic model with bounded numbers, and an unsupported constraint is rejected by name", async () => {
    const schema = {
      $defs: {
        Size: {
          properties: { width: { exclusiveMinimum: 0, maximum: 2.5, type: "number" } },
          required: ["width"],
          title: "Size",
          type: "object",
          additionalProperties: false,
        },
      },
      properties: {
        count: { maximum: 5000, minimum: 1, title: "Count", type: "integer" },
        discount: { anyOf: [{ exclusiveMaximum: 0, minimum: -0.5, type: "number" }, { type: "null" }], default: null },
        kind: { const: "order", title: "Kind", type: "string" },
        size: { $ref: "#/$defs/Size", description: "How large" },
      },
      required: ["count", "discount", "kind", "size"],
      title: "Order",
      type: "object",
      additionalProperties: false,
    };
    const order = (properties: object) =>
      openai.chat.completions.parse({
        ...ask("Write an order as JSON.", { max_tokens: 120, temperature: 1, seed: 5 }),
        model: MODEL,
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "order",
            strict: true,
            schema: { ...schema, properties: { ...schema.properties, ...properties } },
          },
        },
      });
    const written: unknown = (await order({})).choices[0]?.message.parsed;
    expect(new Ajv2020({ strict: false }).validate(schema, written)).toBe(true);

    const refused: unknown = await order({ code: { pattern: "^A", type: "string" } }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 400, param: "response_format.json_schema.schema.properties.code.pattern" });
  });

  test("is reproducible with a seed and ends at a stop string", async () => {
    const body = { ...ask("Count from one to ten.", { temperature: 1, seed: 7 }), model: MODEL };
    const noCache = { headers: { "cache-control": "no-store" } };
    const [first, second] = [
      await openai.chat.completions.create(body, noCache),
      await openai.chat.completions.create(body, noCache),
    ];
    expect(second.choices[0]?.message.content).toBe(first.choices[0]?.message.content ?? "");

    const word = (first.choices[0]?.message.content ?? "").split(" ").at(2) ?? "";
    const stopped = await openai.chat.completions.create({ ...body, stop: word });
    expect(stopped.choices[0]?.message.content).not.toContain(word);
    expect(stopped.choices[0]?.finish_reason).toBe("stop");
  });
});

describe("the same request again", () => {
  test("is served from the cache without the node, complete or streamed", async () => {
    const body = ask("Name three fruits.");
    const first = (await (await stack.fetch("/v1/chat", { body })).json()) as ChatAnswer;
    const before = await stack.nodeTokens();

    const again = await stack.fetch("/v1/chat", { body });
    const answer = (await again.json()) as ChatAnswer;
    expect(answer.cache).toMatchObject({ status: "hit", kind: "memory" });
    expect(answer.message).toEqual(first.message);
    expect(answer.usage).toEqual(first.usage);
    expect(again.headers.get("cache-status")).toContain("hit");

    const whole = await stack.fetch("/v1/chat/completions", { body });
    const streamed = await stack.fetch("/v1/chat/completions", { body: { ...body, stream: true } });
    expect(streamed.headers.get("cache-status")).toContain("hit");
    const events = await readEvents(streamed);
    expect(events.at(-1)).toBe("[DONE]");
    const text = events
      .map((event) => (event as OpenAI.ChatCompletionChunk).choices?.[0]?.delta.content ?? "")
      .join("");
    expect(text).toBe(((await whole.json()) as OpenAI.ChatCompletion).choices[0]?.message.content ?? "");
    expect(await stack.nodeTokens()).toEqual(before);
  });
});

/** A function with long arguments, so that a call takes a while. */
const WEATHER = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "The weather in a city",
    parameters: {
      type: "object",
      properties: {
        city: { type: "string", maxLength: 20 },
        hours: { type: "array", items: { type: "integer" }, minItems: 8, maxItems: 8 },
      },
      required: ["city", "hours"],
    },
  },
};

describe("function calls with OpenAI's client", () => {
  test("make a round trip, and are the same whether complete, streamed or from the cache", async () => {
    const question = ask("The weather in Rome?", { max_tokens: 200 });
    const body = {
      ...{ ...question, model: MODEL, tools: [WEATHER] },
      tool_choice: { type: "function" as const, function: { name: "get_weather" } },
    };
    const noStore = { headers: { "cache-control": "no-store" } };
    const whole = await openai.chat.completions.create(body);
    const stream = openai.chat.completions.stream({ ...body, stream_options: { include_usage: true } }, noStore);
    const streamed = await stream.finalChatCompletion();
    const cached = await openai.chat.completions.create(body);
    const [choice] = whole.choices;
    const called = ({ choices, usage }: OpenAI.ChatCompletion) => {
      const [{ message, finish_reason } = { message: undefined, finish_reason: undefined }] = choices;
      const calls = message?.tool_calls?.map(
        (call) => call.type === "function" && [call.id.slice(0, 5), call.function.name, call.function.arguments],
      );
      return {
        calls,
        content: message?.content,
        finish_reason,
        tokens: [usage?.prompt_tokens, usage?.completion_tokens],
      };
    };
    expect(called(streamed)).toEqual(called(whole));
    expect(cached.choices).toEqual(whole.choices);
    expect(called(whole)).toMatchObject({
      content: null,
      finish_reason: "tool_calls",
      calls: [["call_", "get_weather", expect.any(String)]],
    });
    const [call] = choice?.message.tool_calls ?? [];
    if (!choice || call?.type !== "function") throw new Error("The answer has no call.");
    expect(JSON.parse(call.function.arguments)).toMatchObject({ city: expect.any(String) });

    const result = { role: "tool" as const, tool_call_id: call.id, content: "21 °C" };
    const messages = [...question.messages, choice.message, result];
    const next = await openai.chat.completions.create({
      ...question,
      model: MODEL,
      messages,
      tools: [WEATHER],
      max_tokens: 8,
    });
    expect(next.usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThan(whole.usage?.prompt_tokens ?? 0);
  });
});

describe("a client that disconnects", () => {
  const chapters = { type: "array", items: { type: "integer" }, minItems: 500 };
  const STORY = {
    type: "function",
    function: { name: "write", parameters: { type: "object", properties: { chapters }, required: ["chapters"] } },
  };

  test.each([
    ["a text", {}],
    ["a call", { tools: [STORY], tool_choice: "required" }],
  ])("in the middle of %s frees its slot on the node", async (_, fields) => {
    const leaving = new AbortController();
    const response = await stack.fetch("/v1/chat/completions", {
      body: ask("Write a long story about the sea.", { max_tokens: 2000, temperature: 1, stream: true, ...fields }),
      signal: leaving.signal,
    });
    const reader = response.body?.getReader();
    await reader?.read();
    expect((await stack.nodeState()).slots.running).toBe(1);

    leaving.abort();
    await reader?.closed.catch(() => {});
    await until("the node runs nothing", async () => (await stack.nodeState()).slots.running === 0, 1000);
  });
});

describe("64 parallel calls with one key", () => {
  test("all succeed through OpenAI's client with default settings, and another key does not wait for them to finish", async () => {
    const { key } = (await (
      await stack.fetch("/v1/keys", { body: { name: "a neighbour", role: "member" } })
    ).json()) as { key: string };
    const client = stack.openai({ maxRetries: SDK_RETRIES });
    const ask64 = (content: string, from = client) =>
      from.chat.completions.create({ model: MODEL, max_tokens: 16, messages: [{ role: "user", content }] });
    let ended = 0;
    const calls = Array.from({ length: 64 }, (_, index) => ask64(`Say the number ${index}.`).finally(() => ended++));
    // 64 calls fill the slots and the queue. Once one has ended, there is room for another.
    await until("one has ended", () => ended > 0);
    const neighbour = ask64("Name a colour.", stack.openai({ apiKey: key, maxRetries: SDK_RETRIES }));
    expect((await neighbour).choices).toHaveLength(1);
    expect(ended).toBeLessThan(64);

    for (const { choices, usage } of await Promise.all(calls)) {
      expect([choices.length, (usage?.completion_tokens ?? 0) > 0]).toEqual([1, true]);
    }
    expect((await stack.nodeState()).slots.running).toBe(0);
  }, 300_000);
});
