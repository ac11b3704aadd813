import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { BodyMemory } from "../../lib/media-body";
import { round } from "../../lib/round";
import type { Embedder, NodeEngine, Reranker } from "../engine/engine";
import { type NodeModel, type Priority, REQUEST_HEADERS, RESPONSE_HEADERS } from "../protocol";
import { type AdmissionQueue, acquireSlot, type Claim } from "../queue/queue";
import type { Exchange } from "./exchange";
import type { NodeMetrics } from "./metrics";
import type { NodeStatus } from "./status";

const DAY_MS = 86_400_000;

/** The parts of a node that its routes use. */
export interface NodeDeps {
  config: Config;
  engine: NodeEngine;
  /** The engine's queue. While a request is running in it, answers are being generated. */
  queue: AdmissionQueue;
  /** Undefined if this node does not serve embeddings. */
  embedder?: Embedder;
  /** Undefined if this node does not rerank. */
  reranker?: Reranker;
  /** The queue of the embedder and the reranker. */
  embedderQueue: AdmissionQueue;
  /** Memory for bodies with images or audio. */
  bodies: BodyMemory;
  status: NodeStatus;
  metrics: NodeMetrics;
}

/** A slot that a request holds. */
export interface Slot {
  /** A `performance.now()` value. */
  startedAt: number;
  queueMs: number;
  /** Response headers with the wait time, the engine and the model. */
  headers: Record<string, string>;
}

interface SlotWork<T> {
  /** The limit of bodies with images or audio; undefined if the models read neither. */
  media?: BodyMemory;
  /** The engine, embedder or reranker, for `x-engine`. */
  engine: { readonly name: string };
  queue: AdmissionQueue;
  /** Checks the body before the request is queued. */
  check(body: Record<string, unknown>, claim: Claim): Promise<T>;
  run(accepted: T, slot: Slot): Promise<void>;
}

/**
 * Reads and checks a request, waits for a slot, and does the work while holding the slot, all within the request's
 * deadline. Throws invalid_request for a header, and the errors of `acquireSlot` and of the work.
 */
export const withSlot = async <T extends { model: NodeModel }>(
  exchange: Exchange,
  { timeouts, gateway }: Config,
  { engine, queue, media, check, run }: SlotWork<T>,
): Promise<void> => {
  const claim = readClaim(exchange, timeouts);
  const deadline = setTimeout(() => exchange.abort(tooLate()), claim.deadlineAt - exchange.arrivedAt);
  try {
    const accepted = await check(await readBody(exchange, gateway, claim, media), claim);
    const queuedAt = performance.now();
    const release = await acquireSlot(queue, claim);
    try {
      const startedAt = performance.now();
      const queueMs = round(startedAt - queuedAt, 3);
      const headers = {
        [RESPONSE_HEADERS.queueMs]: `${queueMs}`,
        [RESPONSE_HEADERS.modelRevision]: accepted.model.revision,
        [RESPONSE_HEADERS.engine]: engine.name,
      };
      await run(accepted, { startedAt, queueMs, headers });
    } finally {
      release();
    }
  } finally {
    clearTimeout(deadline);
  }
};

const readBody = (
  exchange: Exchange,
  { maxBodyBytes, maxMediaBodyBytes }: Config["gateway"],
  { fairKey }: Claim,
  media: BodyMemory | undefined,
): Promise<Record<string, unknown>> =>
  media
    ? exchange.readJson(Math.max(maxBodyBytes, maxMediaBodyBytes), media.open(fairKey, maxBodyBytes))
    : exchange.readJson(maxBodyBytes);

const readClaim = (exchange: Exchange, timeouts: Config["timeouts"]): Claim => {
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
  new AppError("invalid_request", `The ${name} header must be ${expected}.`, { param: name });

const tooLate = () =>
  new AppError("deadline_exceeded", "The answer missed its deadline. Allow more time or request a shorter answer.");
