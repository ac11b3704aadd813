import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/* Values without effect that clients send are accepted, and the request is the same as without them. */

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ tokens: 4 });
  // The revision of the node's model is part of each cache key.
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(() => stack.close());

const MODEL = "smollm2-135m-instruct";
const hi = { role: "user", content: "hi" };
const CHAT = { model: MODEL, max_tokens: 1, temperature: 0, messages: [hi] };
const COMPLETION = { model: MODEL, max_tokens: 1, temperature: 0, prompt: "hi" };
const EMBEDDING = { model: "all-minilm-l6-v2", input: "hi" };

const post = async (path: string, body: object) => {
  const response = await stack.call("POST", path, { body });
  const text = await response.text();
  const param: unknown = response.status === 400 ? JSON.parse(text).error.param : undefined;
  const key = /key="([^"]+)"/.exec(response.headers.get("cache-status") ?? "")?.[1];
  return { status: response.status, param, key, text };
};

type Fields = Record<string, unknown>;

const NEUTRAL_IN_BOTH: Fields[] = [
  { max_tokens: 1, top_p: null },
  { top_k: null, min_p: null, seed: null },
  { min_p: 0 },
  { repetition_penalty: null },
  { stop: null },
  { stop: [] },
  { stop: "" },
  { presence_penalty: 0 },
  { presence_penalty: null, frequency_penalty: null },
  { frequency_penalty: 0 },
  { n: 1 },
  { n: null },
  { logit_bias: {} },
  { logit_bias: null },
  { stream: false },
  { stream: null, stream_options: null },
  { stream_options: {} },
  { stream_options: { include_usage: null } },
  { stream_options: { include_usage: false, include_obfuscation: true } },
  { user: null },
  { user: "" },
  { user: "customer-7" },
  { logprobs: null },
  { metadata: null },
  { metadata: {} },
  { metadata: { team: "support" } },
  { store: false },
  { store: null },
  { service_tier: null },
  { service_tier: "auto" },
  { service_tier: "default" },
  { prompt_cache_key: "a", safety_identifier: "b" },
  { prompt_cache_key: null, safety_identifier: null, prompt_cache_retention: null, prompt_cache_options: {} },
  { prompt_cache_retention: "24h" },
  { metadata: [], prompt_cache_options: [] },
  { logit_bias: [] },
  { stream_options: [] },
];

const NEUTRAL_IN_CHAT: Fields[] = [
  ...NEUTRAL_IN_BOTH,
  { max_completion_tokens: null },
  { max_completion_tokens: 1, max_tokens: null },
  { response_format: null },
  { response_format: { type: "text" } },
  { response_format: {} },
  { audio: {}, prediction: {}, moderation: {} },
  { tools: {}, functions: {} },
  { logprobs: false },
  { top_logprobs: 0 },
  { top_logprobs: null },
  { tools: null },
  { tools: [] },
  { tool_choice: null },
  { tool_choice: "none" },
  { tool_choice: "auto" },
  { parallel_tool_calls: true },
  { parallel_tool_calls: false },
  { parallel_tool_calls: null },
  { functions: [], function_call: "auto" },
  { function_call: "none" },
  { reasoning_effort: null },
  { reasoning_effort: "none" },
  { reasoning_effort: "medium" },
  { verbosity: "medium" },
  { modalities: ["text"] },
  { modalities: [] },
  { audio: null, prediction: null, web_search_options: null, moderation: null },
];

const NEUTRAL_IN_COMPLETION: Fields[] = [
  ...NEUTRAL_IN_BOTH,
  { prompt: ["hi"] },
  { best_of: 1 },
  { best_of: null },
  { echo: false },
  { echo: null },
  { suffix: "" },
  { suffix: null },
];

describe.each([
  ["/v1/chat/completions", CHAT, NEUTRAL_IN_CHAT],
  ["/v1/chat", CHAT, NEUTRAL_IN_CHAT],
  ["/v1/completions", COMPLETION, NEUTRAL_IN_COMPLETION],
] as const)("%s", (path, body, rows) => {
  test.each([...rows])("treats %j as omitted: the cache key is the same", async (fields) => {
    const plain = await post(path, body);
    const given = await post(path, { ...body, ...fields });
    expect([given.status, given.key]).toEqual([200, plain.key ?? "no key"]);
  });
});

