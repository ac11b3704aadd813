import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import type { NodeReadiness } from "../../gpu-node/protocol";
import type { ScriptedChoice, ScriptedServer } from "../scripted-server";
import { until } from "../until";
import { MODEL, startCapableStack } from "./capable-stack";
import { type Stack, startStack } from "./stack";

/* Anthropic's own client, with a model that supports every feature. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let server: ScriptedServer;
let client: Anthropic;
beforeAll(async () => {
  capable = await startCapableStack();
  ({ server } = capable);
  const { url, adminKey } = capable.stack;
  client = new Anthropic({ baseURL: url, apiKey: adminKey, maxRetries: 0 });
});
afterAll(() => capable.close());

/** The types of the client's newest versions no longer have the sampling settings. */
type Sampling = { temperature?: number; top_p?: number; top_k?: number };
type Params = Anthropic.MessageCreateParamsNonStreaming & Sampling;

const weather: Anthropic.Tool = {
  name: "get_weather",
  description: "The current weather",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const PNG = "iVBORw0KGgo=";

let questions = 0;
/** A request that differs from all earlier ones, so that it isn't cached. */
const ask = (fields: Partial<Params> = {}): Params => ({
  ...{ model: MODEL, max_tokens: 500, temperature: 0 },
  messages: [{ role: "user", content: `${++questions}?` }],
  ...fields,
});

/** An answer as JSON, without its id and without what the client adds to streamed answers. */
const factsOf = (message: Anthropic.Message) => {
  const { id, parsed_output: _, ...facts } = JSON.parse(JSON.stringify(message));
  expect(id).toMatch(/^msg_/);
  return facts;
};

const usage = (output: number, thinking = 0) => ({
  ...{ input_tokens: 7, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
  ...{ output_tokens: output, output_tokens_details: { thinking_tokens: thinking } },
});

interface Script {
  fields?: Partial<Params>;
  choice: ScriptedChoice;
  content: object[];
  end: [stop_reason: string, stop_sequence?: string];
}

const call = (id: string, json: string) => ({ id, name: "get_weather", arguments: json });
const used = (id: string, input: object) => ({ type: "tool_use", id, name: "get_weather", input });

const SCRIPTS: Record<string, Script> = {
  "plain text": {
    choice: { content: "It is sunny.", finish_reason: "stop" },
    content: [{ type: "text", text: "It is sunny." }],
    end: ["end_turn"],
  },
  "no text at all": { choice: { finish_reason: "stop" }, content: [], end: ["end_turn"] },
  "a text that is cut": {
    choice: { content: "It is", finish_reason: "length" },
    content: [{ type: "text", text: "It is" }],
    end: ["max_tokens"],
  },
  "a text that a stop sequence ends": {
    fields: { stop_sequences: ["END"] },
    choice: { content: "It is", finish_reason: "stop", stop_reason: "END" },
    content: [{ type: "text", text: "It is" }],
    end: ["stop_sequence", "END"],
  },
  "a text that the server's filter ends": {
    choice: { content: "It", finish_reason: "content_filter" },
    content: [{ type: "text", text: "It" }],
    end: ["refusal"],
  },
  "text and two calls": {
    fields: { tools: [weather] },
    choice: {
      content: "Let me look.",
      calls: [call("call_1", '{"city":"Rome"}'), call("call_2", '{"city":"Łódź"}')],
      finish_reason: "tool_calls",
    },
    content: [
      { type: "text", text: "Let me look." },
      used("call_1", { city: "Rome" }),
      used("call_2", { city: "Łódź" }),
    ],
    end: ["tool_use"],
  },
  "a required call, which servers end as stop": {
    fields: { tools: [weather], tool_choice: { type: "tool", name: "get_weather" } },
    choice: { calls: [call("call_1", "")], finish_reason: "stop" },
    content: [used("call_1", {})],
    end: ["tool_use"],
  },
  "a call whose arguments are not JSON": {
    fields: { tools: [weather] },
    choice: { calls: [call("call_1", '{"city": Rome}'), call("call_2", "[1]")], finish_reason: "tool_calls" },
    content: [used("call_1", { INVALID_JSON: '{"city": Rome}' }), used("call_2", { INVALID_JSON: "[1]" })],
    end: ["tool_use"],
  },
  "thinking, text and a call": {
    fields: { tools: [weather], thinking: { type: "enabled", budget_tokens: 2000 } },
    choice: {
      reasoning: "Rome is in Italy.",
      content: "Let me look.",
      calls: [call("call_1", '{"city":"Rome"}')],
      finish_reason: "tool_calls",
    },
    content: [
      { type: "thinking", thinking: "Rome is in Italy.", signature: "gw1." },
      { type: "text", text: "Let me look." },
      used("call_1", { city: "Rome" }),
    ],
    end: ["tool_use"],
  },
  "thinking whose text is omitted": {
    fields: { thinking: { type: "adaptive", display: "omitted" } },
    choice: { reasoning: "Rome is in Italy.", content: "Sunny.", finish_reason: "stop" },
    content: [
      { type: "thinking", thinking: "", signature: `gw1.${Buffer.from("Rome is in Italy.").toString("base64url")}` },
      { type: "text", text: "Sunny." },
    ],
    end: ["end_turn"],
  },
  "reasoning that the request doesn't ask for": {
    choice: { reasoning: "Rome is in Italy.", content: "Sunny.", finish_reason: "stop" },
    content: [{ type: "text", text: "Sunny." }],
    end: ["end_turn"],
  },
};

describe.each(Object.entries(SCRIPTS))("an answer with %s", (_, { fields, choice, content, end }) => {
  test("is the same whether it is complete, streamed or from the cache", async () => {
    server.answer = () => [choice];
    const request = ask(fields);
    const [stop_reason, stop_sequence = null] = end;
    const thinking = choice.reasoning?.length ?? 0;
    const expected = {
      ...{ type: "message", role: "assistant", model: MODEL, content, stop_reason, stop_sequence },
      usage: usage(thinking + (choice.content?.length ?? 0), thinking),
    };
    const streamed = factsOf(await client.messages.stream(request).finalMessage());
    const replayed = factsOf(await client.messages.stream(request).finalMessage());
    const cached = factsOf(await client.messages.create(request));
    const fresh = factsOf(await client.messages.create(request, { headers: { "cache-control": "no-cache" } }));
    for (const answer of [streamed, replayed, cached, fresh]) expect(answer).toEqual(expected);
  });
});

test("a stream has Anthropic's events in Anthropic's order, each with its name", async () => {
  server.answer = () => [
    { reasoning: "Hm.", content: "Wait.", calls: [call("call_1", '{"city":"Rome"}')], finish_reason: "tool_calls" },
  ];
  const body = { ...ask({ tools: [weather], thinking: { type: "adaptive" } }), stream: true };
  const response = await capable.stack.call("POST", "/v1/messages?beta=true", { body });
  expect(response.headers.get("content-type")).toStartWith("text/event-stream");
  const frames = (await response.text()).split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
  const events = frames.map((frame) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? [];
    const event = JSON.parse(data ?? "");
    expect(event.type).toBe(name);
    return event;
  });
  const kinds = events.map(({ type, index = "", content_block, delta }) =>
    [type, index, content_block?.type ?? delta?.type ?? ""].filter((word) => word !== "").join(" "),
  );
  // The number of text pieces depends on how they arrive.
  expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toEqual([
    "message_start",
    "ping",
    "content_block_start 0 thinking",
    "content_block_delta 0 thinking_delta",
    "content_block_delta 0 signature_delta",
    "content_block_stop 0",
    "content_block_start 1 text",
    "content_block_delta 1 text_delta",
    "content_block_stop 1",
    "content_block_start 2 tool_use",
    "content_block_delta 2 input_json_delta",
    "content_block_stop 2",
    "message_delta",
    "message_stop",
  ]);
});

test("the input of a tool with eager_input_streaming arrives in pieces", async () => {
  server.answer = () => [{ calls: [call("call_1", '{"city":"Rome"}')], finish_reason: "tool_calls" }];
  const pieces: string[] = [];
  const stream = client.messages.stream(ask({ tools: [{ ...weather, eager_input_streaming: true }] }));
  stream.on("inputJson", (piece) => pieces.push(piece));
  expect((await stream.finalMessage()).content).toEqual([used("call_1", { city: "Rome" })] as never);
  expect(pieces).toHaveLength(5);
});

test("a tool round trip reaches the model's server as chat messages", async () => {
  server.answer = () => [{ content: "Sunny.", finish_reason: "stop" }];
  await client.messages.create(
    ask({
      system: [
        { type: "text", text: "x-anthropic-billing-header: cc_version=1" },
        { type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } },
      ],
      tools: [weather],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      messages: [
        { role: "user", content: "What is the weather in Rome?" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm.", signature: "gw1." },
            { type: "text", text: "Let me look." },
            { type: "tool_use", id: "call_1", name: "get_weather", input: { city: "Rome" } },
          ],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: "21 °C" }] },
        { role: "system", content: "Answer in French." },
      ],
    }),
  );
  expect(server.last).toEqual({
    ...{ model: MODEL, stream: false, max_tokens: 500, temperature: 0 },
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "What is the weather in Rome?" },
      {
        ...{ role: "assistant", content: "Let me look.", reasoning: "Hm.", reasoning_content: "Hm." },
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Rome"}' } },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "21 °C" },
      { role: "user", content: "Answer in French." },
    ],
    tools: [
      {
        type: "function",
        function: { name: "get_weather", description: weather.description, parameters: weather.input_schema },
      },
    ],
    tool_choice: "required",
    parallel_tool_calls: false,
  });
});

