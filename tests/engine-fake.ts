import type { Engine, EngineReply, EngineRequest, NodeView } from "../gateway/ports/engine";
import type { Prefixes } from "../gpu-node/protocol";
import { AppError } from "../lib/errors";
import { encodeVector } from "../lib/vectors";

export interface FakeEngineOptions {
  model?: string;
  embeddingModel?: string;
  /** Of the embedding model. */
  prefixes?: Prefixes;
  words?: string[];
  refuse?: (request: EngineRequest) => AppError | undefined;
  /** Awaited before each delta, so that a test can pause a stream. */
  beforePiece?: (index: number) => Promise<void>;
}

const encoder = new TextEncoder();

/**
 * An in-memory engine for unit tests: one node, one model of each kind, and always the same words. A text's vector is
 * [its length, 1], and it counts as that many tokens. `requests` records the requests it received.
 */
export const fakeEngine = (
  options: FakeEngineOptions = {},
): Engine & { requests: EngineRequest[]; running(): number } => {
  const {
    model = "fake-model",
    embeddingModel = "fake-embedder",
    prefixes,
    words = ["Hello", " ", "world"],
    refuse,
    beforePiece,
  } = options;
  const requests: EngineRequest[] = [];
  let running = 0;
  let isDrained = false;
  const usage = { prompt_tokens: 3, completion_tokens: words.length, total_tokens: 3 + words.length };
  const head = { id: "chatcmpl-fake", created: 1_795_464_900, model };
  const data = (chunk: object) => `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...chunk })}\n\n`;

  const vectors = (request: EngineRequest): string => {
    const { input }: { input: string[] } = JSON.parse(request.body);
    const data = input.map((text, index) => ({
      object: "embedding",
      index,
      embedding: encodeVector(Float32Array.of(text.length, 1), "base64"),
      tokens: text.length,
    }));
    return JSON.stringify({ object: "list", data });
  };

  const pieces = async function* (request: EngineRequest): AsyncGenerator<Uint8Array> {
    const left = Promise.withResolvers<never>();
    left.promise.catch(() => undefined);
    const leave = () => left.reject(new AppError("client_closed", "The caller disconnected."));
    request.signal.addEventListener("abort", leave, { once: true });
    running++;
    try {
      if (request.signal.aborted) leave();
      if (request.route === "/v1/embeddings") {
        await Promise.race([beforePiece?.(0), left.promise]);
        yield encoder.encode(vectors(request));
        return;
      }
      for (const [index, text] of words.entries()) {
        await Promise.race([beforePiece?.(index), left.promise]);
        if (!request.stream) continue;
        const delta = index === 0 ? { role: "assistant", content: text } : { content: text };
        yield encoder.encode(data({ choices: [{ index: 0, delta, finish_reason: null }] }));
      }
      yield encoder.encode(request.stream ? end() : whole());
    } finally {
      running--;
      request.signal.removeEventListener("abort", leave);
    }
  };
  const end = (): string =>
    `${data({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}${data({ choices: [], usage })}data: [DONE]\n\n`;
  const whole = (): string =>
    JSON.stringify({
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: words.join("") }, finish_reason: "stop" }],
      usage,
    });

  const since = new Date();
  const view = (): NodeView => ({
    id: "fake",
    url: "http://fake",
    state: isDrained ? "draining" : "ready",
    since,
    outstanding: running,
    latencyMs: 0,
    isDrained,
    readiness: {
      state: "ready",
      engine: "fake",
      synthetic: true,
      version: "0.0.0",
      models: [
        { id: model, kind: "chat", revision: "fake-revision", context_window: 4096 },
        {
          id: embeddingModel,
          kind: "embedding",
          revision: "fake-revision",
          context_window: 512,
          dimensions: 2,
          prefixes,
        },
      ],
      slots: { total: 8, running },
      queue: { depth: 0, capacity: 16 },
    },
  });

  return {
    requests,
    running: () => running,
    async open() {},
    async request(request): Promise<EngineReply> {
      requests.push(request);
      if (request.signal.aborted) throw new AppError("client_closed", "The caller disconnected.");
      const refusal = refuse?.(request);
      if (refusal) throw refusal;
      if (request.model !== (request.route === "/v1/embeddings" ? embeddingModel : model)) {
        throw new AppError("model_not_found", `Model "${request.model}" not found.`, { param: "model" });
      }
      return {
        node: "fake",
        modelRevision: "fake-revision",
        engine: "fake",
        retries: 0,
        queueMs: 0,
        body: pieces(request),
      };
    },
    nodes: () => [view()],
    check: async (node) => (node === "fake" ? [{ model, latencyMs: 1 }] : []),
    drain(node, drained) {
      if (node === "fake") isDrained = drained;
    },
    async close() {},
  };
};
