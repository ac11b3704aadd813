import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/*
 * An error sent before the whole body has arrived still reaches the client, because the gateway keeps reading for a
 * while and discards the rest. Closing immediately would reset the connection of a client that is still writing.
 */

const MB = 1_000_000;
const JSON_TYPE = "content-type: application/json";
const CHUNKED = "transfer-encoding: chunked";
const FORM = "content-type: multipart/form-data; boundary=b";
const FILE_HEAD = '--b\r\ncontent-disposition: form-data; name="file"; filename="x.jsonl"\r\n\r\n';

let stack: Stack;
let limitedKey = "";
beforeAll(async () => {
  stack = await startStack({}, { datasets: { maxUploadBytes: MB } });
  limitedKey = await stack.keyOf("admin", { requests_per_minute: 1 });
  await stack.call("GET", "/v1/models", { key: limitedKey });
});
afterAll(() => stack.close());

const auth = (): string => `authorization: Bearer ${stack.adminKey}`;

/** Writes the whole request before it reads the first byte of the response, like clients without an event loop. */
const writeThenRead = async (path: string, headers: string[], body: Buffer[]): Promise<string> => {
  const socket = connect(Number(new URL(stack.url).port), "127.0.0.1");
  socket.pause();
  await once(socket, "connect");
  socket.write([`POST ${path} HTTP/1.1`, "host: gateway", ...headers, "", ""].join("\r\n"));
  try {
    for (const piece of body) {
      await new Promise<void>((resolve, reject) => socket.write(piece, (error) => (error ? reject(error) : resolve())));
    }
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    socket.resume();
    await once(socket, "close");
    return text;
  } finally {
    socket.destroy();
  }
};

const statusOf = (answer: string): number => Number(answer.split(" ")[1]);