test.each<Fields>([
  { encoding_format: null },
  { encoding_format: "float" },
  { dimensions: null },
  { user: null },
  { store: null },
  { model: null },
])("/v1/embeddings treats %j as omitted", async (fields) => {
  const [plain, given] = [
    await post("/v1/embeddings", EMBEDDING),
    await post("/v1/embeddings", { ...EMBEDDING, ...fields }),
  ];
  expect([given.status, JSON.parse(given.text).data]).toEqual([200, JSON.parse(plain.text).data]);
});

describe("a value that requests an unsupported feature gets a 400 that names the field", () => {
  test.each<[Fields, string]>([
    [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "f" } } }, "tool_choice"],
    [{ functions: [{ name: "f" }] }, "functions"],
    [{ function_call: { name: "f" } }, "function_call"],
    [{ n: 2 }, "n"],
    [{ store: true }, "store"],
    [{ logit_bias: { "50256": -100 } }, "logit_bias"],
    [{ modalities: ["text", "audio"] }, "modalities"],
    [{ modalities: ["audio"] }, "modalities"],
    [{ audio: { voice: "alloy", format: "wav" } }, "audio"],
    [{ prediction: { type: "content", content: "x" } }, "prediction"],
    [{ web_search_options: {} }, "web_search_options"],
    [{ reasoning_effort: "high" }, "reasoning_effort"],
    [{ verbosity: "low" }, "verbosity"],
    [{ top_logprobs: 3 }, "top_logprobs"],
    [{ presence_penalty: 3 }, "presence_penalty"],
    [{ temperature: "0" }, "temperature"],
    [{ service_tier: "gold" }, "service_tier"],
    [{ metadata: { a: 1 } }, "metadata.a"],
    [{ stop: [""] }, "stop.0"],
    [{ stop: [null] }, "stop.0"],
    [{ no_such_field: null }, "no_such_field"],
    [{ messages: [{ role: "user", content: null }] }, "messages.0.content"],
    [{ messages: [] }, "messages"],
    [{ messages: null }, "messages"],
  ])("%j", async (fields, param) => {
    const { status, param: named } = await post("/v1/chat/completions", { ...CHAT, ...fields });
    expect([status, named]).toEqual([400, param]);
  });

  test.each<[Fields, string]>([
    [{ prompt: ["hi", "ho"], stream: true }, "prompt"],
    [{ prompt: Array(21).fill("hi") }, "prompt"],
    [{ prompt: ["hi", "word ".repeat(6000)] }, "prompt.1"],
    [{ prompt: ["hi", 5] }, "prompt.1"],
    [{ prompt: [] }, "prompt"],
    [{ prompt: null }, "prompt"],
    [{ echo: true }, "echo"],
    [{ suffix: "end" }, "suffix"],
    [{ best_of: 2 }, "best_of"],
    [{ n: 2 }, "n"],
  ])("%j of a completion", async (fields, param) => {
    const { status, param: named } = await post("/v1/completions", { ...COMPLETION, ...fields });
    expect([status, named]).toEqual([400, param]);
  });

  test.each([{}, { max_tokens: null }, { max_tokens: 16 }])("%j ends a completion after 16 tokens", async (fields) => {
    const request = { model: MODEL, temperature: 0, prompt: "hi", ...fields };
    const { status, text } = await post("/v1/cache/explain", { operation: "completion", request });
    expect([status, JSON.parse(text).parts.max_tokens]).toEqual([200, 16]);
  });

  test("several prompts get one choice each, the same as if each were sent separately", async () => {
    const prompts = ["Alpha", "Beta", "Gamma", "Alpha"];
    const { status, text } = await post("/v1/completions", { ...COMPLETION, max_tokens: 4, prompt: prompts });
    const { choices, usage, id } = JSON.parse(text);
    const alone = [];
    for (const prompt of prompts) {
      alone.push(JSON.parse((await post("/v1/completions", { ...COMPLETION, max_tokens: 4, prompt })).text));
    }
    expect([status, choices]).toEqual([200, alone.map((answer, index) => ({ ...answer.choices[0], index }))]);
    expect(usage.total_tokens).toBe(alone.reduce((tokens, answer) => tokens + answer.usage.total_tokens, 0));
    expect(id).toStartWith("cmpl-");
  });

  test("a value that is not neutral is part of the cache key", async () => {
    const plain = await post("/v1/chat/completions", CHAT);
    for (const fields of [
      { temperature: 0, seed: 1 },
      { presence_penalty: 0.1 },
      { top_p: 1 },
      { repetition_penalty: 1 },
    ]) {
      expect((await post("/v1/chat/completions", { ...CHAT, ...fields })).key).not.toBe(plain.key);
    }
  });
});

