import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import type { ScriptedServer } from "../scripted-server";
import { deep, MODEL, startCapableStack, startUnableStack } from "./capable-stack";
import type { Stack } from "./stack";

/*
 * Errors of /v1/messages have Anthropic's format and name that API's fields. The server of `capable` supports every
 * feature; `unable` uses the synthetic engine, which supports none.
 */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let server: ScriptedServer;
let unable: Stack;
beforeAll(async () => {
  capable = await startCapableStack();
  ({ server } = capable);
  unable = await startUnableStack();
});
afterAll(async () => {
  await capable.close();
  await unable.close();
});

const UNABLE = "smollm2-135m-instruct";
const user = { role: "user", content: "Hi" };
const text = { type: "text", text: "What is this?" };
const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
const weather = { name: "get_weather", input_schema: { type: "object" } };
const use = { type: "tool_use", id: "call_1", name: "get_weather", input: {} };
const result = { type: "tool_result", tool_use_id: "call_1", content: [text, image] };
const schema = { type: "json_schema", schema: { type: "object" } };
const says = (...content: object[]) => ({ messages: [{ role: "user", content }] });

const send = async (stack: Stack, body: unknown, path = "/v1/messages", headers: Record<string, string> = {}) => {
  const response = await stack.call("POST", path, { body, headers });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
};

/** Checks the format of an error, and returns its type and message. */
const errorIn = ({ headers, body }: Awaited<ReturnType<typeof send>>) => {
  const id = headers.get("request-id");
  expect(id).toBe(headers.get("x-request-id"));
  expect(body).toEqual({
    type: "error",
    error: {
      ...{ type: expect.any(String), message: expect.any(String) },
      details: { error_code: expect.any(String), param: body.error.details.param },
    },
    request_id: id,
  });
  return body.error as { type: string; message: string };
};

const request = (fields: object, model = MODEL) => ({ model, max_tokens: 10, messages: [user], ...fields });

describe("a request that this API doesn't accept is refused, and the message starts with", () => {
  test.each<[fields: object, begins: string]>([
    [{ max_tokens: undefined }, "max_tokens is missing."],
    [{ messages: undefined }, "messages is missing."],
    [{ model: undefined }, "model is missing."],
    [{ messages: [] }, "messages must have at least 1 item."],
    [{ max_token: 5 }, "`max_token` is not a field of this request. Did you mean `max_tokens`?"],
    [says({ ...text, txt: "a" }), "`txt` is not a field of `messages.0.content.0`. Did you mean `text`?"],
    [{ temperature: 3 }, "temperature must be 2 or less, not 3."],
    [{ system: 5 }, "system must be a string or a list, not 5."],
    [{ container: "c_1" }, "container is not supported. Leave it out"],
    [{ thread: { type: "create" } }, "thread is not supported. Leave it out"],
    [{ mcp_servers: [{ type: "url", url: "https://example.com" }] }, "mcp_servers is not supported. Leave it out"],
    [
      { tools: [weather, { type: "web_search_20250305", name: "web_search" }] },
      'tools.1.type must be "custom", not "web_search_20250305".',
    ],
    [{ tools: [{ type: "bash_20250124", name: "bash" }] }, 'tools.0.type must be "custom", not "bash_20250124".'],
    [{ tools: [{ ...weather, name: "get weather" }] }, "tools.0.name must have 1 to 128 letters, digits, _ or -"],
    [{ tools: [{ ...weather, input_schema: deep(33) }] }, "tools.0.input_schema is nested more than 32 levels deep."],
    [{ tool_choice: { type: "any" } }, "tool_choice requires tools."],
    [{ tools: [weather], tool_choice: { type: "tool", name: "f" } }, 'tool_choice.name is "f", which is not in tools'],
    [
      says(text, { ...image, source: { type: "url", url: "https://example.com/a.png" } }),
      'messages.0.content.1.source.type must be "base64", not "url".',
    ],
    [
      says({ ...image, source: { ...image.source, media_type: "image/tiff" } }),
      'messages.0.content.0.source.media_type must be "image/png", "image/jpeg", "image/webp" or "image/gif"',
    ],
    [
      says({ type: "document", source: { type: "text", media_type: "text/plain", data: "a" } }),
      'messages.0.content.0.type "document" is not supported. Send its text in a text block.',
    ],
    [
      says({ ...result, content: [{ type: "search_result", source: "a", title: "b", content: [] }] }),
      'messages.0.content.0.content.0.type "search_result" is not supported.',
    ],
    [
      { messages: [user, { role: "assistant", content: "I" }] },
      'messages.1.role must not be "assistant" in the last message',
    ],
    [{ messages: [user, { role: "tool", content: "a" }] }, "messages.1.role must be"],
  ])("%j: %s", async (fields, begins) => {
    const sent = server.requests.length;
    const answer = await send(capable.stack, request(fields));
    const { type, message } = errorIn(answer);
    expect([answer.status, type, message.slice(0, begins.length)]).toEqual([400, "invalid_request_error", begins]);
    expect(server.requests.length).toBe(sent);
  });

  test("the field, which programs can read", async () => {
    const { body } = await send(capable.stack, request(says({ ...text, txt: "a" })));
    expect(body.error.details).toEqual({ error_code: "invalid_request", param: "messages.0.content.0.txt" });
  });

  test.each(["{", "[]", "", '"a"'])("what is wrong with the body %s", async (body) => {
    const answer = await send(capable.stack, body);
    expect([answer.status, errorIn(answer).type]).toEqual([400, "invalid_request_error"]);
  });
});

