import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { ErrorEnvelope } from "../../lib/errors";
import { type Stack, startStack } from "./stack";

const MAX_BODY_BYTES = 262_144;
const MAX_UPLOAD_BYTES = 1_048_576;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack(
    {},
    { gateway: { maxBodyBytes: MAX_BODY_BYTES }, datasets: { maxUploadBytes: MAX_UPLOAD_BYTES } },
  );
});
afterAll(() => stack.close());

const chat = JSON.stringify({ messages: [{ role: "user", content: "Hello" }], max_tokens: 1 });
const longChat = (bytes: number): string => {
  const empty = JSON.stringify({ messages: [{ role: "user", content: "" }], max_tokens: 1 });
  return empty.replace('""', `"${"x".repeat(bytes - empty.length)}"`);
};
const deep = `{"messages":${"[".repeat(1500)}${"]".repeat(1500)}}`;
const BOUNDARY = "b";
const form = (rows: string, rest = ""): string =>
  `--b\r\ncontent-disposition: form-data; name="name"\r\n\r\npacked ${rows.length}\r\n` +
  `--b\r\ncontent-disposition: form-data; name="file"; filename="x.jsonl"\r\n\r\n${rows}\r\n--b--\r\n${rest}`;
const rows = '{"input":"What?","references":["That"]}\n';
const FORM = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };

/** A body of this length, generated in pieces. */
const inPieces = (bytes: Uint8Array): ReadableStream<Uint8Array> => {
  let from = 0;
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(from, from + 1000));
      from += 1000;
    },
  });
};

const send = async (path: string, body: Uint8Array | ReadableStream, encoding: string, headers = {}) => {
  const response = await fetch(stack.url + path, {
    method: "POST",
    body: body as Uint8Array<ArrayBuffer>,
    headers: {
      authorization: `Bearer ${stack.adminKey}`,
      "content-type": "application/json",
      "content-encoding": encoding,
      ...headers,
    },
  });
  return { response, body: (await response.json()) as Partial<ErrorEnvelope> };
};

const gzip = (text: string): Uint8Array => gzipSync(text);
const cut = (bytes: Uint8Array, by: number): Uint8Array => bytes.slice(0, bytes.length - by);
const damaged = (bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice();
  copy[copy.length - 6] = (copy[copy.length - 6] ?? 0) ^ 0xff;
  return copy;
};
/** Endless empty gzip members: the compressed body never ends, the decompressed one is empty. */
const emptyMembers = (count: number): Uint8Array => Buffer.concat(new Array(count).fill(gzipSync("")));

type Row = [what: string, status: number, body: () => Uint8Array | ReadableStream, encoding?: string];

