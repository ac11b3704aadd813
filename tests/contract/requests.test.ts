import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Key } from "../../gateway/keys/contract";
import type { LoggedRequest, LoggedRequestPage, LoggedRequestWithBodies } from "../../gateway/requests/contract";
import type { ErrorEnvelope } from "../../lib/errors";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/** In prompts. It must never be in the log of a key that doesn't log bodies. */
const CANARY = "canary-4c1f";

let stack: Stack;
let member: string;
let memberId: string;

beforeAll(async () => {
  stack = await startStack({ tokens: 8 });
  member = await stack.keyOf("member", { name: "search service" });
  memberId = (await me(member)).key_id;
});
afterAll(() => stack.close());

const me = async (key: string): Promise<{ key_id: string }> =>
  JSON.parse(await (await stack.call("GET", "/v1/auth/me", { key })).text());

const list = async (query = "", key?: string): Promise<LoggedRequest[]> => {
  const response = await stack.call("GET", `/v1/requests${query}`, { key });
  expect(response.status).toBe(200);
  return ((await response.json()) as LoggedRequestPage).data;
};

const read = async (id: string, key?: string): Promise<LoggedRequestWithBodies> => {
  const response = await stack.call("GET", `/v1/requests/${id}`, { key });
  expect(response.status).toBe(200);
  return (await response.json()) as LoggedRequestWithBodies;
};

const question = (text: string, more: object = {}) => ({
  messages: [{ role: "user", content: `${text} ${CANARY}` }],
  max_tokens: 8,
  ...more,
});

interface Sent {
  id: string;
  status: number;
}

const send = async (
  method: string,
  path: string,
  { key = member as string | null, body, headers }: { key?: string | null; body?: unknown; headers?: object } = {},
): Promise<Sent> => {
  const response = await stack.call(method, path, { key, body, headers: headers as Record<string, string> });
  await response.text();
  return { id: response.headers.get("x-request-id") ?? "", status: response.status };
};

