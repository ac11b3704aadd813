import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { readEvents } from "../harness";
import { type ScriptedChoice, ScriptedServer } from "../scripted-server";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/*
 * What requests may ask for depends on the model. `able` has a real node in front of a server that can do everything,
 * and `unable` has the synthetic engine, which can do nothing of it.
 */

const server = new ScriptedServer();
let able: Stack;
let unable: Stack;
beforeAll(async () => {
  able = await startStack(
    {},
    {
      node: { engine: "openai", engineUrl: server.url, engineCapabilities: ["reasoning"], embedder: "off" },
      hasWorker: false,
    },
  );
  unable = await startStack({}, { hasWorker: false });
  for (const stack of [able, unable]) {
    await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
  }
});
afterAll(async () => {
  await able.close();
  await unable.close();
  await server.close();
});

type Json = Record<string, unknown>;
const MODEL = "everything";
const UNABLE = "smollm2-135m-instruct";
const user = { role: "user", content: "What is the weather in Rome?" };
const tool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The current weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Rome"}' } };
const ROUND_TRIP = [
  user,
  { role: "assistant", tool_calls: [call] },
  { role: "tool", tool_call_id: "call_1", content: "21 °C" },
];

const post = async (stack: Stack, path: string, body: object, headers?: Record<string, string>) => {
  const response = await stack.call("POST", path, { body, headers });
  return { status: response.status, body: JSON.parse(await response.text()) };
};
const chat = (body: object) => post(able, "/v1/chat/completions", { messages: [user], ...body });

/** An object with this many levels. */
const deep = (levels: number): object => (levels === 1 ? {} : { a: deep(levels - 1) });

let questions = 0;
/** A request that was not sent before, whose answer may be cached. */
const newRequest = (fields: object) => ({
  ...{
    temperature: 0,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: `${++questions}?` }],
  },
  ...fields,
});

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
  test("is the same whole, streamed and from the cache", async () => {
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
      ].map(keyOf),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("a call makes a round trip with OpenAI's client", async () => {
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

describe("a field that the model doesn't support is refused by name, and the error names the model:", () => {
  const refused = async (path: string, body: object, param: string, capability: string) => {
    const { status, body: answer } = await post(unable, path, body);
    expect([status, answer.error.code, answer.error.param]).toEqual([400, "invalid_request", param]);
    expect(answer.error.message).toContain(`the model "${UNABLE}"`);
    expect(answer.error.message).toContain(capability);
  };

  test.each<[object, string, string]>([
    [{ tools: [tool] }, "tools", "tools"],
    [{ tool_choice: "required" }, "tool_choice", "tools"],
    [{ reasoning_effort: "high" }, "reasoning_effort", "reasoning"],
    [{ response_format: { type: "json_object" } }, "response_format", "json_schema"],
    [{ messages: ROUND_TRIP }, "messages.1.tool_calls", "tools"],
    [{ messages: [user, ROUND_TRIP[2]] }, "messages.1.role", "tools"],
    [{ messages: [user, { role: "assistant", content: "a", reasoning: "b" }] }, "messages.1.reasoning", "reasoning"],
    [{ messages: [{ role: "assistant", reasoning_content: "b" }] }, "messages.0.reasoning_content", "reasoning"],
  ])("%j", async (fields, param, capability) => {
    const request = { messages: [user], ...fields };
    for (const path of ["/v1/chat/completions", "/v1/chat"]) await refused(path, request, param, capability);
    await refused("/v1/cache/explain", { request }, param, capability);
  });

  test.each<[object, string]>([
    [{ tools: [{}] }, "tools"],
    [{ tools: "x" }, "tools"],
    [{ messages: [user, { role: "tool" }] }, "messages.1.role"],
  ])("%j, although its value is invalid too", async (fields, param) => {
    await refused("/v1/chat/completions", { messages: [user], ...fields }, param, "tools");
  });

  test("several choices", async () => {
    await refused("/v1/chat/completions", { messages: [user], n: 2 }, "n", "max_choices");
    await refused("/v1/completions", { prompt: "a", n: 2 }, "n", "max_choices");
  });

  test("more choices than the server returns", async () => {
    const { status, body } = await chat({ n: 9 });
    expect([status, body.error.param]).toEqual([400, "n"]);
    expect(body.error.message).toStartWith(`n is 9, but must be 8 or less for the model "${MODEL}".`);
    expect((await chat({ n: 1e9 })).body.error.message).toStartWith("n is 1000000000, but must be 8 or less");
  });
});

describe("a call that can't be made is refused:", () => {
  test.each<[object, string]>([
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "f" } } }, "tool_choice"],
    [{ tools: [tool], tool_choice: { type: "function", function: { name: "f" } } }, "tool_choice.function.name"],
    [{ tools: [{ type: "web_search" }] }, "tools.0.type"],
    [{ tools: [tool, { type: "function", function: { name: "a b" } }] }, "tools.1.function.name"],
    [{ tools: Array(129).fill(tool) }, "tools"],
    [
      { tools: [tool, { type: "function", function: { name: "f", parameters: deep(33) } }] },
      "tools.1.function.parameters",
    ],
    [{ messages: [user, { role: "tool", content: "x" }] }, "messages.1.tool_call_id"],
  ])("%j", async (fields, param) => {
    const sent = server.requests.length;
    const { status, body } = await chat(fields);
    expect([status, body.error.param]).toEqual([400, param]);
    expect(server.requests.length).toBe(sent);
  });
});

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

  test("is passed on with a prompt, unless it is about messages", async () => {
    expect((await post(able, "/v1/completions", { prompt: ["a", "b"], min_tokens: 3 })).status).toBe(200);
    expect(server.requests.slice(-2).map(({ min_tokens }) => min_tokens)).toEqual([3, 3]);
    const { status, body } = await post(able, "/v1/completions", { prompt: "a", chat_template_kwargs: {} });
    expect([status, body.error.param]).toEqual([400, "chat_template_kwargs"]);
  });

  test("is as if it were omitted if it is null or empty", async () => {
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
  ])("is refused: %.80j", async (fields, param) => {
    const sent = server.requests.length;
    for (const path of ["/v1/chat/completions", "/v1/chat"]) {
      const { status, body } = await post(able, path, { messages: [user], ...fields });
      expect([status, body.error.code, body.error.param]).toEqual([400, "invalid_request", param]);
    }
    expect(server.requests.length).toBe(sent);
  });

  test.each(["min_tokens", "chat_template_kwargs", "logit_bias"])(
    "%s is unknown to every other model",
    async (name) => {
      const { status, body } = await post(unable, "/v1/chat/completions", { messages: [user], [name]: { a: 1 } });
      expect([status, body.error.param]).toEqual([400, name]);
    },
  );
});
