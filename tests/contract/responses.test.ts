import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import OpenAI from "openai";
import type { ResponseCreateParamsNonStreaming } from "openai/resources/responses/responses";
import { ResponseEvent, ResponseObject } from "../../gateway/responses/contract";
import type { NodeReadiness } from "../../gpu-node/protocol";
import type { ScriptedChoice, ScriptedServer } from "../scripted-server";
import { until } from "../until";
import { image, MODEL, post, startCapableStack } from "./capable-stack";
import type { Stack } from "./stack";

/* `POST /v1/responses` in front of a server that supports every feature, also with OpenAI's client. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let stack: Stack;
let server: ScriptedServer;
let client: OpenAI;
beforeAll(async () => {
  capable = await startCapableStack();
  ({ stack, server } = capable);
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: stack.adminKey, maxRetries: 0 });
});
afterAll(() => capable.close());

type Json = Record<string, unknown>;
const says = (...choices: ScriptedChoice[]) => {
  server.answer = () => choices;
};
const respond = (body: object) => post(stack, "/v1/responses", { model: MODEL, ...body });

const tool = {
  type: "function",
  name: "get_weather",
  description: "The current weather",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  strict: true,
} as const;
const call = { id: "call_1", name: "get_weather", arguments: '{"city":"Rome"}' };

/** The events of a stream, whose framing, sequence numbers and schemas are checked. */
const stream = async (body: object): Promise<ResponseEvent[]> => {
  const response = await stack.call("POST", "/v1/responses", { body: { model: MODEL, ...body, stream: true } });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  const frames = (await response.text()).split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
  expect(frames.pop()).toBe("data: [DONE]");
  return frames.map((frame, number) => {
    const [name = "", data = ""] = frame.split("\n");
    const event = JSON.parse(data.slice("data: ".length));
    expect([name, event.sequence_number]).toEqual([`event: ${event.type}`, number]);
    expect([...Value.Errors(ResponseEvent, event)].map(({ path, message }) => `${path} ${message}`)).toEqual([]);
    return event;
  });
};

const lastResponse = (events: ResponseEvent[]): ResponseObject => {
  const last = events.at(-1);
  if (!last || !("response" in last)) throw new Error("The stream has no last response.");
  return last.response;
};

/** A response without the fields that differ between two answers to the same request. */
const facts = ({ id, created_at: _, completed_at: __, ...rest }: ResponseObject): unknown =>
  JSON.parse(JSON.stringify(rest).replaceAll(id.slice("resp_".length), "ID"));

const SCRIPTS: Record<string, { fields: object; choice: ScriptedChoice; events: string[] }> = {
  "plain text": {
    fields: {},
    choice: { content: "It is sunny.", finish_reason: "stop" },
    events: ["output_text"],
  },
  "text that was cut": {
    fields: { max_output_tokens: 16, reasoning: { effort: "medium" } },
    choice: { content: "It is sunny in Rome toda", finish_reason: "length" },
    events: ["output_text"],
  },
  "one call": {
    fields: { tools: [tool] },
    choice: { calls: [call], finish_reason: "tool_calls" },
    events: ["function_call_arguments"],
  },
  "reasoning, text and two calls": {
    fields: { tools: [tool], tool_choice: "required", parallel_tool_calls: true },
    choice: {
      reasoning: "Two cities.",
      content: "Let me look.",
      calls: [call, { ...call, id: "call_2", arguments: '{"city":"Łódź"}' }],
      finish_reason: "tool_calls",
    },
    events: ["reasoning_text", "output_text", "function_call_arguments"],
  },
  "no output": { fields: {}, choice: { content: "", finish_reason: "stop" }, events: [] },
};

