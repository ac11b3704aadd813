import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { NodeReadiness } from "../gpu-node/protocol";

/** How the node answers a generation: an error, a complete answer, a stream that breaks off, or not at all. */
export type NodeAnswer =
  | { status: number; body: object; headers?: Record<string, string> }
  | ("answer" | "break off" | "hang");

export interface FailingNode {
  url: string;
  /** The generations that it received, in order. */
  readonly bodies: string[];
  /** Decides each answer; can be replaced at any time. */
  answer: (body: string) => NodeAnswer;
  readiness: NodeReadiness;
  close(): Promise<void>;
}

const MODEL = "smollm2-135m-instruct";

export const unavailable = (retryAfterMs?: number): NodeAnswer => ({
  status: 503,
  headers: retryAfterMs === undefined ? {} : { "retry-after-ms": String(retryAfterMs) },
  body: { error: { message: "The engine is not available.", code: "unavailable", retryable: true } },
});

/** A GPU node that reports itself ready over HTTP/2 and answers generations as the test decides. */
export const startFailingNode = async (answer: (body: string) => NodeAnswer): Promise<FailingNode> => {
  const readiness: NodeReadiness = {
    ...{ state: "ready", engine: "failing", synthetic: true, version: "0.0.0" },
    models: [{ id: MODEL, kind: "chat", revision: "r1", context_window: 4096 }],
    slots: { total: 8, running: 0 },
    queue: { depth: 0, capacity: 8 },
  };
  const bodies: string[] = [];
  const node: FailingNode = { url: "", bodies, answer, readiness, close: async () => {} };
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    const json = (status: number, body: object, more = {}) => {
      stream.respond({ ":status": status, "content-type": "application/json", ...more });
      stream.end(JSON.stringify(body));
    };
    if (headers[":path"] === "/readyz") return json(node.readiness.state === "ready" ? 200 : 503, node.readiness);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      bodies.push(body);
      const given = node.answer(body);
      if (given === "hang") return;
      if (typeof given === "object") return json(given.status, given.body, given.headers);
      if (given === "break off") {
        stream.respond({ ":status": 200, "content-type": "text/event-stream", "x-model-revision": "r1" });
        stream.write(`data: ${JSON.stringify(chunkOf(body))}\n\n`, () => stream.close());
        return;
      }
      if (JSON.parse(body).stream === true) {
        stream.respond({ ":status": 200, "content-type": "text/event-stream", "x-model-revision": "r1" });
        stream.end(`data: ${JSON.stringify(chunkOf(body))}\n\ndata: [DONE]\n\n`);
      } else json(200, completionOf(body), { "x-model-revision": "r1" });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  node.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  node.close = async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return node;
};

const head = (body: string) => ({ id: "chatcmpl-1", created: 1_795_464_900, model: JSON.parse(body).model });
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

const chunkOf = (body: string) => ({
  ...{ ...head(body), object: "chat.completion.chunk", usage },
  choices: [{ index: 0, delta: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
});

const completionOf = (body: string) => {
  const isChat = "messages" in JSON.parse(body);
  const content = isChat ? { message: { role: "assistant", content: "Hello" } } : { text: "Hello" };
  return {
    ...{ ...head(body), object: isChat ? "chat.completion" : "text_completion", usage },
    choices: [{ index: 0, ...content, finish_reason: "stop" }],
  };
};
