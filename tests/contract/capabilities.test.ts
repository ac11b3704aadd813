import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { readEvents } from "../harness";
import type { ScriptedChoice, ScriptedServer } from "../scripted-server";
import {
  audio,
  image,
  MODEL,
  newRequest,
  post,
  ROUND_TRIP,
  startCapableStack,
  text,
  tool,
  user,
} from "./capable-stack";
import type { Stack } from "./stack";

/* Fields that the model supports are sent to its server, and the answer reaches the client unchanged. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let able: Stack;
let server: ScriptedServer;
beforeAll(async () => {
  capable = await startCapableStack();
  ({ stack: able, server } = capable);
});
afterAll(() => capable.close());

type Json = Record<string, unknown>;
const chat = (body: object) => capable.chat(body);

/** Joins the pieces of a stream as a client does: texts are concatenated, and lists are merged by their index. */
const merge = (target: Json, piece: Json): Json => {
  for (const [name, value] of Object.entries(piece)) {
    const known = target[name];
    if (Array.isArray(value)) {
      const list = (Array.isArray(known) ? known : []) as Json[];
      for (const { index, ...item } of value as (Json & { index: number })[])
        list[index] = merge(list[index] ?? {}, item);
      target[name] = list;
    } else if (typeof value === "string" && name !== "role" && name !== "finish_reason" && name !== "type") {
      target[name] = `${known ?? ""}${value}`;
    } else if (typeof value === "object" && value !== null) target[name] = merge((known as Json) ?? {}, value as Json);
    else if (value !== null || known === undefined) target[name] = value;
  }
  return target;
};

interface Answer {
  choices: Json[];
  usage: unknown;
}

/** The choices of an answer without empty fields, and its usage. */
const facts = ({ choices, usage }: Answer) => ({
  choices: choices.map(({ message, finish_reason }) => ({
    finish_reason,
    message: Object.fromEntries(Object.entries(message as Json).filter(([, value]) => value !== null && value !== "")),
  })),
  usage,
});

const stream = async (body: object, headers?: Record<string, string>) => {
  const response = await able.call("POST", "/v1/chat/completions", { body: { ...body, stream: true }, headers });
  const events = (await readEvents(response)) as (Json | "[DONE]")[];
  expect(events.at(-1)).toBe("[DONE]");
  const chunks = events.filter((event) => event !== "[DONE]") as unknown as {
    choices: (Json & { index: number })[];
    usage?: unknown;
  }[];
  const choices: Json[] = [];
  for (const { choices: pieces } of chunks) {
    for (const { index, delta, finish_reason } of pieces) {
      choices[index] = merge(choices[index] ?? {}, { message: delta, finish_reason });
    }
  }
  const usage = chunks.find((chunk) => chunk.usage)?.usage;
  return { how: response.headers.get("cache-status") ?? "", facts: facts({ choices, usage }) };
};

const SCRIPTS: Record<string, { fields: object; choices: ScriptedChoice[] }> = {
  "plain text": { fields: {}, choices: [{ content: "It is sunny.", finish_reason: "stop" }] },
  "one call": {
    fields: { tools: [tool] },
    choices: [
      { calls: [{ id: "call_1", name: "get_weather", arguments: '{"city":"Rome"}' }], finish_reason: "tool_calls" },
    ],
  },
  "text and two calls": {
    fields: { tools: [tool], tool_choice: "required" },
    choices: [
      {
        content: "Let me look.",
        calls: [
          { id: "call_1", name: "get_weather", arguments: '{"city":"Rome"}' },
          { id: "call_2", name: "get_weather", arguments: '{"city":"Łódź"}' },
        ],
        finish_reason: "tool_calls",
      },
    ],
  },
  "reasoning and text": {
    fields: { reasoning_effort: "high" },
    choices: [{ reasoning: "Rome is in Italy.", content: "Sunny.", finish_reason: "stop" }],
  },
  "three choices": {
    fields: { n: 3 },
    choices: [
      { content: "Sunny.", finish_reason: "stop" },
      { content: "It is sunny in Rome toda", finish_reason: "length" },
      { reasoning: "Hm.", content: "Warm.", finish_reason: "stop" },
    ],
  },
};

