import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ErrorEnvelope } from "../../lib/errors";
import { ADMIN_KEY, Stack } from "../harness";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama" });
}, 120_000);
afterAll(() => stack.stop());

const ask = (more: Record<string, unknown>) => ({
  messages: [{ role: "user", content: "Hi" }],
  max_tokens: 4,
  ...more,
});
const says = (content: string) => ({ messages: [{ role: "user", content }] });
const MIB = 1_048_576;

type Case = [what: string, body: unknown, status: number, code: string, param: string | null];

const CASES: Case[] = [
  ["invalid JSON", "{not json", 400, "invalid_request", null],
  ["an empty body", "", 400, "invalid_request", null],
  ["JSON that is not an object", [1, 2], 400, "invalid_request", null],
  ["no messages", { max_tokens: 4 }, 400, "invalid_request", "messages"],
  ["messages of a wrong type", { messages: "Hi" }, 400, "invalid_request", "messages"],
  ["an empty list of messages", { messages: [] }, 400, "invalid_request", "messages"],
  ["an unknown role", { messages: [{ role: "robot", content: "Hi" }] }, 400, "invalid_request", "messages.0.role"],
  [
    "content of a wrong type",
    { messages: [{ role: "user", content: 5 }] },
    400,
    "invalid_request",
    "messages.0.content",
  ],
  ["a negative max_tokens", ask({ max_tokens: -5 }), 400, "invalid_request", "max_tokens"],
  ["a max_tokens that is a string", ask({ max_tokens: "4" }), 400, "invalid_request", "max_tokens"],
  ["a temperature out of range", ask({ temperature: 9 }), 400, "invalid_request", "temperature"],
  ["a billion answers", ask({ n: 1e9 }), 400, "invalid_request", "n"],
  ["an unknown parameter", ask({ frobnicate: true }), 400, "invalid_request", "frobnicate"],
  ["a tool without a function", ask({ tools: [{ type: "function" }] }), 400, "invalid_request", "tools.0.function"],
  [
    "a function whose arguments are no object",
    ask({ tools: [{ type: "function", function: { name: "f", parameters: { type: "string" } } }] }),
    400,
    "invalid_request",
    "tools.0.function.parameters.type",
  ],
  [
    "an image, which the model can't read",
    {
      messages: [
        { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0=" } }] },
      ],
    },
    400,
    "invalid_request",
    "messages.0.content.0.type",
  ],
  ["an unknown model", ask({ model: "gpt-99" }), 404, "model_not_found", "model"],
  [
    "an unpaired surrogate",
    '{"messages":[{"role":"user","content":"\\ud800"}]}',
    400,
    "invalid_request",
    "messages.0.content",
  ],
  ["a prompt beyond the context", says("word ".repeat(20_000)), 400, "context_length_exceeded", "messages"],
  ["a body of 5 MB", says("x".repeat(5 * MIB)), 413, "payload_too_large", null],
  ["JSON nested a hundred thousand deep", "[".repeat(100_000), 400, "invalid_request", null],
];

describe.each(["/v1/chat", "/v1/chat/completions"])("POST %s rejects", (path) => {
  test.each(CASES)("%s", async (_, body, status, code, param) => {
    const response = await stack.fetch(path, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    const { error } = (await response.json()) as ErrorEnvelope;
    expect([response.status, error.code, error.param]).toEqual([status, code as typeof error.code, param]);
    expect(error.message.length).toBeGreaterThan(10);
    expect(error.request_id).toBe(response.headers.get("x-request-id") ?? "");
  });
});

test("the error for a prompt longer than the context starts like OpenAI's", async () => {
  const response = await stack.fetch("/v1/chat/completions", { body: says("word ".repeat(20_000)) });
  const { error } = (await response.json()) as ErrorEnvelope;
  expect(error.message).toStartWith("This model's maximum context length is ");
});

test("bytes that are not UTF-8 are rejected", async () => {
  const body = Buffer.from(JSON.stringify(ask(says("??"))));
  body[body.indexOf("?")] = 0xff;
  const response = await fetch(`${stack.url}/v1/chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    body,
  });
  expect(response.status).toBe(400);
  expect(((await response.json()) as ErrorEnvelope).error.message).toContain("UTF-8");
});

test("another content type gets 415", async () => {
  const response = await stack.fetch("/v1/chat", { body: "hello", headers: { "content-type": "text/plain" } });
  expect(response.status).toBe(415);
});

test("without a key, everything under /v1 returns 401 before the input is read", async () => {
  for (const path of ["/v1/chat", "/v1/chat/completions", "/v1/nowhere"]) {
    const response = await fetch(`${stack.url}${path}`, { method: "POST", body: "{not json" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
  }
});

test("valid requests succeed after all these errors", async () => {
  const response = await stack.fetch("/v1/chat", { body: ask({}) });
  expect(response.status).toBe(200);
});
