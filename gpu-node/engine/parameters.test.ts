import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { readParameters, readStreaming } from "./parameters";

const messages = [{ role: "user", content: "Hi" }];

const tool = { type: "function", function: { name: "f" } };
const call = { id: "1", type: "function", function: { name: "f", arguments: "{}" } };

const rejectedParam = (operation: "chat" | "completion", body: Record<string, unknown>): string | undefined => {
  try {
    readParameters(operation, body);
    readStreaming(body);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === "invalid_request") return thrown.detail.param;
    throw thrown;
  }
  return undefined;
};

describe("readParameters", () => {
  test("reads a chat request into our names, joins its text parts and treats null as omitted", () => {
    const body = {
      model: "m",
      messages: [
        {
          role: "developer",
          content: [
            { type: "text", text: "Be " },
            { type: "text", text: "brief." },
          ],
        },
        { role: "assistant", content: null },
        ...messages,
      ],
      max_tokens: 5,
      max_completion_tokens: 7,
      stop: "x",
      temperature: null,
      logprobs: true,
      tools: null,
      tool_choice: "none",
    };
    expect(readParameters("chat", body)).toMatchObject({
      operation: "chat",
      model: "m",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "assistant", content: "" },
        { role: "user", content: "Hi" },
      ],
      maxTokens: 7,
      sampling: {},
      stops: ["x"],
      topLogprobs: 0,
    });
  });

  test("reads functions, calls and results", () => {
    const f = {
      name: "f",
      description: null,
      parameters: { type: "object", properties: { a: { default: null } } },
      strict: null,
    };
    const g = { name: "g", strict: true };
    const tools = [f, g].map((tool) => ({ type: "function", function: tool }));
    const call = {
      id: "call_1",
      type: "function",
      index: 0,
      function: { name: "f", arguments: "{}", parsed_arguments: {} },
    };
    const turns = [
      ...messages,
      { role: "assistant", tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "1" },
    ];
    const read = (more: object) => readParameters("chat", { messages: turns, tools, ...more });
    expect(read({})).toMatchObject({
      messages: [
        { role: "user" },
        { role: "assistant", content: "", calls: [{ id: "call_1", name: "f", arguments: "{}" }] },
        { role: "tool", content: "1", callId: "call_1" },
      ],
      toolUse: { tools: [{ name: "f", parameters: f.parameters }, g], required: undefined, isParallel: true },
    });
    expect(read({ parallel_tool_calls: false })).toMatchObject({ toolUse: { isParallel: false } });
    expect(read({ tool_choice: "required", parallel_tool_calls: true })).toMatchObject({
      toolUse: { required: ["f", "g"], isParallel: false },
    });
    expect(read({ tool_choice: { type: "function", function: { name: "g" } } })).toMatchObject({
      toolUse: { required: ["g"], isParallel: false },
    });
    expect(read({ reasoning_effort: "none" })).toMatchObject({ reasons: false });
    expect(read({ reasoning_effort: "low" })).toMatchObject({ reasons: true });
    for (const off of [{ tool_choice: "none" }, { tools: [] }]) expect(read(off)).toHaveProperty("toolUse", undefined);
  });

  test.each<[string, Record<string, unknown>]>([
    ["stream_options", { stream: true, stream_options: { include_usage: null } }],
    ["response_format", { response_format: { type: "text", json_schema: null } }],
    ["json_schema", { response_format: { type: "json_schema", json_schema: { schema: {}, strict: null } } }],
    ["a part of a message", { messages: [{ role: "user", content: [{ type: "text", text: "Hi", image_url: null }] }] }],
  ])("treats null inside %s as omitted", (_what, body) => {
    expect(rejectedParam("chat", { messages, ...body })).toBeUndefined();
  });

  test("keeps null inside a JSON schema, where it is a value", () => {
    const schema = { enum: ["a", null], default: null, properties: { content: { const: null } } };
    const response_format = { type: "json_schema", json_schema: { name: null, schema } };
    expect(readParameters("chat", { messages, response_format })).toMatchObject({ schema });
  });

  test("reads a completion request with a string or with token ids as its prompt", () => {
    expect(readParameters("completion", { prompt: "a", logprobs: 3 })).toMatchObject({ prompt: "a", topLogprobs: 3 });
    expect(readParameters("completion", { prompt: [1, 2] })).toMatchObject({ prompt: [1, 2] });
  });

  test.each<[string, Record<string, unknown>]>([
    ["messages", {}],
    ["messages", { messages: [] }],
    ["messages.0", { messages: ["Hi"] }],
    ["messages.0.role", { messages: [{ role: "function", content: "x" }] }],
    ["messages.0.tool_call_id", { messages: [{ role: "tool", content: "x" }] }],
    ["messages.0.tool_call_id", { messages: [{ role: "user", content: "x", tool_call_id: "1" }] }],
    ["messages.0.role", { messages: [{ role: "constructor", content: "x" }] }],
    ["messages.0.content", { messages: [{ role: "user", content: 1 }] }],
    ["messages.0.content", { messages: [{ role: "user", content: "\ud800" }] }],
    ["messages.0.content", { messages: [{ role: "user", content: [] }] }],
    ["messages.0.content.0.type", { messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }] }],
    ["messages.0.tool_calls", { messages: [{ role: "user", content: "x", tool_calls: [call] }] }],
    ["messages.0.tool_calls.0.id", { messages: [{ role: "assistant", tool_calls: [{ ...call, id: "" }] }] }],
    ["tools", { messages, tools: Array.from({ length: 129 }, () => tool) }],
    ["tools.0.type", { messages, tools: [{ ...tool, type: "web_search" }] }],
    ["tools.0.function.name", { messages, tools: [{ type: "function", function: { name: "a b" } }] }],
    [
      "tools.0.function.parameters",
      { messages, tools: [{ type: "function", function: { name: "f", parameters: [] } }] },
    ],
    [
      "tools.0.function.parameters.type",
      { messages, tools: [{ type: "function", function: { name: "f", parameters: { type: "array" } } }] },
    ],
    ["tool_choice", { messages, tool_choice: "required" }],
    ["tool_choice", { messages, tools: [tool], tool_choice: "always" }],
    [
      "tool_choice.function.name",
      { messages, tools: [tool], tool_choice: { type: "function", function: { name: "g" } } },
    ],
    ["reasoning_effort", { messages, reasoning_effort: "huge" }],
    ["parallel_tool_calls", { messages, tools: [tool], parallel_tool_calls: 1 }],
    ["chat_template", { messages, chat_template: "{{x}}" }],
    ["logit_bias", { messages, logit_bias: { 1: 2 } }],
    ["n", { messages, n: 1e9 }],
    ["model", { messages, model: "" }],
    ["max_tokens", { messages, max_tokens: -5 }],
    ["max_tokens", { messages, max_tokens: 1.5 }],
    ["temperature", { messages, temperature: 3 }],
    ["temperature", { messages, temperature: "0" }],
    ["top_p", { messages, top_p: 2 }],
    ["seed", { messages, seed: 1e300 }],
    ["stop", { messages, stop: ["a", "b", "c", "d", "e"] }],
    ["stop", { messages, stop: "" }],
    ["stop.1", { messages, stop: ["a", ""] }],
    ["top_logprobs", { messages, top_logprobs: 2 }],
    ["response_format.type", { messages, response_format: { type: "xml" } }],
    ["response_format.json_schema.schema", { messages, response_format: { type: "json_schema" } }],
    ["response_format.json_schema.schema", { messages, response_format: { type: "json_schema", json_schema: {} } }],
    ["store", { messages, store: true }],
    ["stream", { messages, stream: "yes" }],
    ["stream_options", { messages, stream_options: {} }],
    ["stream_options.include_usage", { messages, stream: true, stream_options: { include_usage: 1 } }],
  ])("the error names %s in a chat request", (param, body) => {
    expect(rejectedParam("chat", body)).toBe(param);
  });

  test.each<[string, Record<string, unknown>]>([
    ["temperature must be a number from 0 to 2, not 3.", { temperature: 3 }],
    ["top_k must be a whole number from 0 to 1000, not 1.5.", { top_k: 1.5 }],
    ["max_completion_tokens must be a whole number from 1 to 1000000, not 0.", { max_completion_tokens: 0 }],
    ['logprobs must be true or false, not "yes".', { logprobs: "yes" }],
    ["stop must be a non-empty string or a list of up to 4 non-empty strings, not 5.", { stop: 5 }],
    [
      "stop must be a non-empty string or a list of up to 4 non-empty strings, not a list of 5.",
      { stop: "abcde".split("") },
    ],
    ['stop.1 must be a non-empty string, not "".', { stop: ["a", ""] }],
    ['model must be a string of 1 to 200 characters, not "".', { model: "" }],
    ["messages must be a list of 1 to 2000 messages, not an empty list.", { messages: [] }],
    [
      "messages.0.content must be a string or a non-empty list of text parts, not an object.",
      { messages: [{ role: "user", content: {} }] },
    ],
    [
      'messages.0.role is missing. Expected "system", "developer", "user", "assistant" or "tool".',
      { messages: [{ content: "a" }] },
    ],
    [
      "response_format.json_schema.schema is missing. Expected a JSON schema.",
      { response_format: { type: "json_schema" } },
    ],
  ])("the error says what is accepted: %s", (message, body) => {
    expect(() => readParameters("chat", { messages, ...body })).toThrow(message);
  });

  test.each<[string, Record<string, unknown>]>([
    ["prompt", {}],
    ["prompt.0", { prompt: ["a", "b"] }],
    ["prompt", { prompt: [] }],
    ["echo", { prompt: "a", echo: true }],
    ["suffix", { prompt: "a", suffix: "b" }],
    ["best_of", { prompt: "a", best_of: 2 }],
    ["logprobs", { prompt: "a", logprobs: true }],
  ])("the error names %s in a completion request", (param, body) => {
    expect(rejectedParam("completion", body)).toBe(param);
  });
});
