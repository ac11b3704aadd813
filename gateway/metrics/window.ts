import type { ErrorKind } from "../../lib/errors";
import type { GenerationSample, RequestSample } from "../ports/recorder";
import { errorKindOf, isFailure } from "./fault-domain";
import { LogHistogram } from "./histogram";

/** Requests, with their outcomes and their latency in milliseconds. */
export class Traffic {
  requests = 0;
  errors = 0;
  readonly errorsByCode = new Map<ErrorKind | "unclassified", number>();
  readonly latency = new LogHistogram();

  record(sample: RequestSample): void {
    this.requests++;
    this.latency.record(sample.durationMs);
    if (!isFailure(sample)) return;
    this.errors++;
    const code = errorKindOf(sample) ?? "unclassified";
    this.errorsByCode.set(code, (this.errorsByCode.get(code) ?? 0) + 1);
  }

  merge(other: Traffic): void {
    this.requests += other.requests;
    this.errors += other.errors;
    this.latency.merge(other.latency);
    for (const [code, count] of other.errorsByCode) {
      this.errorsByCode.set(code, (this.errorsByCode.get(code) ?? 0) + count);
    }
  }
}

const STAGES = ["gateway", "queue", "ttft", "generation"] as const;
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
  };
  readonly hits = { memory: 0, redis: 0, in_flight: 0 };
  misses = 0;
  bypasses = 0;
  /** Tokens of generations, excluding answers that came from the cache or were joined. */
  promptTokens = 0;
  completionTokens = 0;

  request(route: string, sample: RequestSample): void {
    let traffic = this.routes.get(route);
    if (!traffic) {
      traffic = new Traffic();
      this.routes.set(route, traffic);
    }
    traffic.record(sample);
  }

  generation(sample: GenerationSample): void {
    const { cache, ttftMs, totalMs, queueMs, gatewayMs } = sample;
    if (cache.status === "hit" || cache.status === "joined") this.hits[cache.kind ?? "memory"]++;
    else if (cache.status === "miss") this.misses++;
    else this.bypasses++;
    this.stages.ttft.record(ttftMs);
    if (gatewayMs !== undefined) this.stages.gateway.record(gatewayMs);
    if (cache.status === "hit") return;
    this.stages.queue.record(queueMs);
    this.stages.generation.record(totalMs - ttftMs);
    if (cache.status === "joined") return;
    this.promptTokens += sample.promptTokens;
    this.completionTokens += sample.completionTokens;
  }

  traffic(): Traffic {
    const all = new Traffic();
    for (const traffic of this.routes.values()) all.merge(traffic);
    return all;
  }

  merge(other: Measurements): void {
    for (const [route, traffic] of other.routes) {
      const mine = this.routes.get(route) ?? new Traffic();
      this.routes.set(route, mine);
      mine.merge(traffic);
    }
    for (const stage of STAGES) this.stages[stage].merge(other.stages[stage]);
    for (const kind of HIT_KINDS) this.hits[kind] += other.hits[kind];
    this.misses += other.misses;
    this.bypasses += other.bypasses;
    this.promptTokens += other.promptTokens;
    this.completionTokens += other.completionTokens;
  }
}

/** One step per minute, for a day. Only steps with traffic take memory. */
export const STEP_MS = 60_000;
export const KEPT_STEPS = 1440;

/** The last `KEPT_STEPS` minutes, in a ring buffer. The step of time t has the number ⌊t / 60 s⌋. */
export class Window {
  readonly #steps: ({ number: number; measured: Measurements } | undefined)[] = new Array(KEPT_STEPS).fill(undefined);

  /** The step that records measurements at `now`. */
  at(now: number): Measurements {
    const number = Math.floor(now / STEP_MS);
    const slot = number % KEPT_STEPS;
    const step = this.#steps[slot];
    if (step?.number === number) return step.measured;
    const measured = new Measurements();
    this.#steps[slot] = { number, measured };
    return measured;
  }

  /** All measurements from `from` up to, but not including, `to`. Both are whole minutes, in milliseconds since 1970. */
  between(from: number, to: number): Measurements {
    const all = new Measurements();
    for (let number = from / STEP_MS; number < to / STEP_MS; number++) {
      const step = this.#steps[number % KEPT_STEPS];
      if (step?.number === number) all.merge(step.measured);
    }
    return all;
  }
}