const filled = (sizeBytes: number, head = ""): Buffer[] => [
  Buffer.from(head),
  Buffer.alloc(sizeBytes - Buffer.byteLength(head), "x"),
];
/** The body in chunks of 64 KiB. */
const chunked = (pieces: Buffer[]): Buffer[] => {
  const whole = Buffer.concat(pieces);
  const chunks: Buffer[] = [];
  for (let from = 0; from < whole.length; from += 65_536) {
    const piece = whole.subarray(from, from + 65_536);
    chunks.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
  }
  return [Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")])];
};

interface Case {
  what: string;
  path: string;
  headers: () => string[];
  body: (sizeBytes: number) => Buffer[];
  isChunked?: true;
  status: number;
}

const CASES: Case[] = [
  { what: "JSON", path: "/v1/chat", headers: () => [auth(), JSON_TYPE], body: filled, status: 413 },
  {
    what: "JSON in chunks",
    path: "/v1/chat/completions",
    headers: () => [auth(), JSON_TYPE],
    body: filled,
    isChunked: true,
    status: 413,
  },
  {
    what: "a file",
    path: "/v1/datasets",
    headers: () => [auth(), FORM],
    body: (size) => filled(size, FILE_HEAD),
    status: 413,
  },
  {
    what: "a file in chunks",
    path: "/v1/datasets",
    headers: () => [auth(), FORM],
    body: (size) => filled(size, FILE_HEAD),
    isChunked: true,
    status: 413,
  },
  {
    what: "a file of a revision",
    path: "/v1/datasets/ds_1/revisions",
    headers: () => [auth(), FORM],
    body: (size) => filled(size, FILE_HEAD),
    isChunked: true,
    status: 413,
  },
  {
    what: "a form with a field twice",
    path: "/v1/datasets",
    headers: () => [auth(), FORM],
    body: (size) => {
      const field = '--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nx\r\n';
      return filled(size, field + field + FILE_HEAD);
    },
    isChunked: true,
    status: 400,
  },
  { what: "JSON without a key", path: "/v1/chat", headers: () => [JSON_TYPE], body: filled, status: 401 },
  {
    what: "chunks without a key",
    path: "/v1/chat",
    headers: () => [JSON_TYPE],
    body: filled,
    isChunked: true,
    status: 401,
  },
  {
    what: "JSON with a wrong key",
    path: "/v1/chat",
    headers: () => ["authorization: Bearer no", JSON_TYPE],
    body: filled,
    status: 401,
  },
  { what: "text", path: "/v1/chat", headers: () => [auth(), "content-type: text/plain"], body: filled, status: 415 },
  {
    what: "an unsupported coding",
    path: "/v1/chat",
    headers: () => [auth(), JSON_TYPE, "content-encoding: br"],
    body: filled,
    isChunked: true,
    status: 415,
  },
  {
    what: "a request over its key's limit",
    path: "/v1/chat",
    headers: () => [`authorization: Bearer ${limitedKey}`, JSON_TYPE],
    body: filled,
    status: 429,
  },
  { what: "a form without a session", path: "/sign-in", headers: () => [FORM], body: filled, status: 415 },
  {
    what: "form fields without a session",
    path: "/sign-in",
    headers: () => ["content-type: application/x-www-form-urlencoded"],
    body: filled,
    status: 413,
  },
];

describe("an early error reaches a client that writes the whole body first", () => {
  for (const { what, path, headers, body, isChunked, status } of CASES) {
    test.each([5, 40])(
      `${what}: %d MB`,
      async (size) => {
        const whole = body(size * MB);
        const lines = [...headers(), isChunked ? CHUNKED : `content-length: ${size * MB}`];
        const answer = await writeThenRead(path, lines, isChunked ? chunked(whole) : whole);
        expect(statusOf(answer)).toBe(status);
        expect(answer.toLowerCase()).toContain("connection: close");
      },
      20_000,
    );
  }

  test("that sends 3 MB to a path without a route", async () => {
    const answer = await writeThenRead("/v1/none", [auth(), JSON_TYPE, `content-length: ${3 * MB}`], filled(3 * MB));
    expect(statusOf(answer)).toBe(404);
  });
});

/** Runs in Node: sends each body by fetch and by OpenAI's client, and prints the statuses. */
const NODE_PROGRAM = `
const [url, key, sizes] = JSON.parse(process.env.CASE);
const { default: OpenAI } = await import("openai");
const client = new OpenAI({ baseURL: url + "/v1", apiKey: key, maxRetries: 0 });
const seen = [];
for (const size of sizes) {
  const content = "x".repeat(size);
  const headers = { authorization: "Bearer " + key, "content-type": "application/json" };
  const request = client.chat.completions.create({ model: "m", messages: [{ role: "user", content }] });
  seen.push(await request.then(() => 200, (error) => error.status ?? String(error.cause ?? error)));
  const sent = fetch(url + "/v1/chat", { method: "POST", headers, body: content });
  seen.push(await sent.then((r) => r.text().then(() => r.status), (error) => String(error.cause ?? error)));
  const form = new FormData();
  form.append("file", new Blob([content]), "x.jsonl");
  const upload = fetch(url + "/v1/datasets", { method: "POST", headers: { authorization: headers.authorization }, body: form });
  seen.push(await upload.then((r) => r.text().then(() => r.status), (error) => String(error.cause ?? error)));
  const stream = new Blob([content]).stream();
  const piped = fetch(url + "/v1/chat", { method: "POST", headers, body: stream, duplex: "half" });
  seen.push(await piped.then((r) => r.text().then(() => r.status), (error) => String(error.cause ?? error)));
}
console.log(JSON.stringify(seen));
`;

test.skipIf(!Bun.which("node"))(
  "Node's OpenAI client and fetch get every 413, of 5 to 60 MB (needs node)",
  async () => {
    const sizes = [5, 8, 10, 15, 20, 30, 40, 50, 60].map((size) => size * MB);
    const child = Bun.spawn(["node", "--input-type=module", "-e", NODE_PROGRAM], {
      cwd: `${import.meta.dir}/../..`,
      env: { ...process.env, CASE: JSON.stringify([stack.url, stack.adminKey, sizes]) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const seen: unknown = JSON.parse(await new Response(child.stdout).text());
    expect(seen).toEqual(sizes.flatMap(() => [413, 413, 413, 413]));
  },
  60_000,
);

describe("a client that keeps its connection open after an error", () => {
  const hold = async (path: string, headers: string[]) => {
    const socket = connect(Number(new URL(stack.url).port), "127.0.0.1");
    let text = "";
    let isClosed = false;
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      isClosed = true;
    });
    await once(socket, "connect");
    socket.write([`POST ${path} HTTP/1.1`, "host: gateway", ...headers, "", ""].join("\r\n"));
    return { socket, answer: () => text, isClosed: () => isClosed };
  };

  test("gets the response before it has sent any of the body, and is disconnected if it stays silent", async () => {
    const { answer, isClosed } = await hold("/v1/chat", [auth(), JSON_TYPE, `content-length: ${60 * MB}`]);
    await until("the error has arrived", () => answer().includes("payload_too_large"));
    expect(isClosed()).toBe(false);
    await until("the connection is closed", isClosed);
  });

  test("is disconnected after 128 MiB, however much more it sends", async () => {
    const { socket, isClosed } = await hold("/v1/chat", [auth(), JSON_TYPE, `content-length: ${10_000 * MB}`]);
    const piece = Buffer.alloc(MB);
    let sentBytes = 0;
    let failure: unknown;
    while (!failure && sentBytes < 1000 * MB) {
      sentBytes += piece.length;
      failure = await new Promise((resolve) => socket.write(piece, resolve));
    }
    await until("the connection is closed", isClosed);
    expect(sentBytes).toBeLessThan(200 * MB);
  }, 20_000);

  test("gets 100 Continue, and the error", async () => {
    const headers = [auth(), JSON_TYPE, `content-length: ${60 * MB}`, "expect: 100-continue"];
    const { answer, socket } = await hold("/v1/chat", headers);
    await until("the error has arrived", () => answer().includes("payload_too_large"));
    expect(answer()).toStartWith("HTTP/1.1 100 Continue");
    socket.destroy();
  });
});