describe("an answer that a client library sends back in messages is accepted", () => {
  const answers: [string, Fields][] = [
    ["OpenAI, as the API returns it", { refusal: null }],
    [
      "openai-python, model_dump()",
      { refusal: null, annotations: null, audio: null, function_call: null, tool_calls: null },
    ],
    ["openai-python, parse()", { refusal: null, tool_calls: null, parsed: null }],
    ["openai-node, with annotations", { refusal: null, annotations: [] }],
    ["openai-node, parse()", { refusal: null, parsed: { city: "Rome" }, tool_calls: [] }],
    ["LangChain", { name: null, tool_calls: [] }],
    ["LiteLLM", { tool_calls: null, function_call: null, provider_specific_fields: { refusal: null } }],
    ["LlamaIndex", { name: "", function_call: {} }],
    ["vLLM clients", { reasoning: null, reasoning_content: null, tool_calls: [], refusal: "" }],
    ["a name", { name: "helper" }],
    ["parts with annotations", { content: [{ type: "text", text: "hello", annotations: [] }] }],
  ];
  test.each(answers)("%s", async (_, fields) => {
    const messages = [hi, { role: "assistant", content: "hello", ...fields }, hi];
    expect((await post("/v1/chat/completions", { ...CHAT, messages })).status).toBe(200);
  });

  test.each<Fields>([
    { content: null },
    { content: "" },
    { content: [] },
    {},
    { content: null, tool_calls: [], refusal: null },
  ])("even if the assistant's turn has no text: %j", async (fields) => {
    const bodyWith = (turn: Fields) => ({ ...CHAT, messages: [hi, { role: "assistant", ...turn }, hi] });
    const plain = await post("/v1/chat/completions", bodyWith({}));
    const given = await post("/v1/chat/completions", bodyWith(fields));
    expect([given.status, given.key]).toEqual([200, plain.key ?? "no key"]);
  });

  test.each<Fields[]>([
    [{ role: "developer", content: "Be brief." }],
    [{ role: "system", content: [{ type: "text", text: "Be brief." }], name: null }],
    [{ role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }], name: "ann" }],
    [{ role: "user", content: "a", tool_calls: null }],
  ])("with other turns: %j", async (message) => {
    expect((await post("/v1/chat/completions", { ...CHAT, messages: [message, hi] })).status).toBe(200);
  });

  test("and the developer role has the same meaning as system", async () => {
    const [developer, system] = await Promise.all(
      ["developer", "system"].map((role) =>
        post("/v1/chat/completions", { ...CHAT, messages: [{ role, content: "Be brief." }, hi] }),
      ),
    );
    expect([developer?.status, developer?.key]).toEqual([200, system?.key ?? "no key"]);
  });

  test.each<[Fields, string]>([
    [{ role: "assistant", content: null, tool_calls: [{ id: "1", type: "function" }] }, "messages.1.tool_calls"],
    [{ role: "assistant", content: "x", refusal: "I can't." }, "messages.1.refusal"],
    [{ role: "assistant", content: "x", audio: { id: "a" } }, "messages.1.audio"],
    [{ role: "tool", content: "x", tool_call_id: "1" }, "messages.1.role"],
  ])("but not with an unsupported field, which the error names: %j", async (message, param) => {
    const { status, param: named } = await post("/v1/chat/completions", { ...CHAT, messages: [hi, message, hi] });
    expect([status, named]).toEqual([400, param]);
  });
});

