import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import type { AcceptedRanking } from "../engine/engine";
import type { RerankAnswer } from "../protocol";
import type { Exchange } from "./exchange";
import { type NodeDeps, type Slot, withSlot } from "./slot";
import { traceAnswer } from "./trace";

/** Handles `POST /v1/rerank` from request to response. Requests wait in the same queue as embeddings. */
export const rerank = (deps: NodeDeps, exchange: Exchange): Promise<void> => {
  const { config, reranker, embedderQueue, queue, status } = deps;
  status.assertOpen();
  if (!reranker) {
    const message =
      "This node has no rerank model. Set GROUNDWIRE_RERANK_MODEL or GROUNDWIRE_NODE_RERANKER_URL on the node.";
    throw new AppError("model_not_found", message, { param: "model" });
  }
  return withSlot(exchange, config, {
    engine: reranker,
    queue: embedderQueue,
    check: (body, claim) => reranker.accept({ ...claim, body, isAnswering: () => queue.running > 0 }),
    run: (accepted, slot) => run(deps, exchange, accepted, slot),
  });
};

const run = async (
  { status, metrics }: NodeDeps,
  exchange: Exchange,
  { model, documents, start }: AcceptedRanking,
  slot: Slot,
): Promise<void> => {
  const results: RerankAnswer["results"] = [];
  const pulse = status.embeddings.watch();
  let total = 0;
  let timings: RerankAnswer["timings"] | undefined;
  try {
    for await (const { index, score, tokens } of start()) {
      if (exchange.ended) return;
      pulse.beatAt = performance.now();
      total += tokens;
      results.push({ index, relevance_score: score, tokens });
    }
    if (results.length < documents)
      throw new AppError("upstream_error", "The reranker returned too few scores. Try again.");
    timings = { queue_ms: slot.queueMs, total_ms: round(performance.now() - exchange.arrivedAt, 3) };
    const answer: RerankAnswer = {
      model: model.id,
      results: results.sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index),
      usage: { prompt_tokens: total, total_tokens: total },
      timings,
    };
    exchange.json(200, answer, slot.headers);
    if (exchange.span) {
      traceAnswer(exchange.span, { operation: "rerank", model: model.id, slot, usage: { promptTokens: total } });
    }
  } finally {
    status.embeddings.stop(pulse);
    metrics.textsRead("rerank", model.id, total, timings);
  }
};
