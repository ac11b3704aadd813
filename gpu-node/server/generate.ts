import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import type { AcceptedGeneration, EngineEvent, Generation, NodeEngine } from "../engine/engine";
import { readStreaming } from "../engine/parameters";
import { RESPONSE_HEADERS, type Timings } from "../protocol";
import { acquireSlot } from "../queue/admission";
import type { AdmissionQueue } from "../queue/queue";
import { type AnswerSink, StreamedAnswer, WholeAnswer } from "./answers";
import { withClaim } from "./claim";
import type { Exchange } from "./exchange";
import type { NodeMetrics } from "./metrics";
import type { NodeStatus } from "./status";

export interface GenerationDeps {
  config: Config;
  engine: NodeEngine;
  queue: AdmissionQueue;
  status: NodeStatus;
  metrics: NodeMetrics;
}

/** One generation from request to last frame: check, wait for a slot, run, and stop if the client disconnects. */
export const generate = (
  deps: GenerationDeps,
  exchange: Exchange,
  operation: Generation["operation"],
): Promise<void> => {
  const { config, engine, queue, status } = deps;
  status.assertOpen();
  return withClaim(exchange, config, async (claim) => {
    const body = await exchange.readJson(config.gateway.maxBodyBytes);
    const { stream, includeUsage } = readStreaming(body);
    const accepted = await engine.accept({ operation, body, signal: exchange.signal });
    const queuedAt = performance.now();
    const release = await acquireSlot(queue, claim);
    try {
      const clock = { arrivedAt: exchange.arrivedAt, queuedAt, startedAt: performance.now() };
      const headers = {
        [RESPONSE_HEADERS.queueMs]: `${round(clock.startedAt - queuedAt, 3)}`,
        [RESPONSE_HEADERS.modelRevision]: accepted.model.revision,
        [RESPONSE_HEADERS.engine]: engine.name,
      };
      const Sink = stream ? StreamedAnswer : WholeAnswer;
      const sink = new Sink(exchange, operation, accepted.model, headers, includeUsage);
      await run(deps, exchange, { operation, accepted, clock, sink });
    } finally {
      release();
    }
  });
};

interface Clock {
  arrivedAt: number;
  queuedAt: number;
  startedAt: number;
}

interface Run {
  operation: Generation["operation"];
  accepted: AcceptedGeneration;
  clock: Clock;
  sink: AnswerSink;
}

/** Carries the engine's events to the client, no faster than the client reads. */
const run = async (
  { status, metrics }: GenerationDeps,
  exchange: Exchange,
  { operation, accepted, clock, sink }: Run,
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
    if (!end) throw new AppError("upstream_error", "The engine broke off its answer. Try again.");
    const now = performance.now();
    const timings = measure(clock, firstTokenAt ?? now, now, end.usage.cachedTokens);
    sink.end(end, timings);
    metrics.answered(operation, accepted.model.id, end.usage, timings);
  } finally {
    status.answers.stop(pulse);
    if (!end) metrics.brokeOff(accepted.model.id, tokens);
  }
};

const measure = (clock: Clock, firstTokenAt: number, endAt: number, cachedTokens: number): Timings => ({
  queue_ms: round(clock.startedAt - clock.queuedAt, 3),
  prefill_ms: round(firstTokenAt - clock.startedAt, 3),
  ttft_ms: round(firstTokenAt - clock.arrivedAt, 3),
  total_ms: round(endAt - clock.arrivedAt, 3),
  cached_tokens: cachedTokens,
});