describe("null in an optional field of our own routes means that the field is omitted", () => {
  const sample = { input: "q", output: "a", references: ["a"] };
  test.each<[string, Fields, number]>([
    ["/v1/evaluate", { sample: { ...sample, contexts: null, key: null, tags: null, metadata: null }, name: null }, 201],
    ["/v1/evaluate", { sample: { ...sample, references: null, contexts: ["c"] }, dataset: null, target: null }, 201],
    ["/v1/evaluate", { sample, evaluators: ["reference@1"], shadow_evaluators: null, rubric: null, seed: null }, 201],
    ["/v1/conversations", { title: null, model: null }, 201],
    [
      "/v1/datasets",
      { name: "null-fields", description: null, schema: null, samples: [{ input: "q", tags: null }] },
      201,
    ],
    [
      "/v1/datasets",
      { name: "dry", on_error: null, dry_run: true, samples: [{ input: [{ ...hi, name: null }] }] },
      200,
    ],
    ["/v1/keys", { name: "a key", role: "member", expires_at: null, content_logging: null }, 201],
    ["/v1/cache/invalidate", { model: MODEL, tag: null, entry: null }, 200],
    [
      "/v1/cache/explain",
      { operation: null, request: { ...CHAT, tools: null }, namespace: null, compare_with: null },
      200,
    ],
    ["/v1/prompts", { name: "p", messages: [{ role: "user", content: "{{input}}" }], note: null }, 201],
    ["/v1/feedback", { request_id: "req_unknown", rating: "up", comment: null, correction: null, dataset: null }, 201],
  ])("%s %j", async (path, body, status) => {
    expect((await post(path, body)).status).toBe(status);
  });

  test("null keeps its meaning in a field where it has one", async () => {
    const made = JSON.parse((await post("/v1/keys", { name: "limited", role: "member", requests_per_minute: 5 })).text);
    const response = await stack.call("PATCH", `/v1/keys/${made.id ?? made.key_id}`, {
      body: { requests_per_minute: null },
    });
    expect([response.status, JSON.parse(await response.text()).requests_per_minute]).toEqual([200, null]);
  });
});

describe("NUL, which extracted PDF text contains, is removed on the routes that store no text", () => {
  const nul = "a\0b";
  test.each<[string, object, object]>([
    [
      "/v1/chat/completions",
      { ...CHAT, messages: [{ role: "user", content: nul }] },
      { ...CHAT, messages: [{ role: "user", content: "ab" }] },
    ],
    [
      "/v1/chat/completions",
      { ...CHAT, messages: [{ role: "user", content: [{ type: "text", text: "\0hi\0" }] }] },
      { ...CHAT, messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] },
    ],
    ["/v1/chat", { ...CHAT, stop: ["x\0y"] }, { ...CHAT, stop: ["xy"] }],
    ["/v1/completions", { ...COMPLETION, prompt: nul }, { ...COMPLETION, prompt: "ab" }],
    ["/v1/completions", { ...COMPLETION, prompt: ["\\u0000\0"] }, { ...COMPLETION, prompt: "\\u0000" }],
    ["/v1/embeddings", { ...EMBEDDING, input: nul }, { ...EMBEDDING, input: "ab" }],
  ])("%s %j", async (path, body, same) => {
    const [given, plain] = [await post(path, body), await post(path, same)];
    expect([given.status, plain.status, given.key]).toEqual([200, 200, plain.key]);
  });

  test("an evaluation stores the text without it", async () => {
    const { status, text } = await post("/v1/evaluate", {
      sample: { input: nul, output: "x\0y", references: ["x\0y"], contexts: ["\0c"] },
      evaluators: ["reference@1"],
    });
    const { result } = JSON.parse(text);
    expect([status, result.input, result.output.text, result.references, result.contexts]).toEqual([
      201,
      "ab",
      "xy",
      ["xy"],
      ["c"],
    ]);
  });

  test.each<[string, object, string]>([
    ["/v1/conversations", { title: nul }, "title"],
    ["/v1/datasets", { name: nul, samples: [{ input: "q" }] }, "name"],
    ["/v1/keys", { name: nul, role: "member" }, "name"],
  ])("%s stores its texts, so it rejects NUL and names the field", async (path, body, param) => {
    const { status, param: named } = await post(path, body);
    expect([status, named]).toEqual([400, param]);
  });
});

const CASES = join(import.meta.dir, "../../../shared/data/cases/requests.jsonl");

interface Case {
  kind: string;
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  body_is?: string;
  right: number | string;
}

describe.skipIf(!existsSync(CASES))("reported requests", () => {
  const cases: Case[] = existsSync(CASES)
    ? readFileSync(CASES, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
  test.each(cases.map((one) => [one.kind, one.path, one] as const))("%s: %s", async (_, path, one) => {
    const { method = "POST", headers = {}, body, body_is: form } = one;
    const isPreflight = method === "OPTIONS";
    const response = await fetch(stack.url + path, {
      method,
      headers: {
        ...(!isPreflight && { authorization: `Bearer ${stack.adminKey}`, "content-type": "application/json" }),
        ...headers,
      },
      body: isPreflight ? undefined : form?.startsWith("gzip") ? gzipSync(JSON.stringify(CHAT)) : JSON.stringify(body),
    });
    // Some rows allow several statuses, in words.
    const allowed = [...String(one.right).matchAll(/\b[1-5]\d\d\b/g)].map(([status]) => Number(status));
    expect(allowed).toContain(response.status);
    if (isPreflight) expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });
});
