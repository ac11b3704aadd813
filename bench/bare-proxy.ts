/**
 * The baseline for the gateway: Elysia forwards to one node over one HTTP/2 connection, without keys, limits, caching,
 * validation, logging or metrics.
 */
import http2 from "node:http2";
import { Elysia } from "elysia";

const session = http2.connect(process.env.NODE_URL ?? "http://127.0.0.1:8081");

const REQUEST = { ":method": "POST", ":path": "/v1/chat/completions", "content-type": "application/json" };

const forward = (body: string): Promise<Response> =>
  new Promise((resolve, reject) => {
    const stream = session.request(REQUEST);
    stream.once("response", (headers) => {
      const content = new ReadableStream<Uint8Array>({
        start(controller) {
          stream.on("data", (chunk: Buffer) => controller.enqueue(chunk));
          stream.on("end", () => controller.close());
        },
      });
      resolve(new Response(content, { headers: { "content-type": String(headers["content-type"]) } }));
    });
    stream.once("error", reject);
    stream.end(body);
  });

const collect = (body: string): Promise<Response> =>
  new Promise((resolve, reject) => {
    const stream = session.request(REQUEST);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () =>
      resolve(new Response(Buffer.concat(chunks), { headers: { "content-type": "application/json" } })),
    );
    stream.once("error", reject);
    stream.end(body);
  });

new Elysia()
  .get("/healthz", () => "ok")
  .post("/v1/chat/completions", ({ body }) => collect(JSON.stringify(body)), { parse: "json" })
  .post("/stream", ({ body }) => forward(JSON.stringify(body)), { parse: "json" })
  .listen({ hostname: "127.0.0.1", port: Number(process.env.PORT ?? 0), development: false });
