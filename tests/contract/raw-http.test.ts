import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { createClient } from "@libsql/client";
import type { ErrorEnvelope } from "../../lib/errors";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

interface Answer {
  status: number;
  head: string;
  body: string;
  /** Number of bytes that the gateway accepted before the connection ended. */
  sentBytes: number;
}

/** Sends raw bytes that no client library would send, and reads until the gateway closes the connection. */
const send = async (
  path: string,
  headers: string[],
  body: string | Iterable<string> = "",
  host = "gateway",
): Promise<Answer> => {
  const socket = connect(Number(new URL(stack.url).port), "127.0.0.1");
  let text = "";
  let sentBytes = 0;
  socket.on("data", (data) => {
    text += data;
  });
  // The gateway may close while this side still writes.
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  // A page called with an API key returns 404, because pages need a session.
  const key = path.startsWith("/v1/") ? [`authorization: Bearer ${stack.adminKey}`] : [];
  const lines = [`POST ${path} HTTP/1.1`, `host: ${host}`, ...key, ...headers];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  for (const piece of typeof body === "string" ? [body] : body) {
    if (socket.destroyed || text !== "") break;
    sentBytes += piece.length;
    if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
  await closed;
  const [answerHead = "", answerBody = ""] = text.split("\r\n\r\n");
  const head = answerHead.toLowerCase();
  const isChunked = head.includes("transfer-encoding: chunked");
  return { status: Number(head.split(" ")[1]), head, body: isChunked ? joinChunks(answerBody) : answerBody, sentBytes };
};

/** Decodes a chunked response. */
const joinChunks = (body: string): string => {
  const pieces = body.split("\r\n");
  return pieces.filter((_, index) => index % 2 === 1).join("");
};

const JSON_TYPE = "content-type: application/json";
const FORM_TYPE = "content-type: application/x-www-form-urlencoded";
const CHUNKED = "transfer-encoding: chunked";
const LAST = "connection: close";
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const MIB = 1_048_576;

/** JSON that never ends. */
function* endless(bytes: number): Iterable<string> {
  yield chunk('{"messages":[{"role":"user","content":"');
  const piece = chunk("x".repeat(65_536));
  for (let sent = 0; sent < bytes; sent += 65_536) yield piece;
}

describe("a body in chunks", () => {
  test("is read like any other", async () => {
    const body = chunk('{"messages":[{"role":"user",') + chunk('"content":"Hello"}]}') + chunk("");
    const { status, body: answer } = await send("/v1/chat", [JSON_TYPE, CHUNKED, LAST], body);
    expect([status, JSON.parse(answer).message.role]).toEqual([200, "assistant"]);
  });

  test.each(["/v1/chat", "/v1/keys", "/sign-in"])("to %s is cut off at the limit", async (path) => {
    const before = process.memoryUsage.rss();
    const type = path.startsWith("/v1/") ? JSON_TYPE : FORM_TYPE;
    const { status, head, sentBytes } = await send(path, [type, CHUNKED], endless(10 * 1024 * MIB));
    expect([status, head]).toEqual([413, expect.stringContaining("connection: close")]);
    // The socket buffers on both sides add to the limit.
    expect(sentBytes).toBeLessThan(24 * MIB);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB);
  });

  test("that is too large gets an error with the request's id", async () => {
    const { head, body } = await send("/v1/chat", [JSON_TYPE, CHUNKED, "x-request-id: mine"], endless(64 * MIB));
    const { error }: ErrorEnvelope = JSON.parse(body);
    expect([error.code, error.request_id]).toEqual(["payload_too_large", "mine"]);
    expect(head).toContain("x-request-id: mine");
  });
});

