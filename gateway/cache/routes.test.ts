import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Stack, startStack } from "../../tests/contract/stack";
import { until } from "../../tests/until";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  // Until the node has reported its model's revision, the revision isn't part of a key.
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(() => stack.close());

const json = async (response: Response | Promise<Response>) => JSON.parse(await (await response).text());
const post = (path: string, body: unknown, key?: string) => stack.call("POST", path, { body, key });

const question = (content: string, fields: Record<string, unknown> = {}) => ({
  messages: [{ role: "user", content }],
  temperature: 0,
  ...fields,
});
const chat = async (
  content: string,
  options: { key?: string; headers?: Record<string, string>; body?: object } = {},
) => {
  const { key, headers, body = {} } = options;
  const response = await stack.call("POST", "/v1/chat/completions", {
    body: question(content, { ...body }),
    key,
    headers,
  });
  return { response, text: await response.text(), cache: response.headers.get("cache-status") ?? "" };
};
const contentOf = (text: string): string => JSON.parse(text).choices[0].message.content;
const keyIn = (cacheStatus: string): string => /key="([^"]+)"/.exec(cacheStatus)?.[1] ?? "";

describe("an answer", () => {
  test("is a miss first, then a hit with its age, streamed or not", async () => {
    const first = await chat("Name three colours.");
    expect(first.cache).toStartWith("Groundwire; fwd=miss; stored; key=");
    const second = await chat("Name three colours.");
    expect(second.cache).toMatch(/^Groundwire; hit; ttl=\d+; key="v2-[0-9a-f]{64}"; detail="exact match in memory"$/);
    expect(second.response.headers.get("age")).toBe("0");
    expect(contentOf(second.text)).toBe(contentOf(first.text));
    const streamed = await chat("Name three colours.", { body: { stream: true } });
    expect(streamed.cache).toStartWith("Groundwire; hit");
    expect(streamed.text).toEndWith("data: [DONE]\n\n");
  });

  test("with only-if-cached and no entry is a 504 that is not retryable", async () => {
    const { response, text } = await chat("Never asked.", { headers: { "cache-control": "only-if-cached" } });
    expect(response.status).toBe(504);
    expect(JSON.parse(text).error).toMatchObject({ code: "not_cached", retryable: false, source: "gateway" });
  });

  test("is not served to another key until both share a namespace", async () => {
    const [a, b] = [await stack.keyOf("member"), await stack.keyOf("member")];
    const ids = await Promise.all(
      [a, b].map(async (key) => (await json(stack.call("GET", "/v1/auth/me", { key }))).key_id),
    );
    await chat("Who shares?", { key: a });
    expect((await chat("Who shares?", { key: b })).cache).toContain("fwd=miss");
    const shared = await json(post("/v1/cache/share", { namespace: "team", keys: ids }));
    expect(shared).toEqual({ name: "team", enabled: true, keys: ids });
    await chat("Who shares?", { key: a });
    expect((await chat("Who shares?", { key: b })).cache).toContain("; hit;");
    const taken = await post("/v1/cache/share", { namespace: "other", keys: ids });
    expect([taken.status, (await json(taken)).error.param]).toEqual([409, "keys"]);
    expect((await post("/v1/cache/share", { namespace: "team", keys: [] })).status).toBe(200);
    expect((await chat("Who shares?", { key: b })).cache).toContain("; hit;");
    expect((await post("/v1/cache/share", { namespace: "x", keys: ["key_nobody"] })).status).toBe(404);
    expect((await post("/v1/cache/share", { namespace: "key_x", keys: [] })).status).toBe(400);
  });
});

describe("explain", () => {
  test("shows the key's parts and the entry, but no user text", async () => {
    const { cache } = await chat("A secret question.");
    const explained = await json(post("/v1/cache/explain", { request: question("A secret question.") }));
    expect(explained).toMatchObject({ cacheable: true, reason: null, key: keyIn(cache), comparison: null });
    expect(explained.parts).toMatchObject({ operation: "chat", temperature: 0 });
    expect(explained.parts.messages).toMatch(/^hash:/);
    expect(explained.stored).toMatchObject({ kind: "memory", age: 0 });
    expect(explained.stored.tags).toContain(`model:${explained.parts.model}`);
    expect(JSON.stringify(explained)).not.toContain("secret");
  });

  test("names the parts that differ from an earlier request", async () => {
    await chat("Compare me.", { headers: { "x-request-id": "req_earlier" }, body: { max_tokens: 5 } });
    const compare = (request: object, id = "req_earlier") =>
      json(post("/v1/cache/explain", { request, compare_with: id })).then(({ comparison }) => comparison);
    expect(await compare(question("Compare me.", { max_tokens: 5 }))).toEqual({
      request_id: "req_earlier",
      found: true,
      same_key: true,
      differences: [],
    });
    const differing = await compare(question("Compare us.", { max_tokens: 6 }));
    expect(differing.same_key).toBe(false);
    expect(differing.differences.map(({ part }: { part: string }) => part)).toEqual(["messages", "max_tokens"]);
    expect(differing.differences[1]).toEqual({ part: "max_tokens", this: 6, other: 5 });
    expect(await compare(question("x"), "req_unknown")).toMatchObject({ found: false, differences: [] });
  });

  test("says why a request bypasses the cache", async () => {
    const sampled = await json(post("/v1/cache/explain", { request: question("x", { temperature: 1 }) }));
    expect(sampled).toMatchObject({ cacheable: false, stored: null });
    expect(sampled.reason).toContain("sampled");
  });
});

