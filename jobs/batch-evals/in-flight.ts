import type { ResultTask } from "../../db/batch-evals";
import type { Outcome } from "./run-sample";
import { Paused, type RunStopped } from "./stops";

/** Maximum outputs that wait for their scores. More would only take memory. */
const MAX_SCORING = 256;

/** Signals for a running sample. */
export interface SampleSignals {
  /** Aborted: the sample stops and has no outcome. */
  signal: AbortSignal;
  /** Aborted: the sample stops if it has no output and waits for a call. */
  waits: AbortSignal;
  /** Call it when the output exists. */
  onOutput(): void;
  /** Stops the run. */
  stop(reason: RunStopped): void;
}

/** The samples that are running in this worker, and those that have ended and are not stored yet. */
export class InFlight {
  readonly ended: Outcome[] = [];
  readonly #abort = new AbortController();
  readonly #pausing = new AbortController();
  readonly #waits = AbortSignal.any([this.#abort.signal, this.#pausing.signal]);
  /** Running samples, and those of them whose output is being scored. */
  #running = 0;
  #wake: () => void = () => {};
  #scoring = 0;
  #scoringMs = 0;
  #scoringSinceMs = 0;

  constructor(private readonly runSample: (task: ResultTask, signals: SampleSignals) => Promise<Outcome>) {}

  /** Whether nothing is running or waits to be stored. */
  get isEmpty(): boolean {
    return this.#running === 0 && this.ended.length === 0;
  }

  get isPaused(): boolean {
    return this.#pausing.signal.aborted;
  }

  /** Why the samples were stopped; undefined if they weren't. */
  get reason(): unknown {
    return this.#abort.signal.aborted ? this.#abort.signal.reason : undefined;
  }

  /** Time during which at least one output was being scored, in milliseconds. */
  get scoringMs(): number {
    return this.#scoringMs + (this.#scoring > 0 ? performance.now() - this.#scoringSinceMs : 0);
  }

  throwIfStopped(): void {
    this.#abort.signal.throwIfAborted();
  }

  /** Samples without an output may finish their calls, and start no others. */
  pause(reason: Paused): void {
    if (!this.isPaused) this.#pausing.abort(reason);
    this.#wake();
  }

  /** Aborts all calls. The first reason counts. */
  stop(reason: unknown): void {
    this.#abort.abort(reason);
    this.#wake();
  }

  /** How many samples to start: enough for `limit` calls, and as many as recently ended between two transactions. */
  room(limit: number, lastEnded: number): number {
    if (this.#scoring >= MAX_SCORING) return 0;
    return Math.max(0, limit + Math.min(4 * limit, lastEnded) - (this.#running - this.#scoring));
  }

  start(task: ResultTask): void {
    let hasOutput = false;
    this.#running++;
    const run = async () => {
      try {
        const outcome = await this.runSample(task, {
          signal: this.#abort.signal,
          waits: this.#waits,
          onOutput: () => {
            hasOutput = true;
            if (this.#scoring++ === 0) this.#scoringSinceMs = performance.now();
          },
          stop: (reason) => this.stop(reason),
        });
        this.ended.push(outcome);
      } catch (thrown) {
        if (!(thrown instanceof Paused)) this.stop(thrown);
      }
      this.#running--;
      if (hasOutput && --this.#scoring === 0) this.#scoringMs += performance.now() - this.#scoringSinceMs;
      this.#wake();
    };
    void run();
  }

  takeEnded(): Outcome[] {
    return this.ended.splice(0);
  }

  /** Resolves when a sample ends, and after `longestMs` at the latest. */
  async change(longestMs: number): Promise<void> {
    if (this.ended.length > 0 || this.reason !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, longestMs);
    await promise;
    clearTimeout(timer);
  }

  /** Resolves when no sample is running. */
  async settled(): Promise<void> {
    while (this.#running > 0) await this.#next();
  }

  #next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }
}
