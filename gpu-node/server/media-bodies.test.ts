import { afterAll, expect, test } from "bun:test";
import { ScriptedServer } from "../../tests/scripted-server";
import { TestClient, testNode } from "../../tests/test-node";

/* `testNode` allows 64 KiB of text, and 1 MiB with images and audio. */

const server = new ScriptedServer();
const engine = { engine: "openai", engineUrl: server.url, embedder: "off" } as const;
const sighted = await testNode({ node: { ...engine, engineCapabilities: ["vision"] } });
const blind = await testNode({ node: engine });
await Promise.all([sighted.ready, blind.ready]);
const client = new TestClient(sighted.url);
const blindClient = new TestClient(blind.url);
afterAll(async () => {
  for (const each of [client, blindClient]) each[Symbol.dispose]();
  await Promise.all([sighted.close(0), blind.close(0)]);
  await server.close();
});

const base64 = (bytes: number): string => "iVBORw0KGgoA".repeat(bytes / 12);
const image = (bytes: number) => [{ type: "image_url", image_url: { url: `data:image/png;base64,${base64(bytes)}` } }];
const send = (content: unknown, { to = client, path = "/v1/chat/completions" } = {}) =>
  to.request(path, { body: { messages: [{ role: "user", content }] } });

test("a node whose model reads images accepts longer bodies with images", async () => {
  const content = image(900_000);
  expect((await send(content)).status).toBe(200);
  expect(server.last.messages).toEqual([{ role: "user", content }]);
});

test.each<[what: string, content: unknown, to: TestClient, path: string]>([
  ["with more images than its limit", image(1_200_000), client, "/v1/chat/completions"],
  ["with long text", "word ".repeat(20_000), client, "/v1/chat/completions"],
  ["with text that looks like an image", base64(900_000), client, "/v1/chat/completions"],
  ["whose model reads no images", image(900_000), blindClient, "/v1/chat/completions"],
  ["on a route that reads no images", image(900_000), client, "/v1/completions"],
])("a node refuses a body %s", async (_, content, to, path) => {
  const { status, text } = await send(content, { to, path });
  expect([status, JSON.parse(text).error.code]).toEqual([413, "payload_too_large"]);
});
