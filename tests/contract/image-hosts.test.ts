import { afterAll, beforeAll, expect, test } from "bun:test";
import { post, startCapableStack, text } from "./capable-stack";

/* An image host that the operator allows. Only the model's server may call it, and the scripted server doesn't. */
const reached: string[] = [];
const images = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    reached.push(request.url);
    return new Response("an image");
  },
});

let capable: Awaited<ReturnType<typeof startCapableStack>>;
beforeAll(async () => {
  capable = await startCapableStack({ gateway: { imageHosts: [`localhost:${images.port}`] } });
});
afterAll(async () => {
  await capable.close();
  await images.stop(true);
});

const withImage = (url: string) => ({
  temperature: 0,
  messages: [{ role: "user", content: [text, { type: "image_url", image_url: { url } }] }],
});

test("S2: an image on an allowed host is fetched by the model's server, never by gateway or node", async () => {
  const body = withImage(`http://localhost:${images.port}/a.png?key=1`);
  for (const path of ["/v1/chat/completions", "/v1/chat"]) {
    expect((await post(capable.stack, path, body)).status).toBe(200);
    expect(capable.server.last.messages).toEqual(body.messages);
  }
  expect(reached).toEqual([]);
});

test("an answer about a fetched image is not cached, because the image may change", async () => {
  const body = withImage(`http://localhost:${images.port}/b.png`);
  for (let time = 0; time < 2; time++) {
    const { cache } = (await post(capable.stack, "/v1/chat", body)).body;
    expect(cache).toEqual({ status: "bypass", reason: "fetched images: send them as data URLs" });
  }
  const explained = await post(capable.stack, "/v1/cache/explain", { request: body });
  expect(explained.body).toMatchObject({ cacheable: false, reason: "fetched images: send them as data URLs" });
  const inRequest = withImage("data:image/png;base64,iVBORw0KGgo=");
  expect((await post(capable.stack, "/v1/chat", inRequest)).body.cache.status).toBe("miss");
});

test.each([
  "http://127.0.0.1:1/a.png",
  "http://localhost/a.png",
  "https://example.com/a.png",
  "http://user@localhost:1/a.png",
  "file:///etc/passwd",
])("S2: %s is refused, and no server sees it", async (url) => {
  const sent = capable.server.requests.length;
  for (const path of ["/v1/chat/completions", "/v1/chat"]) {
    const { status, body } = await post(capable.stack, path, withImage(url));
    expect([status, body.error.param]).toEqual([400, "messages.0.content.1.image_url.url"]);
  }
  const explained = await post(capable.stack, "/v1/cache/explain", { request: withImage(url) });
  expect(explained.status).toBe(400);
  expect(capable.server.requests.length).toBe(sent);
});
