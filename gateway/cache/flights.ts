import { AppError } from "../../lib/errors";
import type { EngineReply } from "../ports/engine";

const clientClosed = (): AppError =>
  new AppError("client_closed", "The client closed the connection before the answer was complete.");

/**
 * One generation and all of its readers. A reader that joins late gets all frames from the start, then follows live.
 * Memory use is at most one answer. A slow reader doesn't slow down the generation or other readers. If the last reader
 * leaves early, the generation is aborted.
 */
export class Flight {
  readonly #abort = new AbortController();
  readonly #frames: Uint8Array[] = [];
  readonly #head: Promise<Omit<EngineReply, "body">>;
  #more: PromiseWithResolvers<void> | undefined;
  #end: { error?: unknown } | undefined;
  #readers = 0;

  /**
   * `onEnd` runs once, before any reader sees the end. It gets all frames of a complete answer, otherwise undefined.
   */
  constructor(
    generate: (signal: AbortSignal) => Promise<EngineReply>,
    onEnd: (frames: Uint8Array[] | undefined) => void,
  ) {
    const reply = generate(this.#abort.signal);
    this.#head = reply.then(({ body: _, ...head }) => head);
    // Each reader handles the failure. Without readers, the rejection is ignored.
    this.#head.catch(() => {});
    void this.#follow(reply, onEnd);
  }

  /** False once the last reader has left and the generation is being aborted. */
  get isJoinable(): boolean {
    return !this.#abort.signal.aborted;
  }

  /**
   * Adds a reader and returns its reply. The reader leaves when `signal` is aborted or it stops iterating. Rejects with
   * `generate`'s error, or with client_closed if `signal` was aborted first.
   */
  async join(signal: AbortSignal): Promise<EngineReply> {
    const left = Promise.withResolvers<undefined>();
    let hasLeft = false;
    const leave = (): void => {
      if (hasLeft) return;
      hasLeft = true;
      signal.removeEventListener("abort", leave);
      left.resolve(undefined);
      this.#readers--;
      if (this.#readers === 0 && !this.#end) this.#abort.abort();
      this.#wake();
    };
    this.#readers++;
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    try {
      const head = await Promise.race([this.#head, left.promise]);
      if (!head) throw clientClosed();
      const frames = this.#read(signal, leave);
      const body: AsyncIterableIterator<Uint8Array> = {
        next: () => frames.next(),
        // The generator's own `finally` doesn't run if no frame was requested.
        return: () => {
          leave();
          return frames.return(undefined);
        },
        [Symbol.asyncIterator]: () => body,
      };
      return { ...head, body };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async *#read(signal: AbortSignal, leave: () => void): AsyncGenerator<Uint8Array> {
    try {
      for (let next = 0; ; ) {
        if (signal.aborted) throw clientClosed();
        const frame = this.#frames[next];
        if (frame) {
          next++;
          yield frame;
        } else if (this.#end) {
          if ("error" in this.#end) throw this.#end.error;
          return;
        } else {
          this.#more ??= Promise.withResolvers();
          await this.#more.promise;
        }
      }
    } finally {
      leave();
    }
  }

  async #follow(reply: Promise<EngineReply>, onEnd: (frames: Uint8Array[] | undefined) => void): Promise<void> {
    try {
      for await (const frame of (await reply).body) {
        this.#frames.push(frame);
        this.#wake();
      }
      onEnd(this.#frames);
      this.#end = {};
    } catch (error) {
      onEnd(undefined);
      this.#end = { error };
    }
    this.#wake();
  }

  /** Wakes the readers that are waiting for a frame. */
  #wake(): void {
    this.#more?.resolve();
    this.#more = undefined;
  }
}

export interface FlightPlan {
  /** Requests with the same id share a flight. Without an id, no other request can join. */
  id?: string;
  generate(signal: AbortSignal): Promise<EngineReply>;
  /**
   * Gets all frames of a complete answer; must not reject. Requests can join the flight until this resolves, so none
   * misses both the flight and the stored answer. Readers don't wait for it.
   */
  onWhole(frames: Uint8Array[]): Promise<void>;
  /** Whether the answer may be stale. If so, no further request joins. */
  isInvalidated(): boolean;
}

/** Whether a failure affects only the request that started the generation, not those that joined it. */
const isLeadersOwn = (error: unknown): boolean => error instanceof AppError && error.kind === "client_closed";

/** The running generations. Identical requests can join those with an id. */
export const createFlights = () => {
  const joinable = new Map<string, { flight: Flight; isInvalidated(): boolean }>();
  let running = 0;

  const launch = ({ id, generate, onWhole, isInvalidated }: FlightPlan): Flight => {
    const land = (): void => {
      running--;
      if (id !== undefined && joinable.get(id)?.flight === flight) joinable.delete(id);
    };
    running++;
    const flight: Flight = new Flight(generate, (frames) => void (frames ? onWhole(frames).finally(land) : land()));
    if (id !== undefined) joinable.set(id, { flight, isInvalidated });
    return flight;
  };

  return {
    launch,
    size: (): number => running,

    /**
     * Joins the flight with the same id, or launches one. Retries if the joined flight failed only because its leader
     * left.
     */
    joinOrLaunch: async (
      plan: FlightPlan & { id: string },
      signal: AbortSignal,
    ): Promise<{ reply: EngineReply; hasJoined: boolean }> => {
      for (let failed: Flight | undefined; ; ) {
        // No await between the lookup and the launch: identical simultaneous requests must share one flight.
        const { flight, isInvalidated } = joinable.get(plan.id) ?? {};
        if (!flight?.isJoinable || isInvalidated?.() || flight === failed) {
          return { reply: await launch(plan).join(signal), hasJoined: false };
        }
        try {
          return { reply: await flight.join(signal), hasJoined: true };
        } catch (error) {
          if (signal.aborted || !isLeadersOwn(error)) throw error;
          failed = flight;
        }
      }
    },
  };
};

/**
 * Maximum number of remembered targets. When it is exceeded, all of them are forgotten, and every answer in progress
 * counts as invalidated.
 */
const MAX_TARGETS = 10_000;

/**
 * Remembers the last invalidation of each target, so that an answer in progress is neither stored nor joined after one
 * of its targets was invalidated. A target is a tag, which contains a colon, or a key, which doesn't.
 */
export const createInvalidations = (maxTargets = MAX_TARGETS) => {
  const lastByTarget = new Map<string, number>();
  let count = 0;
  /** The value of `count` when the targets were last forgotten. */
  let forgotten = 0;

  return {
    add: (target: string): void => {
      if (lastByTarget.size >= maxTargets && !lastByTarget.has(target)) {
        lastByTarget.clear();
        forgotten = count;
      }
      lastByTarget.set(target, ++count);
    },

    /** The returned function returns whether any of `targets` was invalidated after this call. */
    watch: (targets: readonly string[]): (() => boolean) => {
      const start = count;
      return () => forgotten > start || targets.some((target) => (lastByTarget.get(target) ?? 0) > start);
    },
  };
};
