import { AppError } from "../../lib/errors";

export const clientClosed = (): AppError =>
  new AppError("client_closed", "The client closed the connection before the answer was whole.");

/** The frames of one answer, appended as they arrive. Any number of readers read them from the start. */
export class FrameLog {
  readonly frames: Uint8Array[] = [];
  state: "open" | "whole" | "broken" = "open";
  error: unknown;
  #more: PromiseWithResolvers<void> | undefined;

  push(frame: Uint8Array): void {
    this.frames.push(frame);
    this.wake();
  }

  end(): void {
    this.state = "whole";
    this.wake();
  }

  break(error: unknown): void {
    this.state = "broken";
    this.error = error;
    this.wake();
  }

  /** Resolves at the next frame, at the end or at the next `wake`. */
  more(): Promise<void> {
    this.#more ??= Promise.withResolvers();
    return this.#more.promise;
  }

  wake(): void {
    this.#more?.resolve();
    this.#more = undefined;
  }
}

/**
 * Replays a log from its start, then follows it. Ends with the log, throws its error, and throws client_closed once
 * `signal` is aborted. `onLeave` runs once, after the last read.
 */
export class FrameReader implements AsyncIterableIterator<Uint8Array> {
  /** Resolves when the reader has left. */
  readonly hasLeft: Promise<void>;
  readonly #left = Promise.withResolvers<void>();
  #position = 0;
  #isDone = false;

  constructor(
    private readonly log: FrameLog,
    private readonly signal: AbortSignal,
    private readonly onLeave: () => void,
  ) {
    this.hasLeft = this.#left.promise;
    signal.addEventListener("abort", this.leave);
  }

  readonly leave = (): void => {
    if (this.#isDone) return;
    this.#isDone = true;
    this.signal.removeEventListener("abort", this.leave);
    this.#left.resolve();
    this.onLeave();
    this.log.wake();
  };

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (this.signal.aborted) throw clientClosed();
      if (this.#isDone) return { done: true, value: undefined };
      const frame = this.log.frames[this.#position];
      if (frame) {
        this.#position++;
        return { done: false, value: frame };
      }
      if (this.log.state === "open") {
        await this.log.more();
        continue;
      }
      this.leave();
      if (this.log.state === "broken") throw this.log.error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.leave();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