describe("each API call has one line in the request log", () => {
  test("with its caller, model, node, tokens, cache and stages", async () => {
    const body = question("Name three colours.", { temperature: 0 });
    const first = await send("POST", "/v1/chat", { body });
    const second = await send("POST", "/v1/chat/completions", { body });
    const [miss, hit] = [await read(first.id), await read(second.id)];
    expect(miss).toMatchObject({
      id: first.id,
      method: "POST",
      route: "/v1/chat",
      object: null,
      status: 200,
      error: null,
      key: { id: memberId, name: "search service", via: "key" },
      model: "smollm2-135m-instruct",
      stream: false,
      cache: "miss",
      calls: 1,
      attempts: 1,
      usage: { completion_tokens: 8 },
      has_bodies: false,
      bodies: null,
    });
    expect(miss.node).not.toBeNull();
    expect(miss.usage.prompt_tokens).toBeGreaterThan(0);
    const { gateway_ms, queue_ms, ttft_ms, total_ms } = miss.timing;
    const stages = [gateway_ms, queue_ms, ttft_ms].map((stage) => stage ?? -1);
    expect(stages.every((stage) => stage >= 0 && stage <= total_ms)).toBe(true);
    // A chat in OpenAI's format and one in ours share the cache.
    expect(hit).toMatchObject({ route: "/v1/chat/completions", cache: "hit", node: null, attempts: null });
    expect(Date.parse(hit.received_at)).toBeGreaterThanOrEqual(Date.parse(miss.received_at));
  });

  test("once the whole stream was sent, or the client left", async () => {
    const whole = await send("POST", "/v1/chat/completions", { body: question("Count.", { stream: true }) });
    expect(await read(whole.id)).toMatchObject({ status: 200, stream: true, usage: { completion_tokens: 8 } });
    const slow = await startStack({ tokens: 500, tokenMs: 10 });
    try {
      const leaving = new AbortController();
      const response = await fetch(`${slow.url}/v1/chat`, {
        method: "POST",
        headers: { authorization: `Bearer ${slow.adminKey}`, "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: "Count." }], stream: true }),
        signal: leaving.signal,
      });
      const id = response.headers.get("x-request-id");
      await response.body?.getReader().read();
      leaving.abort();
      await until("the cancelled request is logged", async () => {
        const found = await slow.call("GET", `/v1/requests/${id}`);
        if (found.status === 404) return false;
        expect(await found.json()).toMatchObject({
          status: 499,
          error: { code: "client_closed", fault_domain: "caller" },
          model: "smollm2-135m-instruct",
        });
        return true;
      });
    } finally {
      await slow.close();
    }
  });

  test("if it was refused: with its code and fault domain, at every stage", async () => {
    const limited = await stack.keyOf("member", { requests_per_minute: 1 });
    await send("GET", "/v1/models", { key: limited });
    const refused: [Sent, Partial<LoggedRequest>][] = [
      [
        await send("GET", "/v1/models", { key: limited }),
        { status: 429, error: { code: "rate_limited", fault_domain: "policy" } },
      ],
      [
        await send("GET", "/v1/keys/key_1", { key: null }),
        { status: 401, key: null, route: "/v1/keys/:id", error: { code: "missing_api_key", fault_domain: "caller" } },
      ],
      [await send("GET", "/v1/keys"), { status: 403, error: { code: "insufficient_role", fault_domain: "policy" } }],
      [
        await send("GET", `/v1/nothing-${CANARY}`),
        { status: 404, route: "unmatched", object: null, error: { code: "not_found", fault_domain: "caller" } },
      ],
      [
        await send("POST", "/v1/chat", { body: question("Hello.", { model: "no-such-model" }) }),
        { status: 404, error: { code: "model_not_found", fault_domain: "caller" } },
      ],
      [
        await send("POST", "/v1/chat", { body: question("Hello.", { top_p: 2 }) }),
        { status: 400, model: null, error: { code: "invalid_request", fault_domain: "caller" } },
      ],
    ];
    for (const [{ id, status }, expected] of refused) {
      expect(status).toBe(expected.status ?? 0);
      expect(await read(id)).toMatchObject(expected);
    }
  });

  test("with the id in its path, and everything that its model calls did together", async () => {
    const { id } = JSON.parse(await (await stack.call("POST", "/v1/conversations", { body: {} })).text());
    const opened = await send("GET", `/v1/conversations/${id}`, { key: stack.adminKey });
    expect(await read(opened.id)).toMatchObject({ route: "/v1/conversations/:id", object: id });
    const both = await send("POST", "/v1/completions", { body: { prompt: ["One", "Two"], max_tokens: 8 } });
    expect(await read(both.id)).toMatchObject({ calls: 2, usage: { completion_tokens: 16 } });
    const embedded = await send("POST", "/v1/embeddings", { body: { input: `a text ${CANARY}` } });
    expect(await read(embedded.id)).toMatchObject({ model: "all-minilm-l6-v2", calls: 1, cache: "miss" });
  });

  test("with the work of an answer that outlives its request, still as one line", async () => {
    const slow = await startStack({ tokens: 40, tokenMs: 50 });
    try {
      const call = async (method: string, path: string, body?: unknown) =>
        JSON.parse(await (await slow.call(method, path, { body })).text());
      const { id } = await call("POST", "/v1/conversations", {});
      const path = `/v1/conversations/${id}/messages`;
      const asked = await slow.call("POST", path, { body: { content: "Count." } });
      const requestId = asked.headers.get("x-request-id");
      const lines = async (): Promise<LoggedRequest[]> => (await call("GET", `/v1/requests?id=${requestId}`)).data;
      expect(await lines()).toMatchObject([{ status: 201, object: id, calls: 0 }]);
      await until("the answer is complete", async () => (await lines())[0]?.calls === 1);
      const all = await lines();
      expect(all).toMatchObject([{ status: 201, error: null, cache: "bypass", usage: { completion_tokens: 40 } }]);
      expect(all).toHaveLength(1);
      expect(all[0]?.timing.total_ms).toBeGreaterThan(all[0]?.timing.ttft_ms ?? 0);
    } finally {
      await slow.close();
    }
  });

  test("a page's failed request is found by the id on its error page; a page that was only opened is not logged", async () => {
    const headers = { accept: "text/html" };
    const missing = await fetch(`${stack.url}/nothing`, { headers });
    expect(await read(missing.headers.get("x-request-id") ?? "")).toMatchObject({ status: 404, route: "unmatched" });
    const opened = await fetch(`${stack.url}/sign-in`, { headers });
    expect(opened.status).toBe(200);
    expect(await list(`?id=${opened.headers.get("x-request-id")}`)).toEqual([]);
  });
});

describe("the list", () => {
  test("has every request on exactly one page, newest first, also if several came in the same millisecond", async () => {
    const { key, id } = JSON.parse(
      await (await stack.call("POST", "/v1/keys", { body: { name: "paged", role: "viewer" } })).text(),
    );
    const sent = await Promise.all(Array.from({ length: 25 }, () => send("GET", "/v1/models", { key })));
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const query: string = `?key=${id}&route=/v1/models&limit=4${after === null ? "" : `&after=${after}`}`;
      const page = (await (await stack.call("GET", `/v1/requests${query}`)).json()) as LoggedRequestPage;
      expect(page.has_more).toBe(page.next_cursor !== null);
      ids.push(...page.data.map((request) => request.id));
      after = page.next_cursor;
    } while (after !== null);
    expect(ids.toSorted()).toEqual(sent.map((each) => each.id).toSorted());
    const times = (await list(`?key=${id}&limit=100`)).map(({ received_at }) => received_at);
    expect(times).toEqual(times.toSorted().reverse());
  });

  test("is filtered by every field, alone and together", async () => {
    const marked = `caller-${crypto.randomUUID()}`;
    const headers = { "x-request-id": marked };
    await send("POST", "/v1/chat", { body: question("One."), headers });
    await send("GET", "/v1/keys", { headers });
    const [last, first] = await list(`?id=${marked}`);
    expect([last?.route, first?.route]).toEqual(["/v1/keys", "/v1/chat"]);
    expect((await read(marked)).route).toBe("/v1/keys");
    const counts: [query: string, found: number][] = [
      ["key=key_none", 0],
      [`key=${memberId}`, 2],
      ["route=/v1/chat", 1],
      ["model=smollm2-135m-instruct", 1],
      ["status=403", 1],
      ["status=4xx", 1],
      ["status=2xx", 1],
      ["status=5xx", 0],
      ["outcome=failed", 1],
      ["outcome=succeeded", 1],
      ["fault_domain=policy", 1],
      ["fault_domain=node", 0],
      ["code=insufficient_role", 1],
      ["min_total_ms=3600000", 0],
      ["min_total_ms=0", 2],
      [`since=${last?.received_at}`, 1],
      [`until=${first?.received_at}`, 1],
      [`status=403&fault_domain=policy&since=${last?.received_at}&route=/v1/keys`, 1],
    ];
    for (const [query, found] of counts) {
      expect([query, (await list(`?id=${marked}&${query}`)).length]).toEqual([query, found]);
    }
  });

  test("shows a key that is limited to some models or indexes only its own requests", async () => {
    const foreign = await send("GET", "/v1/models");
    for (const settings of [{ allowed_models: ["a-model"] }, { allowed_indexes: ["an-index"] }]) {
      const limited = await stack.keyOf("viewer", settings);
      const { key_id: id } = await me(limited);
      const own = await send("GET", "/v1/nodes", { key: limited });
      const seen = await list("?limit=100", limited);
      expect(new Set(seen.map(({ key }) => key?.id))).toEqual(new Set([id]));
      expect(seen.some((request) => request.id === own.id)).toBe(true);
      expect(await list(`?key=${memberId}`, limited)).toEqual([]);
      expect((await stack.call("GET", `/v1/requests/${foreign.id}`, { key: limited })).status).toBe(404);
      expect((await read(own.id, limited)).status).toBe(200);
    }
    expect((await list("", await stack.keyOf("viewer"))).length).toBeGreaterThan(1);
  });

  test("refuses a filter that can't match, and a cursor of another list", async () => {
    for (const [query, param] of [
      ["status=banana", "status"],
      ["status=600", "status"],
      ["fault_domain=nobody", "fault_domain"],
      ["since=yesterday", "since"],
      ["after=1.x", "after"],
    ]) {
      const response = await stack.call("GET", `/v1/requests?${query}`);
      expect([query, response.status, ((await response.json()) as ErrorEnvelope).error.param]).toEqual([
        query,
        400,
        param,
      ]);
    }
  });

  test("an unknown id is 404, with what the log keeps", async () => {
    const response = await stack.call("GET", "/v1/requests/req_none");
    const { error } = (await response.json()) as ErrorEnvelope;
    expect([response.status, error.code, error.param]).toEqual([404, "not_found", "id"]);
    expect(error.message).toContain("keeps 30 days and the newest 500,000 requests");
  });
});

