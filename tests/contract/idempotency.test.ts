import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { notImplementedRoutes } from "../../gateway/http/not-implemented";
import { type Stack, startStack } from "./stack";

let stack: Stack;
/** Routes that accept an `Idempotency-Key` according to the document. */
let creating: string[];

beforeAll(async () => {
  stack = await startStack();
  const document = JSON.parse(await (await stack.call("GET", "/openapi.json")).text());
  creating = Object.entries<Record<string, { parameters?: { $ref?: string }[] }>>(document.paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
    .filter(({ operation }) => operation.parameters?.some(({ $ref }) => $ref?.endsWith("/IdempotencyKey")))
    .map(({ path, method }) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`)
    .filter((route) => !notImplementedRoutes.has(route));
});
afterAll(() => stack.close());

interface Creation {
  path(): Promise<string>;
  /** A request body. No object has the name `name` yet. */
  body(name: string): Record<string, unknown> | FormData;
  /** A different body for the same route. */
  other(name: string): Record<string, unknown> | FormData;
  /** Path in the response of a value that differs between two created objects. */
  identity: string;
}

/** The value at a dotted path. */
const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], value);

const fixed = (path: string) => async () => path;
const criterion = {
  name: "politeness",
  description: "Is the answer polite?",
  scale: { min: 0, max: 1, step: 1 },
  direction: "higher_is_better",
  threshold: 1,
  weight: 1,
};
const judge = { model: "smollm2-135m-instruct", prompt: null, votes: 1, temperature: 0, seed: 0 };

const newKeyId = async (): Promise<string> => {
  const response = await stack.call("POST", "/v1/keys", { body: { name: "to be rotated", role: "member" } });
  return JSON.parse(await response.text()).id;
};

const sample = { input: "What is the capital of France?", references: ["Paris"] };

const newDatasetId = async (): Promise<string> => {
  const body = { name: `a dataset ${crypto.randomUUID()}`, samples: [sample] };
  return JSON.parse(await (await stack.call("POST", "/v1/datasets", { body })).text()).dataset.id;
};

const newResultId = async (): Promise<string> => {
  const body = { sample: { ...sample, output: "Paris" } };
  return JSON.parse(await (await stack.call("POST", "/v1/evaluate", { body })).text()).result.id;
};

const newIndexId = async (): Promise<string> => {
  const body = { name: `index-${crypto.randomUUID()}` };
  return JSON.parse(await (await stack.call("POST", "/v1/rag/indexes", { body })).text()).id;
};

const newBatchId = async (): Promise<string> => {
  const body = { dataset: await newDatasetId(), target: { kind: "chat" } };
  const { id } = await json(await stack.call("POST", "/v1/batch-evals", { body }));
  await stack.call("POST", `/v1/batch-evals/${id}/cancel`);
  return id;
};

/** A run of another instance, without results. */
const runFile = (digit: string) => ({
  version: 1,
  run: {
    id: `run_${digit.repeat(32)}`,
    kind: "single",
    name: "a run",
    tags: [],
    state: "completed",
    pins: {
      dataset: null,
      target: { kind: "stored" },
      model_revision: null,
      node_version: null,
      engine: null,
      prompt_hash: null,
      index_revision: null,
      evaluators: [],
      rubric: null,
      rubric_hash: null,
      seed: 0,
      repeats: 1,
      code_version: "0.1.0",
      host: {},
    },
    progress: { total: 0, done: 0, errors: 0, judged: 0, running: 0, samples_per_second: 0, eta_seconds: null },
    passed: null,
    statistics: [],
    failures: {},
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    gpu_seconds: 0,
    cost: null,
    error: null,
    created_by: "key_1",
    created_at: "2026-11-26T12:00:00.000Z",
    started_at: null,
    ended_at: "2026-11-26T12:00:01.000Z",
  },
  results: [],
});

/** A webhook that receives nothing. */
const hook = (path: string) => ({ url: `https://hooks.invalid/${path}`, events: ["webhook.disabled"] });

/** The path for the result of a function call in a new conversation. */
const newCallPath = async (): Promise<string> => {
  const called = { id: "call_1", type: "function", function: { name: "get_weather", arguments: "{}" } };
  const messages = [
    { role: "user", content: "What is the weather?" },
    { role: "assistant", content: "", tool_calls: [called] },
  ];
  const conversation = {
    id: `chat_${crypto.randomUUID()}`,
    title: "Weather",
    model: "smollm2-135m-instruct",
    messages,
  };
  await stack.call("POST", "/v1/conversations/import", { body: { version: 1, conversations: [conversation] } });
  const { data } = await json(await stack.call("GET", "/v1/conversations"));
  const chat = await json(await stack.call("GET", `/v1/conversations/${data[0].id}`));
  return `/v1/conversations/${chat.id}/messages/${chat.messages[1].id}/tool-results`;
};

/** A form with a file of one request. */
const fileForm = (id: string): FormData => {
  const request = { custom_id: id, method: "POST", url: "/v1/chat/completions", body: { messages: [] } };
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new File([JSON.stringify(request)], "requests.jsonl"));
  return form;
};
/** The file of the next batches. */
let inputFile = "";

/** One request for each route that creates. */
const CREATIONS: Record<string, Creation> = {
  "POST /v1/keys": {
    path: fixed("/v1/keys"),
    body: () => ({ name: "one", role: "member" }),
    other: () => ({ name: "two", role: "member" }),
    identity: "key",
  },
  "POST /v1/keys/:id/rotate": {
    path: async () => `/v1/keys/${await newKeyId()}/rotate`,
    body: () => ({ grace_seconds: 60 }),
    other: () => ({ grace_seconds: 61 }),
    identity: "key",
  },
  "POST /v1/webhooks": {
    path: fixed("/v1/webhooks"),
    body: () => hook("one"),
    other: () => hook("two"),
    identity: "secret",
  },
  "POST /v1/webhooks/:id/rotate-secret": {
    path: async () =>
      `/v1/webhooks/${(await json(await stack.call("POST", "/v1/webhooks", { body: hook("rotated") }))).id}/rotate-secret`,
    body: () => ({ grace_seconds: 60 }),
    other: () => ({ grace_seconds: 61 }),
    identity: "secret",
  },
  "POST /v1/conversations": {
    path: fixed("/v1/conversations"),
    body: () => ({ title: "one" }),
    other: () => ({ title: "two" }),
    identity: "id",
  },
  "POST /v1/conversations/:id/messages": {
    path: async () =>
      `/v1/conversations/${(await json(await stack.call("POST", "/v1/conversations", { body: {} }))).id}/messages`,
    body: () => ({ content: "Name three colours." }),
    other: () => ({ content: "Name three rivers." }),
    identity: "answer_id",
  },
  "POST /v1/conversations/:id/messages/:message_id/tool-results": {
    path: newCallPath,
    body: () => ({ results: [{ tool_call_id: "call_1", content: "one" }] }),
    other: () => ({ results: [{ tool_call_id: "call_1", content: "two" }] }),
    identity: "answer_id",
  },
  "POST /v1/rag/indexes": {
    path: fixed("/v1/rag/indexes"),
    body: (name) => ({ name: `index-${name}` }),
    other: (name) => ({ name: `index-${name}`, description: "other" }),
    identity: "id",
  },
  "POST /v1/rag/indexes/:id/versions": {
    path: async () => `/v1/rag/indexes/${await newIndexId()}/versions`,
    body: () => ({ chunking: { chunk_tokens: 64, overlap_tokens: 0 } }),
    other: () => ({ chunking: { chunk_tokens: 32, overlap_tokens: 0 } }),
    identity: "created_at",
  },
  "POST /v1/rag/indexes/:id/documents": {
    path: async () => `/v1/rag/indexes/${await newIndexId()}/documents`,
    body: () => ({ documents: [{ text: "one" }] }),
    other: () => ({ documents: [{ text: "two" }] }),
    identity: "documents.0.id",
  },
  "POST /v1/prompts": {
    path: fixed("/v1/prompts"),
    body: () => ({ name: "short", messages: [{ role: "user", content: "{{input}}" }] }),
    other: () => ({ name: "short", messages: [{ role: "user", content: "Briefly: {{input}}" }] }),
    identity: "version",
  },
  "POST /v1/evaluators": {
    path: fixed("/v1/evaluators"),
    body: () => ({ name: "politeness", criteria: [criterion], judge }),
    other: () => ({ name: "politeness", criteria: [criterion], judge: { ...judge, votes: 3 } }),
    identity: "version",
  },
  "POST /v1/datasets": {
    path: fixed("/v1/datasets"),
    body: (name) => ({ name, samples: [sample] }),
    other: (name) => ({ name, samples: [sample, { input: "Who?" }] }),
    identity: "dataset.id",
  },
  "POST /v1/datasets/:id/revisions": {
    path: async () => `/v1/datasets/${await newDatasetId()}/revisions`,
    body: () => ({ samples: [{ input: "Another question?" }] }),
    other: () => ({ samples: [{ input: "Yet another question?" }] }),
    identity: "dataset.latest.revision",
  },
  "POST /v1/evaluate": {
    path: fixed("/v1/evaluate"),
    body: () => ({ sample: { ...sample, output: "It is Paris." } }),
    other: () => ({ sample: { ...sample, output: "It is Rome." } }),
    identity: "run.id",
  },
  "POST /v1/batch-evals": {
    path: async () => {
      await stack.call("POST", "/v1/datasets", { body: { name: "to be run", samples: [sample] } });
      return "/v1/batch-evals";
    },
    body: () => ({ dataset: "to be run", target: { kind: "chat" } }),
    other: () => ({ dataset: "to be run", target: { kind: "chat" }, seed: 1 }),
    identity: "id",
  },
  "POST /v1/batch-evals/:id/recompute": {
    path: async () => `/v1/batch-evals/${await newBatchId()}/recompute`,
    body: () => ({ evaluators: ["exact@1"] }),
    other: () => ({ evaluators: ["reference@1"] }),
    identity: "id",
  },
  "POST /v1/evals/import": {
    path: fixed("/v1/evals/import"),
    body: () => runFile("0"),
    other: () => runFile("1"),
    identity: "run_id",
  },
  "POST /v1/files": {
    path: fixed("/v1/files"),
    body: () => fileForm("one"),
    other: () => fileForm("two"),
    identity: "id",
  },
  "POST /v1/batches": {
    path: async () => {
      inputFile = (await json(await stack.call("POST", "/v1/files", { body: fileForm("batch") }))).id;
      return "/v1/batches";
    },
    body: () => ({ input_file_id: inputFile, endpoint: "/v1/chat/completions", completion_window: "24h" }),
    other: () => ({ input_file_id: inputFile, endpoint: "/v1/embeddings", completion_window: "24h" }),
    identity: "id",
  },
  "POST /v1/feedback": {
    path: fixed("/v1/feedback"),
    body: () => ({ request_id: "req_1", rating: "up" }),
    other: () => ({ request_id: "req_1", rating: "down" }),
    identity: "id",
  },
  "POST /v1/samples/:id/labels": {
    path: async () => `/v1/samples/${await newResultId()}/labels`,
    body: () => ({ metric: "correctness", value: 1 }),
    other: () => ({ metric: "correctness", value: 0 }),
    identity: "id",
  },
};

const json = async (response: Response) => JSON.parse(await response.text());

test("these tests cover every route that accepts an Idempotency-Key", () => {
  expect(creating.sort()).toEqual(Object.keys(CREATIONS).sort());
});

describe.each(Object.entries(CREATIONS))("%s", (route, { path: pathOf, body: bodyOf, other, identity }) => {
  test("J9: fifty parallel requests create one object, and the others get it, or a 409 while it is being created", async () => {
    const path = await pathOf();
    const headers = { "idempotency-key": `${route} fifty`.replaceAll(" ", "-") };
    const body = bodyOf("fifty");
    const answers = await Promise.all(Array.from({ length: 50 }, () => stack.call("POST", path, { body, headers })));
    expect(new Set(answers.map(({ status }) => status)).difference(new Set([200, 201, 202, 409]))).toEqual(new Set());
    const made = await Promise.all(answers.filter(({ ok }) => ok).map(json));
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map((each) => at(each, identity))).size).toBe(1);
    expect(answers.filter(({ ok, headers: sent }) => ok && !sent.has("idempotent-replayed"))).toHaveLength(1);

    const again = await stack.call("POST", path, { body, headers });
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(at(await json(again), identity)).toBe(at(made[0], identity));
  });

  test("the same key with a different body gets 422 and creates nothing", async () => {
    const path = await pathOf();
    const headers = { "idempotency-key": `"${route} other"`.replaceAll(" ", "-") };
    const body = bodyOf("one");
    expect((await stack.call("POST", path, { body, headers })).ok).toBe(true);
    const refused = await stack.call("POST", path, { body: other("one"), headers });
    expect([refused.status, (await json(refused)).error.code]).toEqual([422, "idempotency_mismatch"]);
  });
});

test("a failed request creates nothing, and its key can be sent again", async () => {
  const headers = { "idempotency-key": "after-a-failure" };
  const wrong = { name: "reference", criteria: [criterion], judge };
  expect((await stack.call("POST", "/v1/evaluators", { body: wrong, headers })).status).toBe(400);
  const right = { name: "second", criteria: [criterion], judge };
  expect((await stack.call("POST", "/v1/evaluators", { body: right, headers })).status).toBe(201);
});

test("equal keys of two callers, or on two routes, are independent", async () => {
  const headers = { "idempotency-key": "shared" };
  const editor = await stack.keyOf("admin");
  const body = { name: "the same", role: "member" };
  const first = await json(await stack.call("POST", "/v1/keys", { body, headers }));
  const second = await json(await stack.call("POST", "/v1/keys", { body, headers, key: editor }));
  const third = await stack.call("POST", "/v1/conversations", { body: {}, headers });
  expect([first.id === second.id, third.status]).toEqual([false, 201]);
});

test.each(["", "with space", "x".repeat(256), "ü"])("an invalid key is rejected: %j", async (value) => {
  const response = await fetch(`${stack.url}/v1/conversations`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${stack.adminKey}`,
      "content-type": "application/json",
      "idempotency-key": value,
    },
    body: "{}",
  });
  expect([response.status, (await json(response)).error.param]).toEqual([400, "idempotency-key"]);
});

test("a differently formatted authorization header identifies the same caller", async () => {
  const send = (authorization: string) =>
    stack.call("POST", "/v1/conversations", {
      key: null,
      body: {},
      headers: { "idempotency-key": "spelled", authorization },
    });
  const first = await json(await send(`Bearer ${stack.adminKey}`));
  const again = await send(`bearer   ${stack.adminKey} `);
  expect([again.status, (await json(again)).id]).toEqual([201, first.id]);
});

test("K1: a stored answer exposes no secret, neither in the database nor in its log", async () => {
  const headers = { "idempotency-key": "a-secret-that-is-kept" };
  const made = await json(await stack.call("POST", "/v1/keys", { body: { name: "kept", role: "member" }, headers }));
  const again = await json(await stack.call("POST", "/v1/keys", { body: { name: "kept", role: "member" }, headers }));
  expect(again.key).toBe(made.key);
  const entries = await readdir(stack.dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name, parentPath }) => join(parentPath, name));
  expect(files).toContain(join(stack.dataDir, "groundwire.db-wal"));
  for (const file of files) {
    const bytes = Buffer.from(await Bun.file(file).arrayBuffer());
    expect([file, bytes.includes(made.key), bytes.includes("a-secret-that-is-kept")]).toEqual([file, false, false]);
  }
});