describe("what the model can't do is refused by name:", () => {
  test.each<[fields: object, begins: string]>([
    [{ tools: [weather] }, "tools is not supported by"],
    [{ output_config: { format: schema } }, "output_config.format is not supported by"],
    [{ output_format: schema }, "output_format is not supported by"],
    [says(text, image), 'messages.0.content.1.type "image" is not supported by'],
    [says(result), 'messages.0.content.0.type "tool_result" is not supported by'],
    [
      { messages: [user, { role: "assistant", content: [text, use] }, user] },
      'messages.1.content.1.type "tool_use" is not supported by',
    ],
  ])("%j", async (fields, begins) => {
    for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
      const { max_tokens: _, ...prompt } = request(fields, UNABLE);
      const answer = await send(unable, path === "/v1/messages" ? request(fields, UNABLE) : prompt, path);
      const { type, message } = errorIn(answer);
      expect([answer.status, type, message.slice(0, begins.length)]).toEqual([400, "invalid_request_error", begins]);
      expect(message).toContain(`the model "${UNABLE}"`);
    }
  });

  test("thinking and effort have no effect on a model without reasoning, so that agents can use it", async () => {
    const fields = { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "high" } };
    expect((await send(unable, request(fields, UNABLE))).status).toBe(200);
  });
});

describe("Anthropic's client raises its own class for", () => {
  const clientOf = (stack: Stack, options: object = {}) =>
    new Anthropic({ baseURL: stack.url, apiKey: stack.adminKey, maxRetries: 0, ...options });
  const failureOf = async (
    client: Anthropic,
    fields: object = {},
  ): Promise<InstanceType<typeof Anthropic.APIError>> => {
    const failure = await client.messages.create(request(fields) as never).catch((error: unknown) => error);
    if (!(failure instanceof Anthropic.APIError)) throw failure;
    expect(failure.requestID).toMatch(/^req_/);
    return failure;
  };

  test("a wrong key, in either header, and a missing one", async () => {
    for (const options of [{ apiKey: "gw_wrong" }, { apiKey: null, authToken: "gw_wrong" }]) {
      const failure = await failureOf(clientOf(capable.stack, options));
      expect(failure).toBeInstanceOf(Anthropic.AuthenticationError);
      expect(failure.type).toBe("authentication_error");
    }
    const missing = await capable.stack.call("POST", "/v1/messages", { key: null, body: request({}) });
    expect([missing.status, ((await missing.json()) as { type: string }).type]).toEqual([401, "error"]);
  });

  test("a key without the role", async () => {
    const failure = await failureOf(clientOf(capable.stack, { apiKey: await capable.stack.keyOf("viewer") }));
    expect([failure.constructor, failure.type]).toEqual([Anthropic.PermissionDeniedError, "permission_error"]);
  });

  test("a model that doesn't exist", async () => {
    const failure = await failureOf(clientOf(capable.stack), { model: "claude-opus-4-8" });
    expect([failure.constructor, failure.type]).toEqual([Anthropic.NotFoundError, "not_found_error"]);
    expect(failure.errorCode).toBe("model_not_found");
  });

  test("a body that is too large", async () => {
    const failure = await failureOf(clientOf(capable.stack), { system: "a".repeat(5 * 1_048_576) });
    expect(failure).toMatchObject({ status: 413, type: "request_too_large" });
  });

  test("an exceeded limit, with the time to wait", async () => {
    const apiKey = await capable.stack.keyOf("member", { requests_per_minute: 1 });
    const client = clientOf(capable.stack, { apiKey });
    await client.messages.create(request({}) as never);
    const failure = await failureOf(client);
    expect([failure.constructor, failure.type]).toEqual([Anthropic.RateLimitError, "rate_limit_error"]);
    expect(Number(failure.headers?.get("retry-after"))).toBeGreaterThan(0);
  });

  test.each<[what: string, fail: { status: number; message: string }, status: number, type: string]>([
    [
      "a prompt that is longer than the context window",
      { status: 400, message: "This model's maximum context length is 100 tokens. You sent 200." },
      ...([400, "invalid_request_error"] as const),
    ],
    ["a server that fails", { status: 500, message: "out of memory" }, 502, "api_error"],
    ["a server that is full", { status: 503, message: "full" }, 503, "overloaded_error"],
  ])("%s", async (_, fail, status, type) => {
    server.fail = fail;
    const failure = await failureOf(clientOf(capable.stack)).finally(() => {
      server.fail = undefined;
    });
    expect(failure).toMatchObject({ status, type });
  });
});

test("a stream that breaks off ends with an error event", async () => {
  server.answer = () => [{ content: "Hello world", finish_reason: "stop" }];
  server.breaksOff = true;
  const client = new Anthropic({ baseURL: capable.stack.url, apiKey: capable.stack.adminKey, maxRetries: 0 });
  const failure = await client.messages
    .stream(request({}) as never)
    .finalMessage()
    .catch((error: unknown) => error);
  server.breaksOff = false;
  expect(failure).toBeInstanceOf(Anthropic.APIError);
  expect(failure).toMatchObject({ type: "api_error", error: { type: "error", request_id: expect.any(String) } });
});