describe("a gzipped JSON body", () => {
  test.each<Row>([
    ["is read like a plain one", 200, () => gzip(chat)],
    ["is read in chunks", 200, () => inPieces(gzip(chat))],
    ["is read under the name x-gzip", 200, () => gzip(chat), "x-gzip"],
    ["is read if gzip is in capitals", 200, () => gzip(chat), "GZIP"],
    ["is read if identity is listed too", 200, () => gzip(chat), "identity, gzip"],
    ["with the coding identity is read unchanged", 200, () => Buffer.from(chat), "identity"],
    ["in two members is read", 200, () => Buffer.concat([gzipSync(chat.slice(0, 9)), gzipSync(chat.slice(9))])],
    ["up to the limit is read", 200, () => gzip(longChat(MAX_BODY_BYTES))],
    ["one byte beyond the limit is rejected", 413, () => gzip(longChat(MAX_BODY_BYTES + 1))],
    ["of 100 MB of nothing is rejected", 413, () => gzipSync(Buffer.alloc(100_000_000))],
    ["of 100 MB in chunks is rejected", 413, () => inPieces(gzipSync(Buffer.alloc(100_000_000)))],
    ["that never ends and is empty is rejected", 413, () => emptyMembers(20_000)],
    ["that is cut off is rejected", 400, () => cut(gzip(chat), 5)],
    ["that is cut off in its middle is rejected", 400, () => cut(gzip(chat), 30)],
    ["that is only a head is rejected", 400, () => gzip(chat).slice(0, 10)],
    ["with a wrong checksum is rejected", 400, () => damaged(gzip(chat))],
    ["that is not gzip is rejected", 400, () => Buffer.from(chat)],
    ["that is empty is rejected", 400, () => new Uint8Array(0)],
    ["of an empty string is rejected", 400, () => gzip("")],
    ["of broken JSON is rejected", 400, () => gzip("{not json")],
    ["of broken UTF-8 is rejected", 400, () => gzipSync(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
    ["that is small but deeply nested is rejected", 400, () => gzip(deep)],
    ["with an unpaired surrogate is rejected", 400, () => gzip(chat.replace("Hello", "\\ud83d"))],
    ["compressed with deflate is rejected", 415, () => deflateSync(chat), "deflate"],
    ["compressed with brotli is rejected", 415, () => brotliCompressSync(chat), "br"],
    ["compressed with zstd is rejected", 415, () => zstdCompressSync(chat), "zstd"],
    ["compressed twice is rejected", 415, () => gzipSync(gzip(chat)), "gzip, gzip"],
    ["compressed with two codings is rejected", 415, () => gzipSync(deflateSync(chat)), "deflate, gzip"],
    ["with an unknown coding is rejected", 415, () => Buffer.from(chat), "rot13"],
  ])("%s: %d", async (_, status, body, encoding = "gzip") => {
    const { response, body: answer } = await send("/v1/chat", body(), encoding);
    expect([response.status, answer.error?.code === "internal"]).toEqual([status, false]);
    if (status === 415) expect(response.headers.get("accept-encoding")).toBe("gzip");
  });

  test("with an unknown encoding is rejected, and the error names it", async () => {
    const { body } = await send("/v1/chat", Buffer.from(chat), "br");
    expect(body.error?.message).toBe(
      "The content-encoding br is not supported. Send the body uncompressed, or compressed once with gzip.",
    );
  });

  test.each(["/v1/keys", "/v1/embeddings", "/v1/evaluate", "/v1/conversations"])("reaches %s", async (path) => {
    const { body } = await send(path, gzip('{"no_such_field":1}'), "gzip");
    expect([body.error?.code, body.error?.param]).toEqual(["invalid_request", expect.any(String)]);
  });

  test("without a key is not decompressed", async () => {
    const { response } = await send("/v1/chat", gzip(chat), "gzip", { authorization: "" });
    expect(response.status).toBe(401);
  });
});

describe("a gzipped form with a file", () => {
  test.each<Row>([
    ["is read like a plain one", 201, () => gzip(form(rows.repeat(3)))],
    ["is read in chunks", 201, () => inPieces(gzip(form(rows.repeat(4))))],
    ["whose file decompresses beyond the limit is rejected", 413, () => gzip(form(rows.repeat(30_000)))],
    ["that continues for 100 MB after its end is rejected", 413, () => gzip(form(rows, "x".repeat(100_000_000)))],
    ["that begins with 100 MB of nothing is rejected", 413, () => gzip("\0".repeat(100_000_000) + form(rows))],
    ["that is cut off is rejected", 400, () => cut(gzip(form(rows.repeat(500))), 20)],
    ["that is not gzip is rejected", 400, () => Buffer.from(form(rows))],
    ["compressed with brotli is rejected", 415, () => brotliCompressSync(form(rows)), "br"],
  ])("%s: %d", async (_, status, body, encoding = "gzip") => {
    const { response, body: answer } = await send("/v1/datasets", body(), encoding, FORM);
    expect([response.status, answer.error?.message]).toEqual([status, status === 201 ? undefined : expect.any(String)]);
  });

  test("is also accepted as JSON", async () => {
    const { response } = await send(
      "/v1/datasets",
      gzip(JSON.stringify({ name: "by JSON", samples: [{ input: "What?" }] })),
      "gzip",
    );
    expect(response.status).toBe(201);
  });
});
