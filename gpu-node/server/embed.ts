import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import { type EncodingFormat, encodeVector } from "../../lib/vectors";
import type { AcceptedEmbeddings, Embedder } from "../engine/embedder";
import { readEncodingFormat } from "../engine/embedding-parameters";
import { type EmbeddingAnswer, RESPONSE_HEADERS } from "../protocol";
import { acquireSlot } from "../queue/admission";
import type { AdmissionQueue } from "../queue/queue";
import { withClaim } from "./claim";
import type { Exchange } from "./exchange";
import type { NodeMetrics } from "./metrics";
import type { NodeStatus } from "./status";

export interface EmbeddingDeps {
  config: Config;
  /** Left out: this node makes no embeddings. */
  embedder?: Embedder;
  embedderQueue: AdmissionQueue;
  /** Of the engine: whether answers are generated meanwhile. */
  queue: AdmissionQueue;
  status: NodeStatus;
  metrics: NodeMetrics;
}

/** `POST /v1/embeddings` from request to response: check, wait for a slot, run, and stop if the client disconnects. */
export const embed = async (deps: EmbeddingDeps, exchange: Exchange): Promise<void> => {
  const { config, embedder, embedderQueue, queue, status } = deps;
  status.assertOpen();
  if (!embedder) throw noEmbedder();
  await withClaim(exchange, config, async (claim) => {
    const body = await exchange.readJson(config.gateway.maxBodyBytes);
    const format = readEncodingFormat(body);
    const accepted = await embedder.accept({ ...claim, body, isAnswering: () => queue.running > 0 });
    const queuedAt = performance.now();
    const release = await acquireSlot(embedderQueue, claim);
    try {
      await run(deps, embedder, exchange, { accepted, format, queueMs: round(performance.now() - queuedAt, 3) });
    } finally {
      release();
    }
  });
};

interface Run {
  accepted: AcceptedEmbeddings;
  format: EncodingFormat;
  queueMs: number;
}

const run = async (
  { status, metrics }: EmbeddingDeps,
  embedder: Embedder,
  exchange: Exchange,
  { accepted, format, queueMs }: Run,
): Promise<void> => {
  const { model, inputs } = accepted;
  /** Written one by one, because serializing thousands of vectors in one step would block other requests. */
  const items: string[] = [];
  const pulse = status.embeddings.watch();
  let tokens = 0;
  let timings: EmbeddingAnswer["timings"] | undefined;
  try {
    for await (const { index, vector, tokens: count } of accepted.start()) {
      if (exchange.ended) return;
      pulse.beatAt = performance.now();
      tokens += count;
      const embedding = encodeVector(vector, format);
      const item: EmbeddingAnswer["data"][number] = { object: "embedding", index, embedding, tokens: count };
      items[index] = JSON.stringify(item);
    }
    if (Object.keys(items).length < inputs) throw brokenOff();
    timings = { queue_ms: queueMs, total_ms: round(performance.now() - exchange.arrivedAt, 3) };
    const rest: Omit<EmbeddingAnswer, "data"> = {
      object: "list",
      model: model.id,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      timings,
    };
    const json = `${JSON.stringify(rest).slice(0, -1)},"data":[${items.join(",")}]}`;
    exchange.send(200, "application/json", json, {
      [RESPONSE_HEADERS.queueMs]: `${queueMs}`,
      [RESPONSE_HEADERS.modelRevision]: model.revision,
      [RESPONSE_HEADERS.engine]: embedder.name,
    });
  } finally {
    status.embeddings.stop(pulse);
    metrics.embedded(model.id, tokens, timings);
  }
};

const brokenOff = (): AppError => new AppError("upstream_error", "The embedder broke off. Try again.");

const noEmbedder = (): AppError =>
  new AppError("model_not_found", "This node has no embedding model. Set GROUNDWIRE_NODE_EMBEDDER on it.", {
    param: "model",
  });
