import { AppError } from "../../lib/errors";
import { shuttingDown } from "../engine/engine";
import type { NodeState } from "../protocol";

/** The heartbeat of one running request. Times are `performance.now()` values. */
interface Pulse {
  beatAt: number;
  /** The request is waiting for its client to read, so no heartbeat is expected. */
  held: boolean;
}

/** Tracks the running requests of one kind, and when any of them last made progress. */
class Pulses {
  readonly #running = new Set<Pulse>();

  /** Watches one request until `stop`. */
  watch(): Pulse {
    const pulse = { beatAt: performance.now(), held: false };
    this.#running.add(pulse);
    return pulse;
  }

  stop(pulse: Pulse): void {
    this.#running.delete(pulse);
  }

  /** Milliseconds since the last heartbeat of any request; undefined if none is expected. */
  silentMs(now = performance.now()): number | undefined {
    let silentMs: number | undefined;
    for (const { beatAt, held } of this.#running) {
      if (!held) silentMs = Math.min(silentMs ?? Number.POSITIVE_INFINITY, now - beatAt);
    }
    return silentMs;
  }
}

/** The state of the node: loading → ready ⇄ stuck → draining, or failed permanently. */
export class NodeStatus {
  /** 0…1. */
  progress = 0;
  /** True after the models have loaded, even if the engine failed later. */
  isLoaded = false;
  readonly answers = new Pulses();
  readonly embeddings = new Pulses();
  isDraining = false;

  constructor(
    private readonly stuckMs: number,
    private readonly engineFailure: () => AppError | undefined,
  ) {}

  /** Set when the node can't work until it is restarted. */
  get failure(): AppError | undefined {
    return this.engineFailure();
  }

  state(now = performance.now()): NodeState {
    if (this.isDraining) return "draining";
    if (this.failure) return "failed";
    if (!this.isLoaded) return "loading";
    const silentMs = Math.max(this.answers.silentMs(now) ?? 0, this.embeddings.silentMs(now) ?? 0);
    return silentMs > this.stuckMs ? "stuck" : "ready";
  }

  /** Throws model_loading, unavailable or the engine's failure if the node rejects requests. A stuck node doesn't. */
  assertOpen(): void {
    if (this.failure) throw this.failure;
    const state = this.state();
    if (state === "loading") {
      const percent = Math.floor(this.progress * 100);
      throw new AppError("model_loading", `The model is loading (${percent}%). Try again in a moment.`, {
        retryAfterMs: 1000,
      });
    }
    if (state === "draining") throw shuttingDown();
  }
}