describe("P1: a file in a form", () => {
  const multipart = "content-type: multipart/form-data; boundary=b";
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="x.jsonl"\r\n\r\n';
  const endlessFile = function* (bytes: number): Iterable<string> {
    yield chunk(head);
    const piece = chunk("x".repeat(65_536));
    for (let sent = 0; sent < bytes; sent += 65_536) yield piece;
  };

  test("that never ends is cut off at the limit and leaves nothing behind", async () => {
    const {
      status,
      head: answer,
      sentBytes,
    } = await send("/v1/datasets", [multipart, CHUNKED], endlessFile(10 * 1024 * MIB));
    expect([status, answer]).toEqual([413, expect.stringContaining("connection: close")]);
    expect(sentBytes).toBeLessThan(96 * MIB);
    const client = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
    const { rows } = await client.execute("SELECT COUNT(*) AS parts FROM upload_parts");
    client.close();
    expect(rows[0]?.parts).toBe(0);
  }, 30_000);

  test("with a declared length over the limit is rejected before it is read", async () => {
    const { status, body, sentBytes } = await send(
      "/v1/datasets",
      [multipart, "content-length: 10737418240"],
      endlessFile(MIB * 1024),
    );
    const { error }: ErrorEnvelope = JSON.parse(body);
    expect([status, error.code]).toEqual([413, "payload_too_large"]);
    expect(sentBytes).toBeLessThan(24 * MIB);
  });

  test.each(["/datasets/upload", "/datasets/ds_1/upload"])("without a session is not read by %s", async (path) => {
    const body = `${head}input\r\n--b--\r\n`;
    const { status } = await send(
      path,
      [multipart, `content-length: ${body.length}`, LAST, "sec-fetch-site: same-origin"],
      body,
    );
    expect(status).toBe(303);
  });
});

describe("S3: a request with an ambiguous length is rejected", () => {
  test.each([
    ["two lengths", ["content-length: 2", "content-length: 30"]],
    ["a length and chunks", ["content-length: 2", CHUNKED]],
    ["chunks and a length", [CHUNKED, "content-length: 2"]],
    ["a negative length", ["content-length: -2"]],
    ["a length that is not a number", ["content-length: 2x"]],
    ["an unknown transfer coding", ["transfer-encoding: xchunked"]],
  ])("%s", async (_, headers) => {
    expect((await send("/v1/chat", [JSON_TYPE, ...headers], `2\r\n{}\r\n0\r\n\r\n`)).status).toBe(400);
  });
});

test("oversized headers are rejected before the body is read", async () => {
  const many = Array.from({ length: 1000 }, (_, i) => `x-${i}: 1`);
  for (const headers of [many, [`x-large: ${"y".repeat(64 * 1024)}`]]) {
    expect((await send("/v1/chat", [JSON_TYPE, ...headers])).status).toBe(431);
  }
});

test("an unpaired surrogate is rejected with the name of its field, even in a chunked body", async () => {
  const body = chunk('{"messages":[{"role":"user","content":"\\ud83d"}]}') + chunk("");
  const { status, body: answer } = await send("/v1/chat", [JSON_TYPE, CHUNKED, LAST], body);
  expect([status, JSON.parse(answer).error.param]).toEqual([400, "messages.0.content"]);
});

test.each(["a b", "", "x:99999", "a/../b?x", "[::1", "ex%zz"])("the host %j gets a JSON error", async (host) => {
  const { status, head, body } = await send("/v1/keys", [JSON_TYPE, LAST, "content-length: 2"], "{}", host);
  const { error }: ErrorEnvelope = JSON.parse(body);
  expect([status, error.code]).toEqual([400, "invalid_request"]);
  expect(head).toContain(`x-request-id: ${error.request_id}`);
});

test("without a key, a form is cut off early and files are rejected before they are read", async () => {
  const large = await send("/sign-in", [FORM_TYPE, "content-length: 70000", LAST], `key=${"x".repeat(69_996)}`);
  expect(large.status).toBe(413);
  const multipart = "content-type: multipart/form-data; boundary=b";
  for (const path of ["/sign-in", "/v1/chat", "/v1/keys"]) {
    const refused = await send(path, [multipart, "content-length: 9", LAST], "no files!");
    expect([path, refused.status]).toEqual([path, 415]);
  }
});