test("a JSON schema, an image and the sampling settings are passed on", async () => {
  server.answer = () => [{ content: '{"city":"Rome"}', finish_reason: "stop" }];
  const schema = weather.input_schema as Record<string, unknown>;
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } } as const;
  const message = await client.messages.parse(
    ask({
      messages: [{ role: "user", content: [{ type: "text", text: "Where is this?" }, image] }],
      output_config: { format: { type: "json_schema", schema }, effort: "low" },
      ...{ top_p: 0.9, top_k: 5, stop_sequences: ["END"], service_tier: "auto", metadata: { user_id: "u" } },
    }),
  );
  expect(message.content).toEqual([expect.objectContaining({ type: "text", text: '{"city":"Rome"}' })]);
  expect(server.last).toMatchObject({
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "Where is this?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      },
    ],
    response_format: { type: "json_schema", json_schema: { name: "output", schema } },
    ...{ top_p: 0.9, top_k: 5, stop: ["END"], reasoning_effort: "low" },
  });
});

test("cached prompt tokens are not counted twice", async () => {
  server.cachedTokens = 5;
  try {
    const { usage } = await client.messages.create(ask());
    expect([usage.input_tokens, usage.cache_read_input_tokens]).toEqual([2, 5]);
  } finally {
    server.cachedTokens = 0;
  }
});

