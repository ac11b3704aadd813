import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { EngineReply } from "../ports/engine";
import { clientClosed, FrameLog, FrameReader } from "./frame-log";

/**
 * One generation and all of its readers. A reader that joins gets all frames from the start, then follows live. Memory
 * is bounded by one answer. A slow reader does not slow down the generation or other readers. If the last reader leaves
 * before the end, the generation is aborted.
 */
export class Flight {
  readonly #abort = new AbortController();
  readonly #log = new FrameLog();
  readonly #head: Promise<Omit<EngineReply, "body">>;
  #readers = 0;

  /** `onEnd` runs once, before any reader sees the end: with all frames of a complete answer, else with undefined. */
  constructor(
    generate: (signal: AbortSignal) => Promise<EngineReply>,
    onEnd: (frames: Uint8Array[] | undefined) => void,
  ) {
    const reply = generate(this.#abort.signal);
    this.#head = reply.then(({ body: _, ...head }) => head);
    // Every reader handles the failure itself. Without readers, the rejection is ignored.
    this.#head.catch(() => {});
    void this.#follow(reply, onEnd);
  }

  /** False once the last reader has left and the generation is being aborted. */
  get isJoinable(): boolean {
    return !this.#abort.signal.aborted;
  }

  /**
   * Adds a reader and returns its reply. The reader leaves when `signal` is aborted or the iteration stops. Rejects
   * with the error of `generate`, or client_closed if `signal` was aborted first.
   */
  async join(signal: AbortSignal): Promise<EngineReply> {
    this.#readers++;
    const reader = new FrameReader(this.#log, signal, () => this.#leave());
    if (signal.aborted) reader.leave();
    try {
      const head = await Promise.race([this.#head, reader.hasLeft]);
      if (!head) throw clientClosed();
      return { ...head, body: reader };
    } catch (error) {
      reader.leave();
      throw error;
    }
  }

  async #follow(reply: Promise<EngineReply>, onEnd: (frames: Uint8Array[] | undefined) => void): Promise<void> {
    try {
      const { body } = await reply;
      for await (const frame of body) this.#log.push(frame);
    } catch (error) {
      onEnd(undefined);
      this.#log.break(error);
      return;
    }
    onEnd(this.#log.frames);
    this.#log.end();
  }

  #leave(): void {
    this.#readers--;
    if (this.#readers === 0 && this.#log.state === "open") this.#abort.abort();
  }
}

export interface FlightPlan {
  /** Requests with the same plan join; undefined: no other request may join. */
  id?: string;
  /** Of the entry that `onWhole` stores. */
  key: string;
  tags: readonly string[];
  generate(signal: AbortSignal): Promise<EngineReply>;
  /**
   * Gets all frames of a complete answer, or undefined if one of its tags was invalidated meanwhile. Until it resolves,
   * requests can join the flight, so that none misses both the flight and the stored answer. Readers don't wait for it.
   */
  onWhole(frames: Uint8Array[] | undefined): Promise<void>;
}

/** Failures that only concern the request that started a generation, not those that joined it. */
const isLeadersOwn = (error: unknown): boolean => error instanceof AppError && error.kind === "client_closed";

/** The running generations whose answers may be cached. */
export const createFlights = ({ log }: { log: Pick<Log, "warn"> }) => {
  /** Readers get their answer either way. If it is not stored, it is generated again. */
  const keep = (keeping: Promise<void>): Promise<void> =>
    keeping.catch((error) => log.warn({ err: error }, "could not cache an answer"));

  /** The entries that flights may be stored as. A flight without an entry here is not stored. */
  const kept = new Map<Flight, Pick<FlightPlan, "key" | "tags">>();
  const joinable = new Map<string, Flight>();

  const launch = ({ id, key, tags, generate, onWhole }: FlightPlan): Flight => {
    const land = (): void => {
      kept.delete(flight);
      if (id !== undefined && joinable.get(id) === flight) joinable.delete(id);
    };
    const flight: Flight = new Flight(generate, (frames) => {
      if (frames) void keep(onWhole(kept.has(flight) ? frames : undefined)).finally(land);
      else land();
    });
    kept.set(flight, { key, tags });
    if (id !== undefined) joinable.set(id, flight);
    return flight;
  };

  const forget = (matches: (plan: Pick<FlightPlan, "key" | "tags">) => boolean): void => {
    for (const [flight, plan] of kept) if (matches(plan)) kept.delete(flight);
    for (const [id, flight] of joinable) if (!kept.has(flight)) joinable.delete(id);
  };

  return {
    launch,
    size: (): number => kept.size,

    /** Joins the flight of the same plan, or launches one. Tries again if the leader of the joined flight ended it. */
    joinOrLaunch: async (
      plan: FlightPlan & { id: string },
      signal: AbortSignal,
    ): Promise<{ reply: EngineReply; hasJoined: boolean }> => {
      for (let failed: Flight | undefined; ; ) {
        // No await between the lookup and the launch: equal requests that arrive together must share one flight.
        const flight = joinable.get(plan.id);
        if (!flight?.isJoinable || flight === failed) {
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

    /** Flights with this tag can't be joined and are not stored any more. Their readers still get the whole answer. */
    forgetTag: (tag: string): void => forget(({ tags }) => tags.includes(tag)),
    /** The same for the flights that would be stored as this entry. */
    forgetKey: (key: string): void => forget((plan) => plan.key === key),
  };
};
