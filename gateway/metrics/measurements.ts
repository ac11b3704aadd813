import type { ErrorKind } from "../../lib/errors";
import { type GenerationSample, isAnswer, type RequestSample } from "../ports/recorder";
import { errorKindOf, isCancelled, isFailure, isServerFault } from "./fault-domain";
import { LogHistogram } from "./histogram";

type ErrorCode = ErrorKind | "unclassified";

/** Requests, with their outcomes, and the latency in milliseconds of those that weren't cancelled. */
export class Traffic {
  requests = 0;
  errors = 0;
  /** Ended by the client. */
  cancelled = 0;
  readonly errorsByCode = new Map<ErrorCode, number>();
  readonly latency = new LogHistogram();

  record(sample: RequestSample): void {
    this.requests++;
    if (isCancelled(sample)) {
      this.cancelled++;
      return;
    }
    this.latency.record(sample.durationMs);
    if (!isFailure(sample)) return;
    this.errors++;
    this.addErrors(errorKindOf(sample) ?? "unclassified", 1);
  }

  addErrors(code: ErrorCode, count: number): void {
    this.errorsByCode.set(code, (this.errorsByCode.get(code) ?? 0) + count);
  }

  /** The errors that a node or the gateway caused. */
  get serverErrors(): number {
    const ours = [...this.errorsByCode].filter(([code]) => isServerFault(code));
    return ours.reduce((sum, [, count]) => sum + count, 0);
  }

  merge(other: Traffic): void {
    this.requests += other.requests;
    this.errors += other.errors;
    this.cancelled += other.cancelled;
    this.latency.merge(other.latency);
    for (const [code, count] of other.errorsByCode) this.addErrors(code, count);
  }
}

/** What one key has used. Answers from the cache use no machine time and no tokens. */
export class KeyUse {
  requests = 0;
  promptTokens = 0;
  completionTokens = 0;
  /** Time of all machines together, in milliseconds: a slot held for t ms counts as t divided by the number of slots. */
  machineMs = 0;
  /** The part of `machineMs` that jobs workers used for the key. */
  jobMachineMs = 0;

  merge(other: KeyUse): void {
    this.requests += other.requests;
    this.promptTokens += other.promptTokens;
    this.completionTokens += other.completionTokens;
    this.machineMs += other.machineMs;
    this.jobMachineMs += other.jobMachineMs;
  }
}

/** Sums of the checks of one node. Divide by `looks` for means. */
export class NodeUse {
  looks = 0;
  up = 0;
  slots = 0;
  running = 0;
  waiting = 0;
  maxWaiting = 0;
  /** Memory in use on the machine, in bytes, summed over the `memoryLooks` checks in which the node reported it. */
  memoryBytes = 0;
  memoryLooks = 0;

  merge(other: NodeUse): void {
    this.looks += other.looks;
    this.up += other.up;
    this.slots += other.slots;
    this.running += other.running;
    this.waiting += other.waiting;
    this.maxWaiting = Math.max(this.maxWaiting, other.maxWaiting);
    this.memoryBytes += other.memoryBytes;
    this.memoryLooks += other.memoryLooks;
  }
}

/** Slots on all nodes together. */
export interface Slots {
  answers: number;
  embeddings: number;
}

const STAGES = ["gateway", "queue", "ttft", "generation", "total", "embedding", "rerank"] as const;
const HIT_KINDS = ["memory", "redis", "in_flight"] as const;

/** All measurements of a period. Stages are in milliseconds. */
export class Measurements {
  /** By method and route pattern, separated by a space. */
  readonly routes = new Map<string, Traffic>();
  readonly stages = {
    gateway: new LogHistogram(),
    queue: new LogHistogram(),
    ttft: new LogHistogram(),
    generation: new LogHistogram(),
    total: new LogHistogram(),
    embedding: new LogHistogram(),
    rerank: new LogHistogram(),
  };
  /** Chats and completions, including those from the cache and those that failed. */
  answers = 0;
  readonly hits = { memory: 0, redis: 0, in_flight: 0 };
  misses = 0;
  bypasses = 0;
  /** Tokens of generations, excluding answers that came from the cache or were joined. */
  promptTokens = 0;
  completionTokens = 0;
  readonly keys = new Map<string, KeyUse>();
  readonly nodes = new Map<string, NodeUse>();

  request(route: string, sample: RequestSample): void {
    entryOf(this.routes, route, Traffic).record(sample);
  }

  generation(sample: GenerationSample, slots: Slots): void {
    const { cache, totalMs, queueMs, gatewayMs } = sample;
    if (cache.status === "hit" || cache.status === "joined") this.hits[cache.kind ?? "memory"]++;
    else if (cache.status === "miss") this.misses++;
    else this.bypasses++;
    const key = entryOf(this.keys, sample.caller.keyId, KeyUse);
    key.requests++;
    const { operation } = sample;
    if (operation === "embedding" || operation === "rerank") this.stages[operation].record(totalMs);
    else this.#answer(sample);
    if (cache.status === "hit" || cache.status === "joined") return;
    this.promptTokens += sample.promptTokens;
    this.completionTokens += sample.completionTokens;
    key.promptTokens += sample.promptTokens;
    key.completionTokens += sample.completionTokens;
    const heldMs = Math.max(0, totalMs - queueMs - (gatewayMs ?? 0));
    const machineMs = heldMs / Math.max(1, isAnswer(operation) ? slots.answers : slots.embeddings);
    key.machineMs += machineMs;
    if (sample.caller.via === "worker") key.jobMachineMs += machineMs;
  }