describe.each(Object.entries(SCRIPTS))("an answer with %s", (name, { fields, choice, events: kinds }) => {
  test("is the same whether it is complete, streamed or from the cache", async () => {
    says(choice);
    const request = { temperature: 0, input: `${name}?`, ...fields };
    const live = await stream(request);
    const whole = await post(stack, "/v1/responses", { model: MODEL, ...request }, { "cache-control": "no-cache" });
    const replayed = await stream(request);
    expect([...Value.Errors(ResponseObject, whole.body)]).toEqual([]);
    expect(facts(lastResponse(live))).toEqual(facts(whole.body));
    expect(facts(lastResponse(replayed))).toEqual(facts(whole.body));
    const types = new Set<string>(live.map(({ type }) => type));
    for (const kind of kinds) expect([...types]).toContain(`response.${kind}.delta`);
  });

  test("is complete in the events of its items", async () => {
    says(choice);
    const events = await stream({ input: "Hi", ...fields });
    const { output, status } = lastResponse(events);
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(["response.created", "response.in_progress"]);
    expect(events.at(-1)?.type).toBe(status === "completed" ? "response.completed" : "response.incomplete");
    const done = events.flatMap((event) => (event.type === "response.output_item.done" ? [event] : []));
    expect(done.map(({ item }) => item)).toEqual(output);
    expect(done.map(({ output_index }) => output_index)).toEqual(output.map((_, index) => index));
    for (const [index, item] of output.entries()) {
      const own = events.filter((event) => "output_index" in event && event.output_index === index);
      const deltas = own.map((event) => ("delta" in event ? event.delta : "")).join("");
      expect(own[0]?.type).toBe("response.output_item.added");
      if (item.type === "function_call") expect(deltas).toBe(item.arguments);
      else if ("content" in item) expect([{ ...item.content[0], text: deltas }]).toEqual(item.content as never);
    }
  });
});

test("a response has every field of the specification, and repeats the request's settings", async () => {
  says({ content: "Red.", reasoning: "Hm.", finish_reason: "length" });
  const format = { type: "json_schema", name: "colour", schema: { type: "object" }, strict: true };
  const { status, body } = await respond({
    ...{
      input: "A colour?",
      instructions: "Be brief.",
      tools: [tool],
      tool_choice: { type: "function", name: tool.name },
    },
    ...{ text: { format }, reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"] },
    ...{ max_output_tokens: 20, temperature: 0.5, metadata: { team: "a" }, store: false, prompt_cache_key: "k" },
  });
  expect(status).toBe(200);
  const id = body.id.slice("resp_".length);
  expect(body).toEqual({
    ...{ id: `resp_${id}`, object: "response", created_at: expect.any(Number), completed_at: null },
    ...{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, error: null, model: MODEL },
    ...{ previous_response_id: null, instructions: "Be brief.", tools: [tool] },
    output: [
      {
        ...{ type: "reasoning", id: `rs_${id}_0`, status: "completed", summary: [] },
        content: [{ type: "reasoning_text", text: "Hm." }],
      },
      {
        ...{ type: "message", id: `msg_${id}_1`, status: "incomplete", role: "assistant" },
        content: [{ type: "output_text", text: "Red.", annotations: [], logprobs: [] }],
      },
    ],
    ...{ tool_choice: { type: "function", name: tool.name }, parallel_tool_calls: true, truncation: "disabled" },
    ...{ text: { format: { ...format, description: null } }, reasoning: { effort: "high", summary: null } },
    ...{ top_p: 1, temperature: 0.5, presence_penalty: 0, frequency_penalty: 0, top_logprobs: 0 },
    usage: {
      ...{ input_tokens: 7, input_tokens_details: { cached_tokens: 0 } },
      ...{ output_tokens: 7, output_tokens_details: { reasoning_tokens: 3 }, total_tokens: 14 },
    },
    ...{ max_output_tokens: 20, max_tool_calls: null, store: false, background: false, service_tier: "default" },
    ...{ metadata: { team: "a" }, safety_identifier: null, prompt_cache_key: "k" },
  });
  expect(server.last).toEqual({
    ...{ model: MODEL, stream: false, max_tokens: 20, temperature: 0.5, reasoning_effort: "high" },
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "A colour?" },
    ],
    response_format: { type: "json_schema", json_schema: { name: "colour", schema: { type: "object" }, strict: true } },
    tools: [{ type: "function", function: { ...tool, type: undefined } }].map((one) => JSON.parse(JSON.stringify(one))),
    tool_choice: { type: "function", function: { name: tool.name } },
  });
});

