import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import type { AcceptedGeneration, EngineEvent, Generation } from "../engine/engine";
import { readStreaming } from "../engine/parameters";
import { type AnswerSink, documentAnswer, streamedAnswer } from "./answers";
import type { Exchange } from "./exchange";
import { type NodeDeps, type Slot, withSlot } from "./slot";

/** Handles one generation from request to last frame: check, wait for a slot, run, stop if the client disconnects. */
export const generate = (deps: NodeDeps, exchange: Exchange, operation: Generation["operation"]): Promise<void> => {
  const { config, engine, queue, status } = deps;
  status.assertOpen();
  return withSlot(exchange, config, {
    engine,
    queue,
    check: async (body) => {
      const streaming = readStreaming(body);
      return { ...(await engine.accept({ operation, body, signal: exchange.signal })), ...streaming };
    },
    run: (accepted, slot) => {
      const target = { exchange, operation, model: accepted.model, headers: slot.headers };
      const sink = accepted.stream ? streamedAnswer(target, accepted.includeUsage) : documentAnswer(target);
      return run(deps, exchange, { operation, accepted, slot, sink });
    },
  });
};

interface Run {
  operation: Generation["operation"];
  accepted: AcceptedGeneration;
  slot: Slot;
  sink: AnswerSink;
}

/** Forwards the engine's events to the client, no faster than the client reads. */
const run = async (
  { status, metrics }: NodeDeps,
  exchange: Exchange,
  { operation, accepted, slot, sink }: Run,
): Promise<void> => {
  const pulse = status.answers.watch();
  let firstTokenAt: number | undefined;
  let end: Extract<EngineEvent, { type: "end" }> | undefined;
  let tokens = 0;
  try {
    for await (const event of accepted.start()) {
      if (exchange.ended) break;
      pulse.beatAt = performance.now();
      if (event.type === "end") {
        end = event;
        break;
      }
      firstTokenAt ??= pulse.beatAt;
      tokens += event.type === "delta" ? event.tokens : 1;
      const ready = event.type === "delta" ? sink.delta(event) : sink.raw(event.data);
      if (ready) {
        pulse.held = true;
        await ready;
        pulse.held = false;
        pulse.beatAt = performance.now();
      }
    }
    if (exchange.ended) return;
    if (!end) throw new AppError("upstream_error", "The engine stopped in the middle of its answer. Try again.");
    const now = performance.now();
    const firstAt = firstTokenAt ?? now;
    const timings = {
      queue_ms: slot.queueMs,
      prefill_ms: round(firstAt - slot.startedAt, 3),
      ttft_ms: round(firstAt - exchange.arrivedAt, 3),
      total_ms: round(now - exchange.arrivedAt, 3),
      cached_tokens: end.usage.cachedTokens,
    };
    sink.end(end, timings);
    metrics.answered(operation, accepted.model.id, end.usage, timings);
  } finally {
    status.answers.stop(pulse);
    if (!end) metrics.brokeOff(accepted.model.id, tokens);
  }
};
