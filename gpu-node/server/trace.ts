import type { AppError } from "../../lib/errors";
import { OPERATIONS, PROVIDER } from "../../lib/tracing/gen-ai";
import type { Span, Tracer } from "../../lib/tracing/tracer";
import type { EngineUsage } from "../engine/engine";
import { REQUEST_HEADERS } from "../protocol";
import type { Exchange } from "./exchange";
import type { Slot } from "./slot";

/** Starts the span of a request whose path is a route of the node. */
export const traceRequest = (tracer: Tracer, exchange: Exchange): Span => {
  const { method, path, requestId, arrivedAt } = exchange;
  return tracer.start(`${method} ${path}`, {
    kind: "server",
    parent: exchange.traceparent,
    at: arrivedAt,
    attributes: {
      "http.request.method": method,
      "http.route": path,
      "groundwire.request.id": requestId,
      "groundwire.priority": exchange.header(REQUEST_HEADERS.priority) ?? "interactive",
    },
  });
};

export const endRequest = (span: Span, failure: AppError | undefined): void => {
  span.set({ "http.response.status_code": failure?.status ?? 200 });
  if (failure) span.fail(failure.kind, failure.status >= 500);
  span.end();
};

interface Answered {
  operation: keyof typeof OPERATIONS;
  model: string;
  slot: Slot;
  /** A `performance.now()` value; undefined for embeddings, for reranking, and if there were no tokens. */
  firstTokenAt?: number;
  usage: Pick<EngineUsage, "promptTokens"> & Partial<EngineUsage>;
  finishReason?: string;
}

/** The step in which a model reads its input. */
const STEPS = { chat: "prefill", completion: "prefill", embedding: "embed", rerank: "rank" } as const;

/** Adds the model, the tokens and the stages of a complete answer to its span. */
export const traceAnswer = (
  span: Span,
  { operation, model, slot, firstTokenAt, usage, finishReason }: Answered,
): void => {
  const now = performance.now();
  span.set({
    "gen_ai.operation.name": OPERATIONS[operation],
    "gen_ai.provider.name": PROVIDER,
    "gen_ai.response.model": model,
    "gen_ai.response.finish_reasons": finishReason && [finishReason],
    "gen_ai.usage.input_tokens": usage.promptTokens,
    "gen_ai.usage.output_tokens": usage.completionTokens,
    "gen_ai.usage.cache_read.input_tokens": usage.cachedTokens,
  });
  span.step("queue", slot.startedAt - slot.queueMs, slot.startedAt);
  span.step(STEPS[operation], slot.startedAt, firstTokenAt ?? now);
  if (firstTokenAt !== undefined) span.step("decode", firstTokenAt, now);
};