describe.each(Object.entries(SCRIPTS))("an answer with %s", (_, { fields, choices }) => {
  test("is the same whether it is whole, streamed or from the cache", async () => {
    server.answer = () => choices;
    const request = newRequest(fields);
    const sent = server.requests.length;
    const first = await stream(request);
    const cachedStream = await stream(request);
    const { stream_options: _, ...whole } = request;
    const cached = (await chat(whole)).body;
    const fresh = await post(able, "/v1/chat/completions", whole, { "cache-control": "no-cache" });
    const replayed = await stream(request);
    expect([first.how, cachedStream.how, replayed.how].map((how) => how.includes("; hit"))).toEqual([
      false,
      true,
      true,
    ]);
    expect(server.requests.length - sent).toBe(2);
    for (const other of [cachedStream.facts, facts(cached), facts(fresh.body), replayed.facts]) {
      expect(other).toEqual(first.facts);
    }
    expect(first.facts.choices).toHaveLength(choices.length);
    expect(first.facts.choices.map(({ finish_reason }) => finish_reason)).toEqual(
      choices.map(({ finish_reason }) => finish_reason),
    );
  });
});

describe("a field that the model supports", () => {
  test("is sent to its server unchanged", async () => {
    server.answer = () => [{ content: "Hi", finish_reason: "stop" }];
    const named = { type: "function", function: { name: "get_weather" } };
    const body = {
      messages: ROUND_TRIP,
      ...{ tools: [tool], tool_choice: named, parallel_tool_calls: false, n: 2, reasoning_effort: "low" },
    };
    expect((await chat(body)).status).toBe(200);
    expect(server.last).toEqual({ ...body, model: MODEL, stream: false });
  });

  test.each<[object, object]>([
    [{ tools: [tool], tool_choice: "auto", parallel_tool_calls: true, n: 1 }, { tools: [tool] }],
    [{ tool_choice: "none", parallel_tool_calls: false, tools: [] }, {}],
    [
      { tools: [tool], tool_choice: "none" },
      { tools: [tool], tool_choice: "none" },
    ],
    [{ reasoning_effort: "none" }, { reasoning_effort: "none" }],
    [{ reasoning_effort: "medium" }, { reasoning_effort: "medium" }],
  ])("%j is sent as %j", async (fields, sent) => {
    await chat(fields);
    expect(server.last).toEqual({ messages: [user], ...sent, model: MODEL, stream: false });
  });

  test("can be sent back as client libraries return it", async () => {
    const [, answer] = ROUND_TRIP as [object, { tool_calls: { function: object }[] }, object];
    const calls = answer.tool_calls.map((call) => ({
      ...call,
      index: -1,
      function: { ...call.function, parsed_arguments: { city: "Rome" } },
    }));
    const messages = ROUND_TRIP.with(1, { role: "assistant", tool_calls: calls } as never);
    expect((await chat({ messages, tools: [tool] })).status).toBe(200);
    expect(server.last.messages).toEqual(ROUND_TRIP);
  });

  test("is part of the cache key", async () => {
    const keyOf = async (fields: object): Promise<string> => {
      const request = { temperature: 0, messages: [user], ...fields };
      return (await post(able, "/v1/cache/explain", { request })).body.key;
    };
    const keys = await Promise.all(
      [
        {},
        { tools: [tool] },
        { tools: [tool], tool_choice: "none" },
        { tools: [tool], tool_choice: "required" },
        { tools: [tool], parallel_tool_calls: false },
        { n: 2 },
        { reasoning_effort: "low" },
        { messages: ROUND_TRIP },
        { messages: [{ role: "user", content: [text, image] }] },
        { messages: [{ role: "user", content: [text, audio] }] },
      ].map(keyOf),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("images and audio reach the server", async () => {
    const high = { ...image, image_url: { ...image.image_url, detail: "high" } };
    const messages = [{ role: "user", content: [text, image, high, audio] }];
    for (const path of ["/v1/chat/completions", "/v1/chat"]) {
      expect((await post(able, path, { messages })).status).toBe(200);
      expect(server.last.messages).toEqual(messages);
    }
  });

  test("token limits count an image as an image, not as text", async () => {
    const key = await able.keyOf("member", { tokens_per_minute: 10_000 });
    const url = `data:image/png;base64,${"A".repeat(1_000_000)}`;
    const messages = [{ role: "user", content: [text, { type: "image_url", image_url: { url } }] }];
    const body = { messages, max_tokens: 10 };
    expect((await able.call("POST", "/v1/chat/completions", { key, body })).status).toBe(200);
    const long = { messages: [{ role: "user", content: "A".repeat(1_000_000) }], max_tokens: 10 };
    expect((await able.call("POST", "/v1/chat/completions", { key, body: long })).status).not.toBe(200);
  });

  test("a function call and its result make a round trip with OpenAI's client", async () => {
    const client = new OpenAI({ baseURL: `${able.url}/v1`, apiKey: able.adminKey, maxRetries: 0 });
    server.answer = ({ messages }) =>
      (messages as Json[]).some(({ role }) => role === "tool")
        ? [{ content: "21 °C in Rome.", finish_reason: "stop" }]
        : [
            {
              calls: [{ id: "call_9", name: "get_weather", arguments: '{"city":"Rome"}' }],
              finish_reason: "tool_calls",
            },
          ];
    const runner = client.chat.completions.runTools({
      model: MODEL,
      stream: true,
      messages: [{ role: "user", content: "The weather in Rome?" }],
      tools: [
        {
          type: "function",
          function: {
            ...{ name: "get_weather", description: "", parameters: { type: "object" } },
            parse: JSON.parse,
            function: ({ city }: { city: string }) => `21 °C in ${city}`,
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe("21 °C in Rome.");
    expect((server.last.messages as Json[]).at(-1)).toMatchObject({ role: "tool", content: "21 °C in Rome" });
  });
});

describe("POST /v1/chat", () => {
  test("returns calls and reasoning, whole and as events", async () => {
    server.answer = () => [
      {
        reasoning: "Hm.",
        content: "Wait.",
        calls: [{ id: "a", name: "f", arguments: "{}" }],
        finish_reason: "tool_calls",
      },
    ];
    const f = { type: "function", function: { name: "f" } };
    const body = newRequest({ tools: [f] });
    const message = {
      ...{ role: "assistant", content: "Wait.", reasoning: "Hm." },
      tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
    };
    const live = await able.call("POST", "/v1/chat", { body: { ...body, stream: true } });
    const stored = await able.call("POST", "/v1/chat", { body: { ...body, stream: true } });
    for (const response of [live, stored]) {
      const events = (await readEvents(response)) as Json[];
      const deltas = events.filter(({ type }) => type === "delta");
      const calls = deltas.reduce<Json>((sum, { tool_calls }) => (tool_calls ? merge(sum, { tool_calls }) : sum), {});
      const join = (name: string) => deltas.map((delta) => delta[name] ?? "").join("");
      expect({ role: "assistant", content: join("text"), reasoning: join("reasoning"), ...calls }).toEqual(message);
      expect(events.find(({ type }) => type === "done")).toMatchObject({ answer: { finish_reason: "tool_calls" } });
    }
    const whole = await post(able, "/v1/chat", body);
    expect(whole.body).toMatchObject({ message, finish_reason: "tool_calls", cache: { status: "hit" } });
  });

  test("returns one answer: n is refused, and the error names the route that returns several", async () => {
    for (const stream of [false, true]) {
      const { status, body } = await post(able, "/v1/chat", { messages: [user], n: 2, stream });
      expect([status, body.error.param]).toEqual([400, "n"]);
      expect(body.error.message).toContain("/v1/chat/completions");
    }
  });
});

test("several prompts with several choices each are answered in the order of the prompts", async () => {
  server.answer = ({ prompt }) => [
    { content: `${prompt}1`, finish_reason: "stop" },
    { content: `${prompt}2`, finish_reason: "stop" },
  ];
  const { body } = await post(able, "/v1/completions", { prompt: ["a", "b"], n: 2 });
  expect(body.choices.map(({ index, text }: Json) => [index, text])).toEqual([
    [0, "a1"],
    [1, "a2"],
    [2, "b1"],
    [3, "b2"],
  ]);
});
