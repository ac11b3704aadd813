import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { until } from "../until";
import { startCapableStack, startUnableStack, text, user } from "./capable-stack";
import { errorOf } from "./error-of";
import type { Stack } from "./stack";

/* Bodies with images or audio have a limit of their own. Their text keeps the ordinary limit. */

const KIB = 1024;
const LIMITS = { maxBodyBytes: 256 * KIB, maxMediaBodyBytes: 2048 * KIB };

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let stack: Stack;
beforeAll(async () => {
  capable = await startCapableStack({ gateway: LIMITS });
  ({ stack } = capable);
});
afterAll(() => capable.close());

const base64 = (bytes: number): string => "iVBORw0KGgoA".repeat(Math.ceil(bytes / 12)).slice(0, bytes);
const image = (bytes: number) => ({
  type: "image_url",
  image_url: { url: `data:image/png;base64,${base64(bytes)}` },
});
const audio = (bytes: number) => ({ type: "input_audio", input_audio: { data: base64(bytes), format: "mp3" } });
const chat = (...content: object[]): string => JSON.stringify({ messages: [{ role: "user", content }], max_tokens: 1 });

/** The body in chunks of 64 KiB. */
const inChunks = (bytes: Uint8Array): ReadableStream<Uint8Array> => {
  let from = 0;
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(from, from + 65_536));
      from += 65_536;
    },
  });
};

type Sent = "with its length" | "in chunks" | "gzipped";
const WAYS: Sent[] = ["with its length", "in chunks", "gzipped"];

const send = (body: string, { how = "with its length" as Sent, path = "/v1/chat/completions", to = stack } = {}) => {
  const bytes = Buffer.from(body);
  const sent = { "with its length": bytes, "in chunks": inChunks(bytes), gzipped: gzipSync(bytes) }[how];
  return fetch(to.url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${to.adminKey}`,
      "content-type": "application/json",
      ...(how === "gzipped" && { "content-encoding": "gzip" }),
    },
    body: sent as Uint8Array<ArrayBuffer>,
  });
};

describe.each(WAYS)("a body that is sent %s", (how) => {
  test.each(["/v1/chat/completions", "/v1/chat"])(
    "reaches the model's server with its media through %s",
    async (path) => {
      const body = chat(text, image(1000 * KIB), audio(900 * KIB));
      expect((await send(body, { how, path })).status).toBe(200);
      expect(capable.server.last.messages).toEqual(JSON.parse(body).messages);
    },
  );

  test.each<[what: string, body: () => string]>([
    ["more media than the limit", () => chat(image(LIMITS.maxMediaBodyBytes))],
    ["too much text", () => chat({ type: "text", text: "word ".repeat(60 * KIB) })],
    ["too much text and an image", () => chat({ type: "text", text: "word ".repeat(60 * KIB) }, image(10))],
    ["text that looks like an image", () => chat({ type: "text", text: base64(1000 * KIB) })],
    ["an image in a text message", () => JSON.stringify({ messages: [{ ...user, content: base64(1000 * KIB) }] })],
    ["many small values", () => `{"messages":[${"[],".repeat(100 * KIB)}[]]}`],
  ])("is refused if it has %s", async (_, body) => {
    const sent = capable.server.requests.length;
    const response = await send(body(), { how });
    expect([response.status, (await errorOf(response)).code]).toEqual([413, "payload_too_large"]);
    expect(capable.server.requests.length).toBe(sent);
  });
});

test("the refusal says whether the text or the whole body is too large", async () => {
  const messageOf = async (body: string) => (await errorOf(await send(body))).message;
  expect(await messageOf(chat({ type: "text", text: "word ".repeat(60 * KIB) }))).toBe(
    `The body has more than ${LIMITS.maxBodyBytes} bytes besides images and audio. Send less text.`,
  );
  expect(await messageOf(chat(image(LIMITS.maxMediaBodyBytes)))).toEndWith(
    `The limit is ${LIMITS.maxMediaBodyBytes} bytes.`,
  );
});

test.each(["/v1/completions", "/v1/embeddings", "/v1/cache/explain", "/v1/keys"])(
  "%s has the ordinary limit",
  async (path) => {
    for (const how of WAYS) expect((await send(chat(image(300 * KIB)), { path, how })).status).toBe(413);
  },
);

test("a gateway whose models read neither images nor audio keeps the ordinary limit", async () => {
  const unable = await startUnableStack();
  for (const how of WAYS) {
    const response = await send(chat(image(5000 * KIB)), { to: unable, how });
    expect([response.status, (await errorOf(response)).message]).toEqual([413, expect.stringContaining("4194304")]);
  }
  await unable.close();
});

describe("R3: the memory for large bodies", () => {
  /** Sends most of a large body, but never its end. */
  const holdOpen = async (key: string): Promise<Socket> => {
    const socket = connect(Number(new URL(stack.url).port), "127.0.0.1");
    await once(socket, "connect");
    const body = chat(image(2000 * KIB));
    const head = ["POST /v1/chat HTTP/1.1", "host: gateway", `authorization: Bearer ${key}`];
    socket.write(
      `${[...head, "content-type: application/json", `content-length: ${body.length}`].join("\r\n")}\r\n\r\n`,
    );
    await new Promise<void>((resolve, reject) => {
      socket.write(body.slice(0, -100), (error) => (error ? reject(error) : resolve()));
    });
    return socket;
  };

  test("is limited for each key, so that a slow sender doesn't keep others from sending images", async () => {
    const key = await stack.keyOf("member");
    const statusOf = async (who?: string) => {
      const response = await stack.call("POST", "/v1/chat", { key: who, body: chat(image(1500 * KIB)) });
      return [response.status, response.headers.get("retry-after"), (await response.json()) as object];
    };
    const sockets = [await holdOpen(key), await holdOpen(key)];
    await until("the key's share is used up", async () => (await statusOf(key))[0] === 429);
    const [status, retryAfter, body] = await statusOf(key);
    expect([status, retryAfter, body]).toMatchObject([
      429,
      "1",
      { error: { code: "rate_limited", source: "gateway" } },
    ]);
    expect((await stack.call("POST", "/v1/chat", { key, body: chat(text, image(100 * KIB)) })).status).toBe(200);
    expect((await statusOf())[0]).toBe(200);
    for (const socket of sockets) socket.destroy();
    await until("the memory is free again", async () => (await statusOf(key))[0] === 200);
  });
});
