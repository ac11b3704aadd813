import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { type RunningNode, type StartNodeOptions, startNode } from "../gpu-node/node";
import type { NodeReadiness } from "../gpu-node/protocol";
import type { Config } from "../lib/config";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";

/* Helpers for tests of the node: a real node on a free port, and a real HTTP/2 client. */

type Overrides = { node?: Partial<Config["node"]>; synthetic?: Partial<Config["synthetic"]>; token?: string };

export const testConfig = ({ node, synthetic, token }: Overrides = {}): Config => {
  const config = defaultConfig();
  return {
    ...config,
    gateway: { ...config.gateway, nodeToken: token, maxBodyBytes: 64 * 1024, maxMediaBodyBytes: 1024 * 1024 },
    node: { ...config.node, engine: "synthetic", ...node, port: 0 },
    synthetic: { ...config.synthetic, ...synthetic },
  };
};

/** A running node, closed by `using`. */
export const testNode = async (
  overrides: Overrides = {},
  options: Partial<StartNodeOptions> = {},
): Promise<RunningNode & AsyncDisposable> => {
  const node = await startNode(testConfig(overrides), { log: silentLog(), ...options });
  return { ...node, [Symbol.asyncDispose]: () => node.close(0) };
};

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** 0 if the stream ended normally. */
  code: number;
}

interface Call {
  method?: string;
  headers?: Record<string, string>;
  /** The request body. Objects are sent as JSON. */
  body?: unknown;
}

/** One HTTP/2 connection. */
export class TestClient implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(url: string, options: http2.SecureClientSessionOptions = {}) {
    this.session = http2.connect(url, options);
    this.session.on("error", () => {});
  }

  /** Sends a request and returns the open stream. */
  open(path: string, { method, headers, body }: Call = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ":path": path,
      ":method": method ?? (body === undefined ? "GET" : "POST"),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    });
    stream.on("error", () => {});
    stream.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
    return stream;
  }

  request(path: string, call: Call = {}): Promise<Reply> {
    const stream = this.open(path, call);
    return new Promise((resolve) => {
      let headers: IncomingHttpHeaders = {};
      const chunks: Buffer[] = [];
      stream.on("response", (received) => {
        headers = received;
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("close", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: Number(headers[":status"] ?? 0), headers, text, code: stream.rstCode ?? 0 });
      });
    });
  }

  chat(
    content: string,
    parameters: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    return this.request("/v1/chat/completions", { headers, body: chatBody(content, parameters) });
  }

  async readiness(): Promise<NodeReadiness> {
    return JSON.parse((await this.request("/readyz")).text);
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

export const chatBody = (content: string, parameters: Record<string, unknown> = {}) => ({
  messages: [{ role: "user", content }],
  ...parameters,
});

/** Resolves when the stream has delivered its first bytes. */
export const firstBytes = (stream: ClientHttp2Stream): Promise<void> =>
  new Promise((resolve) => stream.once("data", () => resolve()));

export const closed = (stream: ClientHttp2Stream): Promise<void> =>
  new Promise((resolve) => stream.once("close", () => resolve()));

/** The JSON of each Server-Sent Event; `[DONE]` is returned as a string. */
export const events = (text: string): unknown[] =>
  text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^data: /, ""))
    .map((data) => (data === "[DONE]" ? data : JSON.parse(data)));