  /** Stages of an answer that failed or was cancelled are not complete, so only its waiting time counts. */
  #answer({ cache, ttftMs, totalMs, queueMs, gatewayMs, errorKind }: GenerationSample): void {
    const { stages } = this;
    this.answers++;
    if (gatewayMs !== undefined) stages.gateway.record(gatewayMs);
    if (cache.status !== "hit") stages.queue.record(queueMs);
    if (errorKind !== undefined) return;
    stages.ttft.record(ttftMs);
    stages.total.record(totalMs);
    if (cache.status !== "hit") stages.generation.record(totalMs - ttftMs);
  }

  /** API requests and submitted forms. Page views, files and probes would hide them, so they are only in `routes`. */
  traffic(): Traffic {
    const all = new Traffic();
    for (const [route, traffic] of this.routes) if (!/^(GET|HEAD) \/(?!v1\/)/.test(route)) all.merge(traffic);
    return all;
  }

  merge(other: Measurements): void {
    mergeEntries(this.routes, other.routes, Traffic);
    for (const stage of STAGES) this.stages[stage].merge(other.stages[stage]);
    for (const kind of HIT_KINDS) this.hits[kind] += other.hits[kind];
    this.answers += other.answers;
    this.misses += other.misses;
    this.bypasses += other.bypasses;
    this.promptTokens += other.promptTokens;
    this.completionTokens += other.completionTokens;
    mergeEntries(this.keys, other.keys, KeyUse);
    mergeEntries(this.nodes, other.nodes, NodeUse);
  }
}

/** The entry of a key, created on first use. */
export const entryOf = <T>(entries: Map<string, T>, key: string, Entry: new () => T): T => {
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = new Entry();
    entries.set(key, entry);
  }
  return entry;
};

const mergeEntries = <T extends { merge(other: T): void }>(
  into: Map<string, T>,
  from: ReadonlyMap<string, T>,
  Entry: new () => T,
): void => {
  for (const [key, value] of from) entryOf(into, key, Entry).merge(value);
};

/** `Measurements` as JSON. It is stored, so fields may be added, but not changed or removed. */
export interface StoredMeasurements {
  /** By route: requests, errors, errors by code, the latency, and cancelled requests. */
  routes: Record<
    string,
    [requests: number, errors: number, codes: Record<string, number>, latency: number[], cancelled?: number]
  >;
  /** undefined: stored before answers were counted. */
  answers?: number;
  stages: Record<string, number[]>;
  hits: Record<string, number>;
  misses: number;
  bypasses: number;
  tokens: [prompt: number, completion: number];
  keys: Record<string, Partial<KeyUse>>;
  nodes: Record<string, Partial<NodeUse>>;
}

export const toStored = (measured: Measurements): StoredMeasurements => ({
  routes: Object.fromEntries(
    [...measured.routes].map(([name, { requests, errors, errorsByCode, latency, cancelled }]) => [
      name,
      [requests, errors, Object.fromEntries(errorsByCode), latency.toStored(), cancelled],
    ]),
  ),
  answers: measured.answers,
  stages: Object.fromEntries(STAGES.map((stage) => [stage, measured.stages[stage].toStored()])),
  hits: { ...measured.hits },
  misses: measured.misses,
  bypasses: measured.bypasses,
  tokens: [measured.promptTokens, measured.completionTokens],
  keys: Object.fromEntries([...measured.keys].map(([id, use]) => [id, { ...use }])),
  nodes: Object.fromEntries([...measured.nodes].map(([id, use]) => [id, { ...use }])),
});

/** Adds stored measurements, without creating an object for each of them. */
export const addStored = (into: Measurements, stored: StoredMeasurements): void => {
  for (const [name, [requests, errors, codes, latency, cancelled = 0]] of Object.entries(stored.routes)) {
    const traffic = entryOf(into.routes, name, Traffic);
    // Earlier versions stored cancelled requests as errors.
    const { client_closed: closed = 0, ...others } = codes;
    traffic.requests += requests;
    traffic.errors += errors - closed;
    traffic.cancelled += cancelled + closed;
    for (const [code, count] of Object.entries(others)) traffic.addErrors(code as ErrorCode, count);
    traffic.latency.addStored(latency);
  }
  const started = into.stages.ttft.count;
  for (const stage of STAGES) into.stages[stage].addStored(stored.stages[stage] ?? []);
  for (const kind of HIT_KINDS) into.hits[kind] += stored.hits[kind] ?? 0;
  into.answers += stored.answers ?? into.stages.ttft.count - started;
  into.misses += stored.misses;
  into.bypasses += stored.bypasses;
  into.promptTokens += stored.tokens[0];
  into.completionTokens += stored.tokens[1];
  for (const [id, use] of Object.entries(stored.keys)) {
    entryOf(into.keys, id, KeyUse).merge(Object.assign(new KeyUse(), use));
  }
  for (const [id, use] of Object.entries(stored.nodes)) {
    entryOf(into.nodes, id, NodeUse).merge(Object.assign(new NodeUse(), use));
  }
};
