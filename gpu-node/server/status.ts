import { AppError } from "../../lib/errors";
import type { NodeState } from "../protocol";

/** The sign of life of one running generation. Times on the clock of `performance.now()`. */
interface Pulse {
  beatAt: number;
  /** It waits for its client to read, so no token is due. */
  held: boolean;
}

/** Where the node stands in its life: loading → ready ⇄ stuck → draining, or failed for good. */
export class NodeStatus {
  /** 0…1. */
  progress = 0;
  /** The models are there, whatever came after. */
  loaded = false;
  #draining = false;
  readonly #stuckMs: number;
  readonly #engineFailure: () => AppError | undefined;
  readonly #pulses = new Set<Pulse>();

  constructor(stuckMs: number, engineFailure: () => AppError | undefined) {
    this.#stuckMs = stuckMs;
    this.#engineFailure = engineFailure;
  }

  /** Why the node can't work until it is restarted. */
  get failure(): AppError | undefined {
    return this.#engineFailure();
  }

  markReady(): void {
    this.loaded = true;
  }

  markDraining(): void {
    this.#draining = true;
  }

  /** Watches one generation until `stop`. */
  watch(): Pulse {
    const pulse = { beatAt: performance.now(), held: false };
    this.#pulses.add(pulse);
    return pulse;
  }

  stop(pulse: Pulse): void {
    this.#pulses.delete(pulse);
  }

  state(now = performance.now()): NodeState {
    if (this.#draining) return "draining";
    if (this.failure) return "failed";
    if (!this.loaded) return "loading";
    return (this.silentMs(now) ?? 0) > this.#stuckMs ? "stuck" : "ready";
  }

  /** Milliseconds since the last token of any generation that owes one; undefined when none does. */
  silentMs(now = performance.now()): number | undefined {
    let silentMs: number | undefined;
    for (const { beatAt, held } of this.#pulses) {
      if (!held) silentMs = Math.min(silentMs ?? Number.POSITIVE_INFINITY, now - beatAt);
    }
    return silentMs;
  }

  /** Throws model_loading, unavailable or why the engine failed unless the node takes new work. A stuck node does: it may come back. */
  assertOpen(): void {
    if (this.failure) throw this.failure;
    const state = this.state();
    if (state === "loading") {
      const percent = Math.floor(this.progress * 100);
      throw new AppError("model_loading", `The model is loading (${percent}%). Try again in a moment.`, {
        source: "node",
        retryAfterMs: 1000,
      });
    }
    if (state === "draining") throw shuttingDown();
  }
}

export const shuttingDown = (): AppError =>
  new AppError("unavailable", "This GPU node is shutting down. Send the request to another node or again later.", {
    source: "node",
    retryAfterMs: 1000,
  });
