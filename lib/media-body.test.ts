import { describe, expect, test } from "bun:test";
import { BodyMemory, mediaBytesIn } from "./media-body";

const KIB = 1024;
const MAX_TEXT = 16 * KIB;
const base64 = (bytes: number): string => "iVBORw0KGgo/+8=".repeat(Math.ceil(bytes / 15)).slice(0, bytes);
const chat = (...parts: object[]) => JSON.stringify({ messages: [{ role: "user", content: parts }] });
const image = (bytes: number, url = "data:image/png;base64,") => ({
  type: "image_url",
  image_url: { url: url + base64(bytes) },
});
const audio = (bytes: number) => ({ type: "input_audio", input_audio: { data: base64(bytes), format: "wav" } });
const text = (words: string) => ({ type: "text", text: words });

/** Reads a body in pieces, as the gateway and the node do. Returns the kind of the error, if any. */
const read = (body: string, { pieceBytes = 1000, memory = new BodyMemory(1024 * KIB), owner = "key_1" } = {}) => {
  const bytes = Buffer.from(body);
  const held = memory.open(owner, MAX_TEXT);
  let readBytes = 0;
  let kind: string | undefined;
  try {
    for (; readBytes < bytes.length; readBytes += pieceBytes)
      held.add(bytes.subarray(readBytes, readBytes + pieceBytes));
    held.check(bytes.length, mediaBytesIn(JSON.parse(body)));
  } catch (error) {
    ({ kind } = error as { kind?: string });
    if (kind === undefined) throw error;
  }
  return { held, kind, readBytes };
};

describe("a body with images and audio", () => {
  test.each([1, 7, 1000, 1_000_000])("is accepted in pieces of %d bytes", (pieceBytes) => {
    const body = chat(text("What is this? ".repeat(1000)), image(200 * KIB), audio(100 * KIB));
    expect(read(body, { pieceBytes }).kind).toBeUndefined();
  });

  test("is accepted with escaped slashes, as PHP writes them", () => {
    expect(read(chat(image(200 * KIB)).replaceAll("/", "\\/")).kind).toBeUndefined();
  });

  test.each<[what: string, body: string]>([
    ["long text", chat(text("word ".repeat(40 * KIB)), image(KIB))],
    ["many short images", chat(...Array.from({ length: 1000 }, () => image(500)))],
    ["many numbers", `{"messages":[${"1,".repeat(40 * KIB)}1]}`],
    ["many lists", `{"messages":[${"[],".repeat(40 * KIB)}1]}`],
    ["many short texts", `{"messages":[${'"aGk=",'.repeat(40 * KIB)}1]}`],
    ["escaped text", `{"messages":["${"\\u00e9 ".repeat(40 * KIB)}"]}`],
  ])("is refused before it has arrived if it has %s", (_, body) => {
    const { kind, readBytes } = read(body);
    expect(kind).toBe("payload_too_large");
    expect(readBytes).toBeLessThan(body.length - 1000);
  });

  test.each<[what: string, body: string]>([
    ["in a text", chat(text(base64(200 * KIB)))],
    ["in an address that is not a data URL", chat(image(200 * KIB, "https://example.com/"))],
    ["in an unknown field", JSON.stringify({ messages: [], image: base64(200 * KIB) })],
    ["in a message's text", JSON.stringify({ messages: [{ role: "user", content: base64(200 * KIB) }] })],
  ])("is refused once it is parsed if it has long base64 %s", (_, body) => {
    const { kind, readBytes } = read(body);
    expect(kind).toBe("payload_too_large");
    expect(readBytes).toBeGreaterThanOrEqual(body.length);
  });
});

test.each<[format: string, body: object]>([
  [
    "/v1/responses",
    { input: [{ content: [{ type: "input_image", image_url: `data:image/png;base64,${base64(978)}` }] }] },
  ],
  ["/v1/messages", { messages: [{ content: [{ type: "image", source: { type: "base64", data: base64(1000) } }] }] }],
  [
    "/v1/messages, in the result of a tool",
    {
      messages: [{ content: [{ type: "tool_result", content: [{ type: "image", source: { data: base64(1000) } }] }] }],
    },
  ],
])("images of %s are counted", (_, body) => {
  expect(mediaBytesIn(body)).toBe(1000);
});

test("an invalid body contains no images or audio", () => {
  for (const body of [null, 5, "x", [], {}, { messages: 1 }, { messages: [null, 1, { content: [null, 1, "x"] }] }]) {
    expect(mediaBytesIn(body)).toBe(0);
  }
});

describe("the memory for bodies with images and audio", () => {
  const memory = () => new BodyMemory(100 * KIB);
  const large = chat(image(90 * KIB));
  const start = (shared: BodyMemory, owner: string) => read(large, { memory: shared, owner });

  test("is limited to half of it for each owner, and in total", () => {
    const shared = memory();
    const kinds = ["a", "a", "a", "b", "b", "c"].map((owner) => start(shared, owner).kind);
    expect(kinds).toEqual([undefined, undefined, "rate_limited", undefined, undefined, "overloaded"]);
  });

  test("only counts the part of a body beyond the ordinary limit", () => {
    const shared = memory();
    expect(read(chat(image(MAX_TEXT - KIB)), { memory: shared }).kind).toBeUndefined();
    expect(shared.totalBytes).toBe(0);
    start(shared, "a");
    expect(shared.totalBytes).toBe(large.length - MAX_TEXT);
  });

  test("is released when the requests end, whether they succeeded or not", () => {
    const shared = memory();
    const bodies = ["a", "a", "a", "b", "b", "c"].map((owner) => start(shared, owner).held);
    for (const held of [...bodies, ...bodies]) held.release();
    expect(shared.totalBytes).toBe(0);
    expect(start(shared, "a").kind).toBeUndefined();
  });
});
