import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { constants } from "node:http2";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../lib/log";
import { chatBody, TestClient, testConfig, testNode } from "../../tests/test-node";
import { startNode } from "../node";

const token = "a token that gateway and node share";
const authorization = `Bearer ${token}`;

const node = await testNode({ token });
const client = new TestClient(node.url);
afterAll(async () => {
  client[Symbol.dispose]();
  await node.close(0);
});

const failure = (text: string) => JSON.parse(text).error;

describe("every route", () => {
  test.each<[string, string, unknown]>([
    ["GET", "/healthz", undefined],
    ["GET", "/readyz", undefined],
    ["GET", "/metrics", undefined],
    ["GET", "/v1/models", undefined],
    ["GET", "/v1/models/smollm2-135m-instruct", undefined],
    ["POST", "/v1/chat/completions", chatBody("Hi")],
    ["POST", "/v1/completions", { prompt: "Hi" }],
    ["POST", "/tokenize", { prompt: "one two three" }],
    ["POST", "/tokenize", chatBody("one two three")],
    ["GET", "/v1/models/all-minilm-l6-v2", undefined],
    ["POST", "/v1/embeddings", { input: "Hi" }],
  ])("%s %s returns 200 with the caller's request id", async (method, path, body) => {
    const headers = { authorization, "x-request-id": "req_mine" };
    const reply = await client.request(path, { method, body, headers });
    expect([reply.status, reply.headers["x-request-id"], reply.code]).toEqual([200, "req_mine", 0]);
  });

  test("a request id that could break a log is replaced", async () => {
    const reply = await client.request("/healthz", { headers: { "x-request-id": "a b" } });
    expect(reply.headers["x-request-id"]).toMatch(/^req_[0-9a-f]{32}$/);
  });

  test("metrics have the names of OpenTelemetry's GenAI conventions", async () => {
    await client.chat("Hi", {}, { authorization });
    const { text } = await client.request("/metrics", { headers: { authorization } });
    const count = /gen_ai_server_time_to_first_token_seconds_count\{gen_ai_operation_name="chat",.*\} \d/;
    expect(text).toMatch(count);
    expect(text).toContain('groundwire_node_state{state="ready"} 1');
  });
});

describe("errors", () => {
  test.each([
    ["missing_api_key", undefined],
    ["invalid_api_key", "Bearer wrong"],
    ["invalid_api_key", "Basic abc"],
  ])("401 %s", async (code, given) => {
    const reply = await client.request("/v1/models", { headers: given ? { authorization: given } : {} });
    expect([reply.status, failure(reply.text).code]).toEqual([401, code]);
    expect(reply.headers["www-authenticate"]).toContain("Bearer");
  });

  test.each([
    ["GET", "/nothing", 404, "not_found"],
    ["GET", "/v1/models/unknown", 404, "model_not_found"],
    ["GET", "/v1/models/%E0%A4%A", 404, "model_not_found"],
    ["DELETE", "/v1/models", 405, "method_not_allowed"],
    ["GET", "/v1/chat/completions", 405, "method_not_allowed"],
  ])("%s %s is %i %s", async (method, path, status, code) => {
    const reply = await client.request(path, { method, headers: { authorization } });
    expect([reply.status, failure(reply.text).code]).toEqual([status, code]);
  });

  test.each<[string, string | object, number, string, string | null]>([
    ["invalid JSON", "{", 400, "invalid_request", null],
    ["a list", "[]", 400, "invalid_request", null],
    ["deeply nested JSON", "[".repeat(60_000), 400, "invalid_request", null],
    ["a wrong type", { messages: "Hi" }, 400, "invalid_request", "messages"],
    ["n over 1", chatBody("Hi", { n: 1e9 }), 400, "invalid_request", "n"],
    ["negative max_tokens", chatBody("Hi", { max_tokens: -5 }), 400, "invalid_request", "max_tokens"],
    ["half a character", chatBody("\ud800"), 400, "invalid_request", "messages.0.content"],
    ["an unknown model", chatBody("Hi", { model: "gpt-9" }), 404, "model_not_found", "model"],
    ["a long prompt", chatBody("a ".repeat(5000)), 400, "context_length_exceeded", "messages"],
    ["5 MB", chatBody("a".repeat(5_000_000)), 413, "payload_too_large", null],
  ])("%s", async (_, body, status, code, param) => {
    const reply = await client.request("/v1/chat/completions", { body, headers: { authorization } });
    const error = failure(reply.text);
    expect([reply.status, error.code, error.param, error.source]).toEqual([status, code, param, "node"]);
  });

  test.each([
    "text/plain",
    "application/json; charset=utf-16",
    'application/json;charset="latin1"',
    "application/jsonp",
  ])("a body of the type %s gets 415", async (type) => {
    const headers = { authorization, "content-type": type };
    const reply = await client.request("/v1/chat/completions", { body: chatBody("Hi"), headers });
    expect([reply.status, failure(reply.text).code]).toEqual([415, "unsupported_media_type"]);
  });

  test.each(["application/json; charset=utf-8", 'Application/JSON;profile=x;charset="UTF-8"'])(
    "a body of the type %s is read",
    async (type) => {
      const headers = { authorization, "content-type": type };
      expect((await client.request("/v1/chat/completions", { body: chatBody("Hi"), headers })).status).toBe(200);
    },
  );

  test("bytes that are not UTF-8 get 400", async () => {
    const body = Buffer.concat([
      Buffer.from('{"messages":[{"role":"user","content":"'),
      Buffer.of(0xff, 0xfe),
      Buffer.from('"}]}'),
    ]);
    const headers = { authorization, "content-type": "application/json" };
    const response = await fetch(`${node.url}/v1/chat/completions`, { method: "POST", headers, body });
    expect([response.status, failure(await response.text()).message]).toEqual([
      400,
      "The body is not valid JSON in UTF-8. Check its syntax and encoding.",
    ]);
  });

  test("a method named like an inherited property gets 405", async () => {
    const reply = await client.request("/v1/models", { method: "constructor", headers: { authorization } });
    expect([reply.status, failure(reply.text).code]).toEqual([405, "method_not_allowed"]);
  });

  test.each([
    ["x-priority", "urgent"],
    ["x-deadline-ms", "soon"],
    ["x-deadline-ms", "0"],
    ["x-queue-timeout-ms", "-1"],
  ])("an invalid %s is rejected by name", async (name, value) => {
    const reply = await client.chat("Hi", {}, { authorization, [name]: value });
    expect([reply.status, failure(reply.text).param]).toEqual([400, name]);
  });

  test("an error leaves the connection usable", async () => {
    const body = chatBody("a".repeat(1_000_000));
    const replies = await Promise.all([
      client.request("/v1/chat/completions", { body, headers: { authorization } }),
      client.chat("Hi", {}, { authorization }),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([413, 200]);
  });
});

describe("headers", () => {
  test.each<[string, Record<string, string>]>([
    ["too large", { "x-large": "x".repeat(30_000) }],
    ["too many", Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, "1"]))],
  ])("that are %s end only their own stream", async (_, headers) => {
    const [bad, good] = await Promise.all([
      client.request("/healthz", { headers }),
      client.chat("Hi", { stream: true }, { authorization }),
    ]);
    expect([bad.status, bad.code]).toEqual([0, constants.NGHTTP2_ENHANCE_YOUR_CALM]);
    expect(good.text).toEndWith("data: [DONE]\n\n");
  });
});