test("items become messages: one per answer, with its reasoning, text and calls", async () => {
  says({ content: "21 °C.", finish_reason: "stop" });
  const input = [
    { role: "developer", content: "Use metric units." },
    { role: "user", content: [{ type: "input_text", text: "The weather in Rome and Oslo?" }] },
    { type: "reasoning", id: "rs_1", summary: [], content: [{ type: "reasoning_text", text: "Look." }] },
    {
      ...{ type: "message", id: "msg_1", status: "completed", role: "assistant", phase: "commentary" },
      content: [{ type: "output_text", text: "One moment.", annotations: [], logprobs: [] }],
    },
    { type: "function_call", id: "fc_1", call_id: "a", name: "get_weather", arguments: "{}", status: "completed" },
    { type: "function_call", call_id: "b", name: "get_weather", arguments: "{}" },
    { type: "function_call_output", call_id: "b", output: [{ type: "input_text", text: "3 °C" }] },
    { type: "function_call_output", call_id: "a", output: "21 °C" },
    {
      role: "user",
      content: [
        { type: "input_text", text: "And this?" },
        { type: "input_image", image_url: image.image_url.url },
      ],
    },
  ];
  expect((await respond({ input, instructions: "Be brief." })).status).toBe(200);
  const called = (id: string) => ({ id, type: "function", function: { name: "get_weather", arguments: "{}" } });
  expect(server.last.messages).toEqual([
    { role: "system", content: "Be brief.\n\nUse metric units." },
    { role: "user", content: "The weather in Rome and Oslo?" },
    { role: "assistant", reasoning_content: "Look.", content: "One moment.", tool_calls: [called("a"), called("b")] },
    { role: "tool", tool_call_id: "b", content: "3 °C" },
    { role: "tool", tool_call_id: "a", content: "21 °C" },
    { role: "user", content: [{ type: "text", text: "And this?" }, image] },
  ]);
});

test("allowed_tools hides the other functions from the model", async () => {
  says({ content: "Hi", finish_reason: "stop" });
  const tools = [{ ...tool, name: "other" }, tool];
  const tool_choice = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: tool.name }] };
  const { body } = await respond({ input: "Hi", tools, tool_choice });
  expect([body.tools.length, body.tool_choice]).toEqual([2, tool_choice]);
  expect([(server.last.tools as Json[]).length, server.last.tool_choice]).toEqual([1, "required"]);
});

test("an answer shares the cache with the chat routes", async () => {
  says({ content: "Cached.", finish_reason: "stop" });
  const messages = [{ role: "user", content: "Shared with chat?" }];
  await post(stack, "/v1/chat/completions", { model: MODEL, messages, temperature: 0 });
  const sent = server.requests.length;
  const response = await stack.call("POST", "/v1/responses", {
    body: { model: MODEL, input: "Shared with chat?", temperature: 0 },
  });
  expect([server.requests.length - sent, response.headers.get("cache-status")]).toEqual([
    0,
    expect.stringContaining("; hit"),
  ]);
});

describe("OpenAI's client", () => {
  type Fields = Omit<ResponseCreateParamsNonStreaming, "stream">;
  const ask = (fields: Fields = {}): Fields => ({
    ...{ model: MODEL, input: "What is the weather in Rome?" },
    ...fields,
  });

  test("gets the same text from a complete response and a stream", async () => {
    says({ reasoning: "Hm.", content: "It is sunny.", finish_reason: "stop" });
    const whole = await client.responses.create(ask());
    const streamed = await client.responses.stream(ask()).finalResponse();
    expect([whole.output_text, streamed.output_text]).toEqual(["It is sunny.", "It is sunny."]);
    expect(streamed.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    expect(whole.usage).toEqual(streamed.usage as never);
  });

  test("parses an answer that follows a schema", async () => {
    says({ content: '{"city":"Rome"}', finish_reason: "stop" });
    const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
    const text = { format: { type: "json_schema" as const, name: "city", schema, strict: true } };
    const parsed = await client.responses.parse(ask({ text }));
    expect(parsed.output_parsed).toEqual({ city: "Rome" } as never);
    expect(server.last.response_format).toMatchObject({ json_schema: { name: "city", strict: true, schema } });
  });

  test.each([true, false])("makes a round trip with a function call; stored: %p", async (store) => {
    server.answer = ({ messages }) =>
      (messages as Json[]).some(({ role }) => role === "tool")
        ? [{ content: "21 °C in Rome.", finish_reason: "stop" }]
        : [{ reasoning: "Hm.", calls: [call], finish_reason: "tool_calls" }];
    const first = await client.responses.stream(ask({ tools: [tool], store })).finalResponse();
    const made = first.output.find((item) => item.type === "function_call");
    if (!made) throw new Error("The response has no call.");
    const result = { type: "function_call_output" as const, call_id: made.call_id, output: "21 °C" };
    const next = store
      ? { previous_response_id: first.id, input: [result] }
      : { input: [{ role: "user" as const, content: "What is the weather in Rome?" }, ...first.output, result] };
    const second = await client.responses.create(ask({ tools: [tool], store, ...(next as object) }));
    expect(second.output_text).toBe("21 °C in Rome.");
    expect(server.last.messages).toEqual([
      { role: "user", content: "What is the weather in Rome?" },
      {
        ...{ role: "assistant", reasoning_content: "Hm." },
        tool_calls: [{ id: "call_1", type: "function", function: { name: call.name, arguments: call.arguments } }],
      },
      { role: "tool", tool_call_id: "call_1", content: "21 °C" },
    ]);
  });

  test("sends an image", async () => {
    says({ content: "A dot.", finish_reason: "stop" });
    const shown = { type: "input_image" as const, image_url: image.image_url.url, detail: "high" as const };
    const content = [{ type: "input_text" as const, text: "What is this?" }, shown];
    expect((await client.responses.create(ask({ input: [{ role: "user", content }] }))).output_text).toBe("A dot.");
    expect(server.last.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: image.image_url.url, detail: "high" } },
        ],
      },
    ]);
  });

  test("stops the generation when it aborts a stream", async () => {
    server.answer = () => [{ content: "word ".repeat(20_000), finish_reason: "stop" }];
    const key = await stack.keyOf("member", { name: "aborting" });
    const own = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 });
    const events = await own.responses.create({ ...ask(), stream: true });
    for await (const event of events) {
      if (event.type === "response.output_text.delta") break;
    }
    events.controller.abort();
    await until("the request is logged as abandoned", async () => {
      const response = await stack.call("GET", "/v1/requests?route=/v1/responses&status=499");
      return ((await response.json()) as { data: Json[] }).data.length > 0;
    });
  });
});

