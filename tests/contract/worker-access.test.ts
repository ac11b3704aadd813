import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openDb } from "../../db/client";
import { deleteWorker, insertWorker } from "../../db/workers";
import { hashOf } from "../../gateway/keys/format";
import { newWorkerToken } from "../../gateway/keys/verifier";
import { silentLog } from "../../lib/log";
import { API_ROUTES } from "./api-routes";
import { errorIn } from "./error-of";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Adds a worker's row as it was `agoMs` ago, and returns its token. */
const addWorker = async (agoMs = 0): Promise<{ token: string; leave(): Promise<void> }> => {
  const db = await openDb({ url: `file:${stack.dataDir}/groundwire.db` }, silentLog());
  const token = newWorkerToken();
  const id = `worker_${crypto.randomUUID()}`;
  const at = new Date(Date.now() - agoMs);
  await db.write((tx) => insertWorker(tx, { id, host: "elsewhere", process: "1", tokenHash: hashOf(token) }, at));
  await db.close();
  return {
    token,
    async leave() {
      const again = await openDb({ url: `file:${stack.dataDir}/groundwire.db` }, silentLog());
      await again.write((tx) => deleteWorker(tx, id));
      await again.close();
    },
  };
};

const makeKey = async (settings: object = {}): Promise<{ id: string; key: string }> => {
  const body = { name: "one", role: "editor", ...settings };
  return (await (await stack.call("POST", "/v1/keys", { body })).json()) as { id: string; key: string };
};

const embed = async (token: string, keyId: string | undefined, path = "/v1/embeddings", method = "POST") => {
  // Not `stack.call`: the document does not describe what only workers can meet.
  const response = await fetch(stack.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(keyId !== undefined && { "x-groundwire-on-behalf-of": keyId }),
    },
    body: method === "GET" ? undefined : JSON.stringify({ input: "a text" }),
  });
  return { status: response.status, headers: response.headers, body: JSON.parse((await response.text()) || "{}") };
};

describe("a jobs worker", () => {
  test("embeds and counts tokens for a key, without using up its requests per minute", async () => {
    const { token } = await addWorker();
    const { id } = await makeKey({ requests_per_minute: 1 });
    const first = await embed(token, id);
    expect([first.status, first.headers.get("x-ratelimit-limit-requests")]).toEqual([200, "1"]);
    const counted = await embed(token, id, "/v1/tokenize");
    expect([counted.status, counted.body]).toEqual([200, { model: "all-minilm-l6-v2", data: [{ count: 2 }] }]);
    expect((await embed(token, id)).status).toBe(200);
  });

  test("may use only the models of the key", async () => {
    const { token } = await addWorker();
    const { id } = await makeKey({ allowed_models: ["smollm2-135m-instruct"] });
    expect((await embed(token, id)).body.error.code).toBe("model_not_found");
  });

  const OPEN_TO_WORKERS = new Set([
    ...["/v1/chat", "/v1/chat/completions", "/v1/completions", "/v1/rag/query", "/v1/embeddings", "/v1/tokenize"],
    "/v1/models",
  ]);

  test("reaches no other route", async () => {
    const { token } = await addWorker();
    const { id } = await makeKey({ role: "admin" });
    for (const { method, path, role } of API_ROUTES) {
      if (role === "open" || OPEN_TO_WORKERS.has(path)) continue;
      const { status, body } = await embed(token, id, path.replaceAll(/:\w+/g, "x"), method);
      expect([method, path, status, errorIn(body).code]).toEqual([method, path, 403, "insufficient_role"]);
    }
    expect((await embed(token, id, "/v1/no-such-route")).status).toBe(403);
  });

  test.each([
    ["without a key to work for", async () => [(await addWorker()).token, undefined]],
    ["for a key that does not exist", async () => [(await addWorker()).token, "key_none"]],
    ["that is dead", async () => [(await addWorker(61_000)).token, (await makeKey()).id]],
    ["that has no row", async () => [newWorkerToken(), (await makeKey()).id]],
    ["with an invented token", async () => ["gws_", (await makeKey()).id]],
  ] as [string, () => Promise<[string, string | undefined]>][])("%s gets a 401", async (_, prepare) => {
    const { status, body } = await embed(...(await prepare()));
    expect([status, body.error.code]).toEqual([401, "invalid_api_key"]);
  });

  test("is rejected immediately when its key is revoked, and within a second after it has left", async () => {
    const { token, leave } = await addWorker();
    const [revoked, kept] = [await makeKey(), await makeKey()];
    for (const { id } of [revoked, kept]) expect((await embed(token, id)).status).toBe(200);
    await stack.call("DELETE", `/v1/keys/${revoked.id}`);
    expect((await embed(token, revoked.id)).status).toBe(401);
    await leave();
    // A key that no answer has been kept for.
    expect((await embed(token, (await makeKey()).id)).status).toBe(401);
  });

  test("gives a key no extra access: without a worker's token, the header changes nothing", async () => {
    const { id } = await makeKey({ role: "admin" });
    const viewer = await stack.keyOf("viewer");
    const response = await stack.call("GET", "/v1/keys", { key: viewer, headers: { "x-groundwire-on-behalf-of": id } });
    expect(response.status).toBe(403);
  });
});

describe("POST /v1/tokenize", () => {
  const count = async (body: object): Promise<unknown> => (await stack.call("POST", "/v1/tokenize", { body })).json();

  test("counts each text as the model reads it, even for a chat model and beyond the context", async () => {
    expect(await count({ input: "one two" })).toEqual({ model: "all-minilm-l6-v2", data: [{ count: 2 }] });
    const long = "word ".repeat(10_000);
    expect(await count({ input: ["", "one", long] })).toMatchObject({
      data: [{ count: 0 }, { count: 1 }, { count: 10_000 }],
    });
    const chat = { model: "smollm2-135m-instruct", input: ["one two"] };
    expect(await count(chat)).toMatchObject({ model: chat.model, data: [{ count: expect.any(Number) }] });
  });

  test.each([
    [{ input: [] }, 400],
    [{ input: Array(257).fill("x") }, 400],
    [{ input: "x".repeat(65_537) }, 400],
    [{ input: "x", model: "unknown" }, 404],
  ])("refuses what is out of bounds", async (body, status) => {
    expect((await stack.call("POST", "/v1/tokenize", { body })).status).toBe(status);
  });
});
