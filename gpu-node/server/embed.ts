import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import { type EncodingFormat, encodeVector } from "../../lib/vectors";
import type { AcceptedEmbeddings } from "../engine/engine";
import { readEncodingFormat } from "../engine/parameters";
import type { EmbeddingAnswer } from "../protocol";
import type { Exchange } from "./exchange";
import { type NodeDeps, type Slot, withSlot } from "./slot";
import { traceAnswer } from "./trace";

/** `POST /v1/embeddings` from request to response: check, wait for a slot, run, and stop if the client disconnects. */
export const embed = (deps: NodeDeps, exchange: Exchange): Promise<void> => {
  const { config, embedder, embedderQueue, queue, status } = deps;
  status.assertOpen();
  if (!embedder) {
    const message = "This node has no embedding model. Set GROUNDWIRE_NODE_EMBEDDER on the node.";
    throw new AppError("model_not_found", message, { param: "model" });
  }
  return withSlot(exchange, config, {
    engine: embedder,
    queue: embedderQueue,
    check: async (body, claim) => {
      const format = readEncodingFormat(body);
      return { ...(await embedder.accept({ ...claim, body, isAnswering: () => queue.running > 0 })), format };
    },
    run: (accepted, slot) => run(deps, exchange, accepted, slot),
  });
};

const run = async (
  { status, metrics }: NodeDeps,
  exchange: Exchange,
  { model, inputs, start, format }: AcceptedEmbeddings & { format: EncodingFormat },
  slot: Slot,
): Promise<void> => {
  const { queueMs, headers } = slot;
  /** Serialized one by one, because serializing thousands of vectors at a time would block other requests. */
  const items: string[] = [];
  const pulse = status.embeddings.watch();
  let tokens = 0;
  let timings: EmbeddingAnswer["timings"] | undefined;
  try {
    for await (const { index, vector, tokens: count } of start()) {
      if (exchange.ended) return;
      pulse.beatAt = performance.now();
      tokens += count;
      const embedding = encodeVector(vector, format);
      const item: EmbeddingAnswer["data"][number] = { object: "embedding", index, embedding, tokens: count };
      items[index] = JSON.stringify(item);
    }
    if (Object.keys(items).length < inputs)
      throw new AppError("upstream_error", "The embedder returned too few vectors. Try again.");
    timings = { queue_ms: queueMs, total_ms: round(performance.now() - exchange.arrivedAt, 3) };
    const rest: Omit<EmbeddingAnswer, "data"> = {
      object: "list",
      model: model.id,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      timings,
    };
    const json = `${JSON.stringify(rest).slice(0, -1)},"data":[${items.join(",")}]}`;
    exchange.send(200, "application/json", json, headers);
    if (exchange.span) {
      traceAnswer(exchange.span, { operation: "embedding", model: model.id, slot, usage: { promptTokens: tokens } });
    }
  } finally {
    status.embeddings.stop(pulse);
    metrics.textsRead("embedding", model.id, tokens, timings);
  }
};