describe("K5: bodies", () => {
  const makeKey = async (settings: object): Promise<Key & { key: string }> =>
    JSON.parse(
      await (await stack.call("POST", "/v1/keys", { body: { name: "a key", role: "member", ...settings } })).text(),
    );

  test("are logged only for a key with log_bodies, and shown only to it and to admins", async () => {
    const logging = await makeKey({ log_bodies: true });
    expect(logging.log_bodies).toBe(true);
    const body = question("What is logged?");
    const whole = await send("POST", "/v1/chat", { key: logging.key, body });
    const entry = await read(whole.id, logging.key);
    expect(JSON.parse(entry.bodies?.prompt ?? "")).toEqual(body);
    expect(JSON.parse(entry.bodies?.answer ?? "").message.role).toBe("assistant");
    expect(entry.bodies?.cut).toBe(false);
    expect((await read(whole.id)).bodies).toEqual(entry.bodies);
    const other = await read(whole.id, member);
    expect([other.has_bodies, other.bodies]).toEqual([true, null]);
  });

  test("of a stream are its text, of embeddings the inputs, and long ones are cut", async () => {
    const { key } = await makeKey({ log_bodies: true });
    const answer = JSON.parse(
      await (await stack.call("POST", "/v1/chat", { key, body: question("Same.", { seed: 1 }) })).text(),
    );
    for (const path of ["/v1/chat", "/v1/chat/completions"]) {
      const { id } = await send("POST", path, { key, body: question("Same.", { seed: 1, stream: true }) });
      expect((await read(id)).bodies?.answer).toBe(answer.message.content);
    }
    const embedded = await send("POST", "/v1/embeddings", { key, body: { input: "a text" } });
    expect((await read(embedded.id)).bodies).toEqual({ prompt: '{"input":"a text"}', answer: "", cut: false });
    const long = await send("POST", "/v1/embeddings", { key, body: { input: Array(80).fill("word ".repeat(200)) } });
    const { bodies } = await read(long.id);
    expect([bodies?.prompt.length, bodies?.cut]).toEqual([65_536, true]);
    // A route without a model has no prompt.
    expect((await read((await send("GET", "/v1/models", { key })).id)).has_bodies).toBe(false);
  });

  test("are not logged for one request with x-log-bodies: false, and no more once the setting is off", async () => {
    const { key, id: keyId } = await makeKey({ log_bodies: true });
    const without = await send("POST", "/v1/chat", {
      key,
      body: question("Private."),
      headers: { "x-log-bodies": "false" },
    });
    expect((await read(without.id)).has_bodies).toBe(false);
    await stack.call("PATCH", `/v1/keys/${keyId}`, { body: { content_logging: false } });
    const after = await send("POST", "/v1/chat", { key, body: question("Private too.") });
    expect((await read(after.id)).has_bodies).toBe(false);
    const patched = await stack.call("PATCH", `/v1/keys/${keyId}`, { body: { log_bodies: true } });
    expect([patched.status, ((await patched.json()) as ErrorEnvelope).error.param]).toEqual([400, "log_bodies"]);
  });

  test("of other keys leave no trace: neither a prompt nor a secret is in the log", async () => {
    const others = (await list("?limit=100")).filter(({ has_bodies }) => !has_bodies);
    expect(others.length).toBeGreaterThan(20);
    const text = JSON.stringify(others);
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(member.slice(-20));
  });
});
