import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { LoggedRequest } from "../../gateway/requests/contract";
import type { NodeReadiness } from "../../gpu-node/protocol";
import { until } from "../until";
import { createSides, type Side, shows } from "./rag-sides";
import { type Stack, startStack } from "./stack";

/** Answers of `stack` have 8 tokens; those of `slow` have 400 and would take 20 s. */
let stack: Stack;
let slow: Stack;
let own: Side;
let other: Side;
let slowSide: Side;
let key: string;

beforeAll(async () => {
  stack = await startStack({ tokens: 8, tokenMs: 1 });
  slow = await startStack({ tokens: 400, tokenMs: 50 });
  for (const one of [stack, slow]) {
    await until("the gateway knows its node", async () => (await one.call("GET", "/readyz")).status === 200);
  }
  [own, other] = await createSides(stack);
  [slowSide] = await createSides(slow);
  key = await stack.keyOf("member");
}, 60_000);
afterAll(() => Promise.all([stack.close(), slow.close()]), 30_000);

type Mode = NonNullable<ClientOptions["versionNegotiation"]>["mode"];
const REVISIONS: [revision: string, mode: Mode][] = [
  ["2026-07-28", { pin: "2026-07-28" }],
  ["2025-11-25", "legacy"],
];

const connect = async (mode: Mode, apiKey = key, url = stack.url): Promise<Client> => {
  const client = new Client({ name: "a test", version: "1" }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${apiKey}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }));
  return client;
};

// biome-ignore lint/suspicious/noExplicitAny: a result as a client sees it
type Json = any;

/** What a tool returns. Its text is the same JSON as its structured content. */
const useTool = async (client: Client, name: string, input: object = {}): Promise<Json> => {
  const { isError, content, structuredContent } = await client.callTool({ name, arguments: { ...input } });
  expect([isError ?? false, content]).toEqual([false, expect.any(Array)]);
  expect(content).toEqual([{ type: "text", text: JSON.stringify(structuredContent) }]);
  return structuredContent;
};

/** The text and code of a tool's error. */
const errorOf = async (client: Client, name: string, input: object = {}): Promise<[text: string, code: string]> => {
  const result = (await client.callTool({ name, arguments: { ...input } })) as Json;
  expect(result.isError).toBe(true);
  return [result.content[0].text, result._meta["groundwire/error"].code];
};

/** The number of answers that a stack's node is generating. */
const runningOn = async ({ node }: Stack): Promise<number> => {
  const { slots } = (await (await fetch(`${node.url}/readyz`)).json()) as NodeReadiness;
  return slots.running;
};

const QUESTION = "What is the code of the ferry?";