describe("HTTP/1.1 on the same port", () => {
  test("sends complete and streamed answers", async () => {
    const post = (stream: boolean) =>
      fetch(`${node.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify(chatBody("Hi", { stream })),
      });
    expect(await (await post(false)).json()).toMatchObject({ object: "chat.completion" });
    expect(await (await post(true)).text()).toEndWith("data: [DONE]\n\n");
  });
});

describe("a connection whose first byte arrives separately", () => {
  test.each([
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\0"],
    ["POST /healthz HTTP/1.1\r\nhost: node\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 405"],
  ])("is understood: %j", async (sent, answer) => {
    const socket = net.connect(node.port, "127.0.0.1");
    const received = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(bytes.toString())));
    socket.write(sent.slice(0, 1));
    // By the time another request is answered, the node has seen the byte.
    await client.request("/healthz");
    socket.write(sent.slice(1));
    expect(await received).toStartWith(answer);
    socket.destroy();
  });
});

test("H4: a connection whose headers arrive too slowly is closed, but not one that waits for its answer", async () => {
  const headersMs = 200;
  await using quick = await testNode({ token }, { headersMs });
  const waiting = fetch(`${quick.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(chatBody("!hang")),
    signal: AbortSignal.timeout(5 * headersMs),
  });
  const slow = net.connect(quick.port, "127.0.0.1");
  slow.on("error", () => {});
  slow.write("GET /healthz HTTP/1.1\r\nhost: node\r\nx-slow: ");
  const dripping = setInterval(() => slow.write("a"), headersMs / 10);
  await new Promise((resolve) => slow.once("close", resolve));
  clearInterval(dripping);
  expect(await waiting.catch((error: Error) => error.name)).toBe("TimeoutError");
});

describe("listening beyond this machine", () => {
  test.each([
    [{}, /GROUNDWIRE_NODE_TOKEN.*GROUNDWIRE_NODE_TLS_CERT/],
    [{ token }, /GROUNDWIRE_NODE_TLS_CERT/],
    [{ node: { trustNetwork: true } }, /GROUNDWIRE_NODE_TOKEN/],
    [{ node: { host: "127.evil.example" } }, /GROUNDWIRE_NODE_TOKEN/],
  ])(
    "a node without protection refuses to start",
    async (settings: Parameters<typeof testConfig>[0] & object, says) => {
      const config = testConfig({ ...settings, node: { host: "0.0.0.0", ...settings.node } });
      expect(startNode(config, { log: silentLog() })).rejects.toThrow(says);
    },
  );

  test("a port in use gets a one-line error", async () => {
    const config = testConfig({});
    const taken = { ...config, node: { ...config.node, port: node.port } };
    await expect(startNode(taken, { log: silentLog() })).rejects.toThrow(/another program uses this port/);
  });
});

describe("TLS", () => {
  let folder = "";
  const file = (name: string) => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "groundwire-tls-"));
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file("key.pem")];
    const certificate = ["-x509", "-out", file("cert.pem"), "-days", "1", "-subj", "/CN=localhost"];
    await Bun.spawn(["openssl", "req", ...key, ...certificate], { stderr: "ignore" }).exited;
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("one port speaks HTTP/2 and HTTP/1.1, chosen by ALPN", async () => {
    await using secure = await testNode({ node: { tlsCert: file("cert.pem"), tlsKey: file("key.pem") } });
    using http2 = new TestClient(secure.url, { rejectUnauthorized: false });
    expect((await http2.chat("Hi", { stream: true })).text).toEndWith("data: [DONE]\n\n");
    const http1 = await fetch(`${secure.url}/healthz`, { tls: { rejectUnauthorized: false } });
    expect(await http1.json()).toEqual({ status: "ok" });
  });
});
