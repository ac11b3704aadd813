import { afterAll, expect, test } from "bun:test";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { chatBody, TestClient, testNode } from "../../../tests/test-node";

/** A model server whose next response is garbage. */
let pieces: readonly Uint8Array[] = [];
let [contentType, breaksOff] = ["text/event-stream", false];
const server = http.createServer((request, response) => {
  if (request.url === "/v1/models") {
    response.end(JSON.stringify({ data: [{ id: "qwen", root: "Qwen/Qwen3", max_model_len: 2048 }] }));
    return;
  }
  response.writeHead(200, { "content-type": contentType });
  for (const piece of pieces) response.write(piece);
  if (breaksOff) response.destroy();
  else response.end();
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const engineUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
const node = await testNode({ node: { engine: "openai", engineUrl, slots: 2 } });
await node.ready;
const client = new TestClient(node.url);
afterAll(async () => {
  client[Symbol.dispose]();
  await node.close(0);
  server.close();
});

const chunk = (choices: object[], more: object = {}) => `data: ${JSON.stringify({ id: "up-1", choices, ...more })}\n\n`;
const GOOD = [
  chunk([{ index: 0, delta: { content: "Grüße 👋" }, finish_reason: null }]),
  chunk([{ index: 0, delta: { content: "!" }, finish_reason: "stop" }]),
  chunk([], { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } }),
  "data: [DONE]\n\n",
];
const WHOLE = JSON.stringify({
  ...{ id: "up-1", object: "chat.completion", usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } },
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
});

/** Pieces of a stream: valid, duplicated, truncated, misshapen, too long, with NUL, and unterminated. */
const text = fc.oneof(
  fc.constantFrom(...GOOD, ...GOOD, WHOLE, "data: [DONE]\n\n", ": comment\n\n", "event: x\n\n", "\n\n", "\r\n\r\n"),
  fc.constantFrom('data: {"id":"up-1","choices":[{"ind', "data: 7\n\n", "data: null\n\n", "data: []\n\n", "data:\n\n"),
  fc.constantFrom(chunk([{ index: 0, delta: null }]), chunk([{ index: 9, delta: { content: 5 } }]), "data: \0\n\n"),
  fc.constant(`data: ${"x".repeat(1_000_000)}`),
  fc.json().map((json) => `data: ${json}\n\n`),
  fc.string({ unit: "binary" }),
);
const bytes = fc.oneof(
  { weight: 5, arbitrary: fc.array(text, { maxLength: 6 }).map((texts) => new TextEncoder().encode(texts.join(""))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);
const garbage = fc.record({
  body: bytes,
  /** Where the network splits the body, possibly inside a character. */
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
  contentType: fc.constantFrom("text/event-stream", "application/json", "text/html", "application/octet-stream"),
  breaksOff: fc.boolean(),
  stream: fc.boolean(),
});

const splitAt = (body: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * body.length)).sort((a, b) => a - b), body.length];
  return places.slice(1).map((end, n) => body.subarray(places[n], end));
};

test("G4: whatever the server behind the node sends, a client gets a complete answer or an error", async () => {
  await fc.assert(
    fc.asyncProperty(garbage, async (sent) => {
      pieces = splitAt(sent.body, sent.cuts);
      ({ contentType, breaksOff } = sent);
      const reply = await client.request("/v1/chat/completions", { body: chatBody("Hi", { stream: sent.stream }) });
      expect(reply.code).toBe(0);
      if (reply.status !== 200) {
        expect(reply.status).toBeGreaterThanOrEqual(400);
        expect(JSON.parse(reply.text).error.message).toBeString();
      } else if (sent.stream) {
        const frames = reply.text.split("\n\n");
        expect(frames.pop()).toBe("");
        const isWhole = frames.at(-1) === "data: [DONE]";
        const data = frames.slice(0, isWhole ? -1 : undefined).map((frame) => JSON.parse(frame.replace(/^data: /, "")));
        expect(data.filter(({ error }) => error !== undefined)).toHaveLength(isWhole ? 0 : 1);
      } else expect(JSON.parse(reply.text).choices).toBeArray();
    }),
    { numRuns: 300 },
  );
  pieces = [new TextEncoder().encode(GOOD.join(""))];
  [contentType, breaksOff] = ["text/event-stream", false];
  expect((await client.chat("Hi", { stream: true })).text).toEndWith("data: [DONE]\n\n");
  expect((await client.readiness()).slots.running).toBe(0);
});