describe.each(REVISIONS)("a client of revision %s", (revision, mode) => {
  let client: Client;
  beforeAll(async () => {
    client = await connect(mode);
  });
  afterAll(() => client.close());

  test("learns the server's name, version and instructions", () => {
    expect(client.getNegotiatedProtocolVersion()).toBe(revision);
    expect(client.getServerVersion()).toMatchObject({ name: "groundwire", version: expect.any(String) });
    expect(client.getInstructions()).toContain("list_indexes");
    expect(client.getServerCapabilities()).toEqual({ tools: {} });
  });

  test("gets three tools that change nothing, with plain JSON schemas", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint])).toEqual([
      ["list_indexes", true],
      ["search_index", true],
      ["ask_index", true],
    ]);
    const [, search] = tools;
    expect(search?.inputSchema).toMatchObject({
      type: "object",
      required: ["index", "question"],
      additionalProperties: false,
    });
    expect(search?.inputSchema.properties?.top_k).toMatchObject({ type: "integer", minimum: 1, maximum: 100 });
    expect(JSON.stringify(tools)).not.toMatch(/"(neutral|strict|unsupported)":/);
  });

  test("lists the indexes page by page", async () => {
    const first = await useTool(client, "list_indexes", { limit: 1 });
    expect([first.has_more, first.data.length]).toEqual([true, 1]);
    const second = await useTool(client, "list_indexes", { limit: 1, after: first.next_cursor });
    const listed = [...first.data, ...second.data];
    expect(listed.map(({ id }) => id).sort()).toEqual([own.index, other.index].sort());
    expect(listed[0]).toMatchObject({ documents: 10, status: "ready" });
  });

  test("searches an index and gets the passages that the REST API finds", async () => {
    const found = await useTool(client, "search_index", { index: own.name, question: QUESTION, top_k: 2 });
    const { chunks } = await own.client.query({
      index: own.index,
      question: QUESTION,
      retrieval: { top_k: 2 },
      generate: false,
    });
    expect(found.passages.map(({ id, text, score }: Json) => [id, text, score])).toEqual(
      chunks.map(({ id, text, scores }: Json) => [id, text, scores.final]),
    );
    expect(found.passages[0]).toMatchObject({ source: "ferry.md", metadata: { topic: "ferry", colour: own.colour } });
    const filter = { topic: { in: ["museum"] } };
    const filtered = await useTool(client, "search_index", { index: own.index, question: QUESTION, filter });
    expect(new Set(filtered.passages.map(({ source }: Json) => source))).toEqual(new Set(["museum.md"]));
  });

  test("asks an index and gets the answer of the REST API, with citations", async () => {
    const question = `${QUESTION} ${revision}`;
    const answer = await useTool(client, "ask_index", { index: own.index, question, max_tokens: 8 });
    expect(answer).toMatchObject({ status: "answered", index: { id: own.index, name: own.name } });
    // A member's key has a cache of its own.
    const rest = await stack.call("POST", "/v1/rag/query", {
      ...{ key, body: { index: own.index, question, max_tokens: 8 } },
    });
    const whole = (await rest.json()) as Json;
    expect([whole.answer, whole.cache.status]).toEqual([answer.answer, "hit"]);
    expect(answer.citations.map(({ quote }: Json) => quote)).toEqual(whole.citations.map(({ quote }: Json) => quote));
  });

  test("gets progress while an answer is written, if it asks for it", async () => {
    const reports: { progress: number; message?: string }[] = [];
    const input = { index: own.index, question: `${QUESTION} progress ${revision}` };
    await client.callTool({ name: "ask_index", arguments: input }, { onprogress: (report) => reports.push(report) });
    expect(reports.map(({ progress, message }) => [progress, message])).toEqual([
      [1, "Found 5 passages"],
      [2, "Writing the answer"],
    ]);
  });

  test("gets a tool's errors as results that say what to do", async () => {
    expect(await errorOf(client, "ask_index", { index: "none", question: QUESTION })).toEqual([
      expect.stringMatching(/^Index "none" .*Call list_indexes to see the indexes that you can use\.$/),
      "not_found",
    ]);
    expect(await errorOf(client, "search_index", { index: own.index, query: QUESTION })).toEqual([
      expect.stringContaining("`query` is not a field of this request. Fields: index, question, top_k, filter."),
      "invalid_request",
    ]);
    expect(await errorOf(client, "search_index", { index: own.index, question: QUESTION, top_k: 0 })).toEqual([
      "top_k must be 1 or more, not 0.",
      "invalid_request",
    ]);
    expect(await errorOf(client, "list_indexes", { after: "x" })).toEqual([
      expect.stringContaining("`after` must be a `next_cursor`"),
      "invalid_request",
    ]);
  });

  test("gets a protocol error for a tool or method that doesn't exist", async () => {
    await expect(client.callTool({ name: "delete_index", arguments: {} })).rejects.toThrow(
      'Unknown tool "delete_index". Available tools: list_indexes, search_index, ask_index.',
    );
    const unknown = client.request({ method: "resources/read", params: { uri: "file:///etc/passwd" } });
    await expect(unknown).rejects.toThrow("Method not found");
  });

  test("R1: with a key for one index, sees and reaches only that index", async () => {
    const { key: limited } = (await (
      await stack.call("POST", "/v1/keys", { body: { name: "one", role: "member", allowed_indexes: [own.index] } })
    ).json()) as { key: string };
    const restricted = await connect(mode, limited);
    const { data } = await useTool(restricted, "list_indexes");
    expect(data.map(({ id }: Json) => id)).toEqual([own.index]);
    for (const name of ["search_index", "ask_index"]) {
      const [missing] = await errorOf(restricted, name, { index: "idx_missing", question: QUESTION });
      for (const index of [other.index, other.name]) {
        const [hidden] = await errorOf(restricted, name, { index, question: QUESTION });
        expect(hidden.replace(index, "INDEX")).toBe(missing.replace("idx_missing", "INDEX"));
      }
      const found = await useTool(restricted, name, { index: own.index, question: `${QUESTION} ${other.colour}` });
      expect(shows(found, other)).toBe(false);
    }
    await restricted.close();
  });

  test("stops the answer when it disconnects or cancels", async () => {
    const leaving = await connect(mode, slow.adminKey, slow.url);
    const cancel = new AbortController();
    const input = { index: slowSide.index, question: `cancelled ${revision}`, max_tokens: 400 };
    const call = leaving.callTool({ name: "ask_index", arguments: input }, { signal: cancel.signal });
    const outcome = call.then(
      () => "answered",
      () => "left",
    );
    const { activeRequests } = slow.gateway.services;
    await until("a slot is taken", async () => (await runningOn(slow)) === 1);
    // A client of 2025-11-25 that cancels a call keeps its connection open, so it has to disconnect.
    if (mode === "legacy") await leaving.close();
    else cancel.abort();
    expect(await outcome).toBe("left");
    await until("the slot is free", async () => (await runningOn(slow)) === 0, 1000);
    await until("no request is active", () => activeRequests.size === 0, 1000);
    await leaving.close();
  });
});

