import { afterEach, expect, test } from "bun:test";
import { problemOf } from "../tests/db/temporary";
import { createGatewayClient } from "./gateway-client";

let server: ReturnType<typeof Bun.serve> | undefined;
afterEach(async () => {
  await server?.stop(true);
});

interface Sent {
  path: string;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a body as the gateway sees it
  body: any;
}

/** A gateway that answers with these responses in turn, then with the last one. */
const gateway = (...answers: ((sent: Sent) => Response)[]) => {
  const sent: Sent[] = [];
  server = Bun.serve({
    port: 0,
    async fetch(request) {
      const one = { path: new URL(request.url).pathname, headers: request.headers, body: await request.json() };
      sent.push(one);
      const answer = answers[Math.min(sent.length, answers.length) - 1];
      return answer?.(one) ?? new Response(null, { status: 500 });
    },
  });
  const client = createGatewayClient({ url: `http://127.0.0.1:${server.port}`, token: () => "gws_token" });
  return { client, sent };
};

const caller = { keyId: "key_1", signal: new AbortController().signal };
const refusal = (code: string, status: number, retryAfterMs?: number) => () =>
  Response.json(
    { error: { message: "No.", code, source: "gateway" } },
    { status, headers: retryAfterMs === undefined ? {} : { "retry-after-ms": String(retryAfterMs) } },
  );
const counts = ({ body }: Sent) =>
  Response.json({ model: "m", data: body.input.map(({ length }: string) => ({ count: length })) });

test("a call names the worker and the key that it works for", async () => {
  const { client, sent } = gateway(counts);
  expect(await client.countTokens(caller, "m", ["a", "bb"])).toEqual([1, 2]);
  const [{ path, headers, body } = {} as Sent] = sent;
  expect([path, headers.get("authorization"), headers.get("x-groundwire-on-behalf-of")]).toEqual([
    "/v1/tokenize",
    "Bearer gws_token",
    "key_1",
  ]);
  expect(headers.get("x-groundwire-run")).toBeNull();
  await client.countTokens({ ...caller, runId: "run_1" }, "m", ["a"]);
  expect(sent[1]?.headers.get("x-groundwire-run")).toBe("run_1");
  expect(body).toEqual({ model: "m", input: ["a", "bb"], input_type: "document" });
});

test("texts are counted in requests that the gateway accepts, whatever their number and length", async () => {
  const { client, sent } = gateway(counts);
  const texts = [...Array<string>(600).fill("x"), "y".repeat(200_000), ""];
  expect(await client.countTokens(caller, "m", texts)).toEqual(texts.map(({ length }) => length));
  for (const { body } of sent) {
    expect(body.input.length).toBeLessThanOrEqual(256);
    expect(Math.max(...body.input.map(({ length }: string) => length))).toBeLessThanOrEqual(65_536);
  }
});

test("a call waits for the key's limit and for a busy node", async () => {
  const { client, sent } = gateway(refusal("rate_limited", 429, 1), refusal("overloaded", 429, 1), counts);
  expect(await client.countTokens(caller, "m", ["a"])).toEqual([1]);
  expect(sent).toHaveLength(3);
});

test("a call doesn't wait for a budget that frees in a day", async () => {
  const { client, sent } = gateway(refusal("budget_exceeded", 429, 86_400_000));
  const { kind, detail } = await problemOf(client.countTokens(caller, "m", ["a"]));
  expect([kind, detail.retryAfterMs, sent.length]).toEqual(["budget_exceeded", 86_400_000, 1]);
});

test("an error that waiting can't resolve is thrown as the gateway sent it", async () => {
  const { client, sent } = gateway(refusal("invalid_api_key", 401));
  const { kind, message } = await problemOf(client.countTokens(caller, "m", ["a"]));
  expect([kind, message, sent.length]).toEqual(["invalid_api_key", "No.", 1]);
});

test("calls to a gateway that stays unreachable fail after two minutes", async () => {
  const clock = [0, 0, 130_000];
  const monotonicMs = () => clock.shift() ?? 130_000;
  const client = createGatewayClient({ url: "http://127.0.0.1:1", token: () => "gws_token", monotonicMs });
  const { kind, message } = await problemOf(client.countTokens(caller, "m", ["a"]));
  expect([kind, message.includes("GROUNDWIRE_GATEWAY_URL")]).toEqual(["unavailable", true]);
});

test("a cancelled call ends while it waits", async () => {
  const abort = new AbortController();
  const { client } = gateway(() => {
    setTimeout(() => abort.abort("cancelled"), 1);
    return refusal("rate_limited", 429, 60_000)();
  });
  await expect(client.countTokens({ keyId: "key_1", signal: abort.signal }, "m", ["a"])).rejects.toThrow();
});

test("J7: an answer cut off because the gateway was killed counts as unavailable, so callers wait", async () => {
  const listener = Bun.listen({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: {
      data(socket) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"text":');
        socket.end();
      },
    },
  });
  const client = createGatewayClient({ url: `http://127.0.0.1:${listener.port}`, token: () => "gws_token" });
  const problem = await problemOf(client.chatOnce(caller, { messages: [] }, { usesCache: false }));
  expect(problem.kind).toBe("unavailable");
  listener.stop(true);
});

test("missing vectors are an error", async () => {
  const { client } = gateway(() => Response.json({ data: [], model_revision: "1" }));
  expect((await problemOf(client.embed(caller, "m", ["a"]))).kind).toBe("upstream_error");
});

test("a request of a batch is sent unchanged, and its answer comes with the duration of each stage", async () => {
  const answer = { choices: [] };
  const headers = { "server-timing": "queue;dur=1.5, ttft;dur=2, total;dur=40.25" };
  const { client, sent } = gateway(() => Response.json(answer, { headers }));
  const body = { messages: [] };
  const asked = client.requestOnce({ ...caller, requestId: "req_1" }, "/v1/chat/completions", body);
  expect(await asked).toEqual({ body: answer, queueMs: 1.5, totalMs: 40.25 });
  expect([sent[0]?.path, sent[0]?.headers.get("x-request-id"), sent[0]?.body]).toEqual([
    "/v1/chat/completions",
    "req_1",
    body,
  ]);
});