describe("invalidation", () => {
  test("one call deletes all entries of a model", async () => {
    await chat("Drop one.");
    await chat("Drop two.");
    const { parts } = await json(post("/v1/cache/explain", { request: question("Drop one.") }));
    const { deleted } = await json(post("/v1/cache/invalidate", { model: parts.model }));
    expect(deleted).toBeGreaterThanOrEqual(2);
    expect((await chat("Drop one.")).cache).toContain("fwd=miss");
  });

  test("an entry is deleted by its key, and a second time is a 404", async () => {
    const key = keyIn((await chat("Drop this.")).cache);
    expect(await json(stack.call("DELETE", `/v1/cache/entries/${key}`))).toEqual({ deleted: 1 });
    expect((await stack.call("DELETE", `/v1/cache/entries/${key}`)).status).toBe(404);
    expect((await chat("Drop this.")).cache).toContain("fwd=miss");
  });

  test("a request with no field or two fields is a 400", async () => {
    expect((await post("/v1/cache/invalidate", {})).status).toBe(400);
    expect((await post("/v1/cache/invalidate", { model: "a", index: "b" })).status).toBe(400);
    expect((await post("/v1/cache/invalidate", { modle: "a" })).status).toBe(400);
  });
});

test.each(["disable", "enable", "share"])("%s accepts only a namespace that exists and isn't blank", async (change) => {
  const send = async (namespace: string) => {
    const response = await post(`/v1/cache/${change}`, { namespace, ...(change === "share" && { keys: [] }) });
    const { error } = await json(Promise.resolve(response));
    return [response.status, error?.param];
  };
  for (const namespace of ["", " ", "\t", " team", "a\nb"]) expect(await send(namespace)).toEqual([400, "namespace"]);
  // Sharing creates a namespace.
  if (change !== "share") expect(await send(`unknown to ${change}`)).toEqual([404, "namespace"]);
  expect(await send(`key_unknown_${change}`)).toEqual([change === "share" ? 400 : 404, "namespace"]);
  await post("/v1/cache/share", { namespace: "known", keys: [] });
  expect(await send("known")).toEqual([200, undefined]);
});

test("a disabled namespace is bypassed and reported; enabled again, it still has its entries", async () => {
  const key = await stack.keyOf("member");
  const { key_id: namespace } = await json(stack.call("GET", "/v1/auth/me", { key }));
  await chat("On and off.", { key });
  expect((await json(post("/v1/cache/disable", { namespace }))).enabled).toBe(false);
  expect((await chat("On and off.", { key })).cache).toBe('Groundwire; fwd=bypass; detail="the namespace is disabled"');
  expect((await json(post("/v1/cache/enable", { namespace }))).enabled).toBe(true);
  expect((await chat("On and off.", { key })).cache).toContain("; hit;");
});

test("statistics count hits, misses and stored answers", async () => {
  const before = await json(stack.call("GET", "/v1/cache"));
  await chat("Count me.");
  await chat("Count me.");
  await chat("Count me.", { body: { temperature: 1 } });
  const after = await json(stack.call("GET", "/v1/cache"));
  expect(after.misses - before.misses).toBe(1);
  expect(after.hits.memory - before.hits.memory).toBe(1);
  expect(after.writes.stored - before.writes.stored).toBe(1);
  expect(after.layers[0]).toMatchObject({ kind: "memory", status: "ok" });
  expect(after.in_flight).toBe(0);
});

test.each([
  ["GET", "/v1/cache", undefined],
  ["POST", "/v1/cache/explain", { request: question("x") }],
  ["POST", "/v1/cache/invalidate", { model: "x" }],
  ["POST", "/v1/cache/disable", { namespace: "x" }],
  ["POST", "/v1/cache/enable", { namespace: "x" }],
  ["POST", "/v1/cache/share", { namespace: "x", keys: [] }],
  ["DELETE", "/v1/cache/entries/x", undefined],
])("%s %s is for admins", async (method, path, body) => {
  const editor = await stack.keyOf("editor");
  expect((await stack.call(method, path, { key: null, body })).status).toBe(401);
  expect((await stack.call(method, path, { key: editor, body })).status).toBe(403);
});