describe("count_tokens", () => {
  test("counts the system prompt, the messages and the tools as the model reads them", async () => {
    const count = (fields: object) =>
      client.messages.countTokens({ model: MODEL, messages: [{ role: "user", content: "Hi" }], ...fields });
    expect(await count({})).toEqual({ input_tokens: 1 });
    expect(await count({ system: "Be brief." })).toEqual({ input_tokens: 2 });
    expect(await count({ system: "Be brief.", tools: [weather] })).toEqual({ input_tokens: 12 });
    expect(server.last).toMatchObject({
      model: MODEL,
      messages: [{ role: "system" }, { role: "user", content: "Hi" }],
      tools: [{ type: "function", function: { name: "get_weather" } }],
    });
  });

  test("accepts a conversation that ends with an answer", async () => {
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello!" },
    ] as const;
    expect(await client.messages.countTokens({ model: MODEL, messages: [...messages] })).toEqual({ input_tokens: 2 });
  });
});

test("the client lists the models", async () => {
  const models = await Array.fromAsync(client.models.list());
  expect(models).toEqual([expect.objectContaining({ type: "model", id: MODEL, display_name: MODEL })]);
  expect((await client.models.retrieve(MODEL)).created_at).toBe(models[0]?.created_at ?? "");
});

const runningOn = async ({ node }: Stack): Promise<number> => {
  const { slots } = (await (await fetch(`${node.url}/readyz`)).json()) as NodeReadiness;
  return slots.running;
};