describe("an agent with OpenAI's client", () => {
  /** Answers a call for each of 20 cities by continuing the last response. `onCall` is called with each of them. */
  const runAgent = async (onCall: (city: string) => void, signal?: AbortSignal) => {
    server.answer = ({ messages }) => {
      const cities = (messages as Json[]).filter(({ role }) => role === "tool").length;
      return cities === 20
        ? [{ content: "Sunny everywhere.", finish_reason: "stop" }]
        : [
            {
              calls: [{ ...call, id: `call_${cities}`, arguments: `{"city":"${cities}"}` }],
              finish_reason: "tool_calls",
            },
          ];
    };
    const next = (fields: object) =>
      client.responses.stream({ model: MODEL, tools: [tool], ...fields }, { signal }).finalResponse();
    let response = await next({ input: "How is the weather?" });
    for (;;) {
      const [made] = response.output;
      if (made?.type !== "function_call") return response;
      onCall(JSON.parse(made.arguments).city);
      const input = [{ type: "function_call_output", call_id: made.call_id, output: "21 °C" }];
      response = await next({ input, previous_response_id: response.id });
    }
  };

  test("makes 20 calls", async () => {
    const cities: string[] = [];
    const last = await runAgent((city) => cities.push(city));
    expect(cities).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
    expect(last.output_text).toBe("Sunny everywhere.");
    expect(server.last.messages).toHaveLength(41);
  });

  test("frees its slot when it leaves in the middle", async () => {
    const running = async (): Promise<number> =>
      ((await (await fetch(`${stack.node.url}/readyz`)).json()) as NodeReadiness).slots.running;
    const leaving = new AbortController();
    const paused = Promise.withResolvers<void>();
    const failure = runAgent((city) => {
      if (city === "9") server.pause = paused.promise;
    }, leaving.signal).catch((error: unknown) => error);
    try {
      await until("the model writes its eleventh answer", async () => !!server.pause && (await running()) === 1);
      leaving.abort();
      expect(await failure).toBeInstanceOf(OpenAI.APIUserAbortError);
      await until("the slot is free", async () => (await running()) === 0);
    } finally {
      server.pause = undefined;
      paused.resolve();
    }
  });
});

test("ignores what Codex sends about itself", async () => {
  says({ content: "Hi", finish_reason: "stop" });
  const { status } = await respond({ input: "Codex?", client_metadata: { turn_id: "1", nested: { deep: true } } });
  expect([status, server.last.client_metadata]).toEqual([200, undefined]);
});

test("an error before the first event has its own status", async () => {
  const response = await stack.call("POST", "/v1/responses", { body: { model: "none", input: "Hi", stream: true } });
  expect([response.status, ((await response.json()) as { error: Json }).error.code]).toEqual([404, "model_not_found"]);
});
