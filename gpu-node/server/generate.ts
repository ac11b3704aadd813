import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { AcceptedGeneration, EngineEvent, Generation, NodeEngine } from "../engine/engine";
import { readStreaming } from "../engine/parameters";
import { type Priority, REQUEST_HEADERS, RESPONSE_HEADERS, type Timings } from "../protocol";
import { acquireSlot, type Claim } from "../queue/admission";
import type { AdmissionQueue } from "../queue/queue";
import { type AnswerSink, StreamedAnswer, WholeAnswer } from "./answers";
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

const DAY_MS = 86_400_000;

/** One generation from request to last frame: check, wait for a slot, run, and stop as soon as nobody wants it. */
export const generate = async (deps: GenerationDeps, exchange: Exchange, operation: Generation["operation"]) => {
  const { config, engine, queue, status } = deps;
  status.assertOpen();
  const claim = readClaim(exchange, config);
  const deadline = setTimeout(() => exchange.abort(tooLate()), claim.deadlineAt - exchange.arrivedAt);
  try {
    const body = await exchange.readJson(config.gateway.maxBodyBytes);
    const { stream, includeUsage } = readStreaming(body);
    const accepted = await engine.accept({ operation, body, signal: exchange.signal });
    const queuedAt = performance.now();
    const release = await acquireSlot(queue, claim);
    try {
      const clock = { arrivedAt: exchange.arrivedAt, queuedAt, startedAt: performance.now() };
      const headers = {
        [RESPONSE_HEADERS.queueMs]: `${milliseconds(clock.startedAt - queuedAt)}`,
        [RESPONSE_HEADERS.modelRevision]: accepted.model.revision,
        [RESPONSE_HEADERS.engine]: engine.name,
      };
      const Sink = stream ? StreamedAnswer : WholeAnswer;
      const sink = new Sink(exchange, operation, accepted.model, headers, includeUsage);
      await run(deps, exchange, { operation, accepted, clock, sink });
    } finally {
      release();
    }
  } finally {
    clearTimeout(deadline);
  }
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
  const pulse = status.watch();
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
    if (!end) throw new AppError("upstream_error", "The engine broke off its answer. Try again.", { source: "node" });
    const now = performance.now();
    const timings = measure(clock, firstTokenAt ?? now, now, end.usage.cachedTokens);
    sink.end(end, timings);
    metrics.answered(operation, accepted.model.id, end.usage, timings);
  } finally {
    status.stop(pulse);
    if (!end) metrics.brokeOff(accepted.model.id, tokens);
  }
};

const milliseconds = (value: number): number => Math.round(value * 1000) / 1000;

const measure = (clock: Clock, firstTokenAt: number, endAt: number, cachedTokens: number): Timings => ({
  queue_ms: milliseconds(clock.startedAt - clock.queuedAt),
  prefill_ms: milliseconds(firstTokenAt - clock.startedAt),
  ttft_ms: milliseconds(firstTokenAt - clock.arrivedAt),
  total_ms: milliseconds(endAt - clock.arrivedAt),
  cached_tokens: cachedTokens,
});

/** The request's place in the queue, from its headers. Throws invalid_request naming the header. */
const readClaim = (exchange: Exchange, { timeouts }: Config): Claim => {
  const deadlineMs = millisecondsHeader(exchange, REQUEST_HEADERS.deadlineMs, timeouts.totalMs);
  const queueMs = millisecondsHeader(exchange, REQUEST_HEADERS.queueTimeoutMs, timeouts.queueMs);
  return {
    priority: readPriority(exchange.header(REQUEST_HEADERS.priority)),
    fairKey: (exchange.header(REQUEST_HEADERS.fairKey) ?? "").slice(0, 200),
    deadlineAt: exchange.arrivedAt + deadlineMs,
    queueUntil: exchange.arrivedAt + queueMs,
    signal: exchange.signal,
  };
};

const readPriority = (value = "interactive"): Priority => {
  if (value === "interactive" || value === "batch") return value;
  throw wrongHeader(REQUEST_HEADERS.priority, "interactive or batch");
};

const millisecondsHeader = (exchange: Exchange, name: string, fallback: number): number => {
  const text = exchange.header(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= DAY_MS) return value;
  throw wrongHeader(name, `a whole number of milliseconds from 1 to ${DAY_MS}`);
};

const wrongHeader = (name: string, expected: string) =>
  new AppError("invalid_request", `The header ${name} must be ${expected}.`, { source: "node", param: name });

const tooLate = () =>
  new AppError("deadline_exceeded", "The answer was not ready before its deadline. Allow more time or ask for less.", {
    source: "node",
  });