describe("an agent that the client's tool runner runs", () => {
  /** Starts an agent that calls the tool once for each of 20 cities, and passes each city to `onCall`. */
  const startAgent = (onCall: (city: string) => void, signal?: AbortSignal) => {
    server.answer = ({ messages }) => {
      const cities = (messages as { role: string }[]).filter(({ role }) => role === "tool").length;
      return cities === 20
        ? [{ content: "Sunny everywhere.", finish_reason: "stop" }]
        : [
            {
              reasoning: "Next.",
              calls: [call(`call_${cities}`, `{"city":"${cities}"}`)],
              finish_reason: "tool_calls",
            },
          ];
    };
    const tool = betaTool({
      ...{ name: weather.name, description: "The current weather" },
      inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      run: ({ city }) => {
        onCall(city);
        return "21 °C";
      },
    });
    const { model, max_tokens, messages } = ask();
    const thinking = { type: "adaptive", display: "omitted" } as const;
    const params = { model, max_tokens, messages, thinking, tools: [tool], stream: true };
    return client.beta.messages.toolRunner(params, { signal }).runUntilDone();
  };

  test("makes 20 calls, and the model gets its earlier reasoning back", async () => {
    const cities: string[] = [];
    const last = await startAgent((city) => cities.push(city));
    expect(cities).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
    expect(last.content).toEqual([expect.objectContaining({ type: "text", text: "Sunny everywhere." })]);
    const answers = (server.last.messages as { role: string; reasoning?: string }[]).filter(
      ({ role }) => role === "assistant",
    );
    expect(answers.map(({ reasoning }) => reasoning)).toEqual(Array(20).fill("Next."));
  });

  test("frees its slot when it disconnects in the middle", async () => {
    const leaving = new AbortController();
    const paused = Promise.withResolvers<void>();
    const failure = startAgent((city) => {
      if (city === "9") server.pause = paused.promise;
    }, leaving.signal).catch((error: unknown) => error);
    try {
      await until(
        "the model writes its eleventh answer",
        async () => server.pause !== undefined && (await runningOn(capable.stack)) === 1,
      );
      leaving.abort();
      expect(await failure).toBeInstanceOf(Anthropic.APIUserAbortError);
      await until("the slot is free", async () => (await runningOn(capable.stack)) === 0);
    } finally {
      server.pause = undefined;
      paused.resolve();
    }
  });
});

describe("a client that disconnects", () => {
  /** A node whose answers have 400 tokens and would take 20 s. */
  let slow: Stack;
  beforeAll(async () => {
    slow = await startStack({ tokens: 400, tokenMs: 50 }, { hasWorker: false });
    await until("the gateway knows its node", async () => (await slow.call("GET", "/readyz")).status === 200);
  });
  afterAll(() => slow.close());

  test.each([true, false])("stops the generation (stream: %p)", async (isStream) => {
    const leaving = new AbortController();
    const impatient = new Anthropic({ baseURL: slow.url, apiKey: slow.adminKey, maxRetries: 0 });
    const request = { ...ask({ temperature: 1 }), model: "smollm2-135m-instruct" };
    const { signal } = leaving;
    const answer: Promise<unknown> = isStream
      ? impatient.messages.stream(request, { signal }).finalMessage()
      : impatient.messages.create(request, { signal });
    const failure = answer.catch((error: unknown) => error);
    await until("the node generates", async () => (await runningOn(slow)) === 1);
    leaving.abort();
    expect(await failure).toBeInstanceOf(Anthropic.APIUserAbortError);
    await until("the slot is free", async () => (await runningOn(slow)) === 0);
  });
});