/** Sends a message as it is, without the SDK. */
const send = (message: unknown, options: { key?: string | null; headers?: Record<string, string>; on?: Stack } = {}) =>
  (options.on ?? stack).call("POST", "/mcp", {
    ...{ key, ...options, body: message },
    headers: { accept: "application/json, text/event-stream", ...options.headers },
  });
const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const toolCall = (name: string, input: object) => ({
  ...{ jsonrpc: "2.0", id: 7, method: "tools/call" },
  params: { name, arguments: input },
});
const resultOf = async (response: Response): Promise<Json> => {
  const text = await response.text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
};

describe("a request that the gateway's own checks reject gets a JSON-RPC error with the gateway's fields", () => {
  test.each([
    ["without a key", null, LIST, 401, -32000, "missing_api_key"],
    ["with a batch", undefined, [LIST, LIST], 400, -32600, "invalid_request"],
    [
      "with a response instead of a request",
      undefined,
      { jsonrpc: "2.0", id: 1, result: {} },
      400,
      -32600,
      "invalid_request",
    ],
    ["in JSON-RPC 1.0", undefined, { id: 1, method: "tools/list" }, 400, -32600, "invalid_request"],
    ["with invalid JSON", undefined, "{", 400, -32600, "invalid_request"],
    ["with an empty body", undefined, "", 400, -32600, "invalid_request"],
    [
      "with a body over the limit",
      undefined,
      { ...LIST, params: { x: "x".repeat(5_000_000) } },
      413,
      -32000,
      "payload_too_large",
    ],
  ])("%s", async (_, caller, message, status, code, kind) => {
    const response = await send(message, caller === null ? { key: null } : {});
    const { jsonrpc, id, error } = (await response.json()) as Json;
    expect([response.status, jsonrpc, id, error.code, error.data.code]).toEqual([status, "2.0", null, code, kind]);
    expect(error.message).toBe(error.data.message);
    expect(response.headers.get("x-request-id")).toBe(error.data.request_id);
  });

  test("with a viewer's key", async () => {
    const response = await send(LIST, { key: await stack.keyOf("viewer") });
    const { error } = (await response.json()) as Json;
    expect([response.status, error.data.code]).toEqual([403, "insufficient_role"]);
    expect(error.message).toContain("requires the member role");
  });

  test("over the key's requests per minute, with the time to retry", async () => {
    const limited = await stack.keyOf("member", { requests_per_minute: 1 });
    expect((await send(LIST, { key: limited })).status).toBe(200);
    const refused = await send(LIST, { key: limited });
    const { error } = (await refused.json()) as Json;
    expect([refused.status, error.data.code]).toEqual([429, "rate_limited"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

test("a tool call over the key's tokens per minute returns an error that says when to try again", async () => {
  const poor = await stack.keyOf("member", { tokens_per_minute: 400 });
  const ask = async (question: string) =>
    resultOf(await send(toolCall("ask_index", { index: own.index, question, max_tokens: 30 }), { key: poor }));
  await ask("Is the ferry open?");
  const { result } = await ask("Is the museum open?");
  expect(result.isError).toBe(true);
  expect(result.content[0].text).toMatch(/^[^.]*tokens per minute.* Try again in \d+ s\.$/);
  expect(result.content[0].text.match(/try again/gi)).toHaveLength(1);
  expect(result._meta["groundwire/error"]).toMatchObject({ code: "rate_limited", retryable: true });
});

test("neutral values and NUL are removed from arguments, as on the REST API", async () => {
  const input = { index: own.index, question: `${QUESTION}\0`, top_k: null, filter: null };
  const { result } = await resultOf(await send(toolCall("search_index", input)));
  expect([result.isError ?? false, result.structuredContent?.passages.length]).toEqual([false, 5]);
});

test("a client that accepts anything gets an answer, and one that accepts only HTML a 406", async () => {
  expect((await resultOf(await send(LIST, { headers: { accept: "*/*" } }))).result.tools).toHaveLength(3);
  const refused = await send(LIST, { headers: { accept: "text/html" } });
  expect([refused.status, ((await refused.json()) as Json).jsonrpc]).toEqual([406, "2.0"]);
});

test("a notification is accepted without a response", async () => {
  const response = await send({ jsonrpc: "2.0", method: "notifications/initialized" });
  expect([response.status, await response.text()]).toEqual([202, ""]);
});

test.each(["GET", "DELETE"])("%s is not allowed, because there are no sessions", async (method) => {
  const response = await stack.call(method, "/mcp", { key });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "OPTIONS, POST"]);
});

test("the error for an unknown revision lists the known ones", async () => {
  const response = await send(LIST, { headers: { "mcp-protocol-version": "1999-01-01" } });
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("2025-11-25")]);
});

describe("the origin of a web page", () => {
  let listing: Stack;
  beforeAll(async () => {
    listing = await startStack(
      {},
      { gateway: { corsOrigins: ["https://app.example.com"], publicUrl: "https://gw.example.com" }, hasWorker: false },
    );
  });
  afterAll(() => listing.close());

  test.each([
    ["https://app.example.com", 200],
    ["https://gw.example.com", 200],
    ["https://evil.example", 403],
    ["http://localhost", 403],
    ["null", 403],
  ])("%s gets %i", async (origin, status) => {
    const response = await send(LIST, { on: listing, key: listing.adminKey, headers: { origin } });
    expect(response.status).toBe(status);
    if (status === 403) expect(((await response.json()) as Json).error.message).toContain("GROUNDWIRE_CORS_ORIGINS");
  });

  test("whose name DNS points at this server is rejected", async () => {
    const headers = { origin: "http://evil.example:8080", host: "evil.example:8080" };
    expect((await send(LIST, { headers })).status).toBe(403);
    expect((await send(LIST, { headers: { origin: stack.url } })).status).toBe(200);
  });
});

test("K4: a key that is revoked during a tool call ends it with an error", async () => {
  const { id, key: leaving } = (await (
    await slow.call("POST", "/v1/keys", { body: { name: "leaving", role: "member" } })
  ).json()) as { id: string; key: string };
  const message = toolCall("ask_index", { index: slowSide.index, question: "revoked", max_tokens: 400 });
  const responding = send(message, { on: slow, key: leaving });
  await until("a slot is taken", async () => (await runningOn(slow)) === 1);
  await slow.call("DELETE", `/v1/keys/${id}`);
  const revokedAt = performance.now();
  const { result } = await resultOf(await responding);
  expect(performance.now() - revokedAt).toBeLessThan(2000);
  expect([result.isError, result._meta["groundwire/error"].code]).toEqual([true, "invalid_api_key"]);
  await until("the slot is free", async () => (await runningOn(slow)) === 0, 1000);
});

test("the request log has a tool call with its tokens, and a failed one with its error code", async () => {
  const asked = await send(toolCall("ask_index", { index: own.index, question: `${QUESTION} log`, max_tokens: 8 }));
  const failed = await send(toolCall("ask_index", { index: "none", question: QUESTION }));
  await Promise.all([asked.text(), failed.text()]);
  const entryOf = async (response: Response): Promise<LoggedRequest | undefined> => {
    const found = await stack.call("GET", `/v1/requests/${response.headers.get("x-request-id")}`);
    return found.status === 200 ? ((await found.json()) as LoggedRequest) : undefined;
  };
  await until(
    "both are logged",
    async () => (await entryOf(asked)) !== undefined && (await entryOf(failed)) !== undefined,
  );
  expect(await entryOf(asked)).toMatchObject({ route: "/mcp", status: 200, error: null });
  expect((await entryOf(asked))?.usage.completion_tokens).toBe(8);
  expect(await entryOf(failed)).toMatchObject({ route: "/mcp", status: 200, error: { code: "not_found" } });
});

test("logged bodies are stored without the stream's frames", async () => {
  const logging = await stack.keyOf("member", { log_bodies: true });
  const message = toolCall("list_indexes", { limit: 1 });
  const response = await send(message, { key: logging });
  await response.text();
  let bodies: Json;
  await until("the request is logged", async () => {
    const found = await stack.call("GET", `/v1/requests/${response.headers.get("x-request-id")}`);
    bodies = ((await found.json()) as Json).bodies;
    return found.status === 200;
  });
  expect(JSON.parse(bodies.prompt)).toEqual(message);
  expect(JSON.parse(bodies.answer)).toMatchObject({ id: 7, result: { structuredContent: { has_more: true } } });
});
