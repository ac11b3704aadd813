import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { EngineReply } from "../ports/engine";
import { clientClosed, FrameLog, FrameReader } from "./frame-log";

/**
 * One generation and everybody who reads it. Whoever joins gets all frames from the start and then follows live; the
 * memory is bounded by one answer. The generation runs at its own pace, so a slow reader holds up nobody. When the last
 * reader has gone before the end, the generation is aborted.
 */
export class Flight {
  readonly #abort = new AbortController();
  readonly #log = new FrameLog();
  readonly #head: Promise<Omit<EngineReply, "body">>;
  #readers = 0;

  /** `onEnd` runs once, before any reader sees the end: with all frames of a whole answer, else with undefined. */
  constructor(
    generate: (signal: AbortSignal) => Promise<EngineReply>,
    onEnd: (frames: Uint8Array[] | undefined) => void,
  ) {
    const reply = generate(this.#abort.signal);
    this.#head = reply.then(({ body: _, ...head }) => head);
    // Every reader handles the failure itself; without one it is nobody's.
    this.#head.catch(() => {});
    void this.#follow(reply, onEnd);
  }

  /** False once its last reader has left: the generation is being ended. */
  get isJoinable(): boolean {
    return !this.#abort.signal.aborted;
  }

  /**
   * The reply for one more reader, who leaves when `signal` is aborted or the iteration stops. Rejects with what
   * `generate` threw, or client_closed when `signal` was aborted first.
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
  /** Equal plans join; undefined: nobody else may. */
  id?: string;
  /** Of the entry that `onWhole` stores. */
  key: string;
  tags: readonly string[];
  generate(signal: AbortSignal): Promise<EngineReply>;
  /**
   * Gets all frames of a whole answer, unless a tag of it was dropped meanwhile: then undefined. Until it resolves the
   * flight can be joined, so that nobody misses both the flight and what is stored of it; the readers don't wait for it.
   */
  onWhole(frames: Uint8Array[] | undefined): Promise<void>;
}

/** Failures that belong to the request that started a generation, not to those that joined it. */
const isLeadersOwn = (error: unknown): boolean => error instanceof AppError && error.kind === "client_closed";

/** The generations that run for the cache. */
export const createFlights = ({ log }: { log: Pick<Log, "warn"> }) => {
  /** Readers have their answer either way; one that is not kept is generated again. */
  const keep = (keeping: Promise<void>): Promise<void> =>
    keeping.catch((error) => log.warn({ err: error }, "an answer could not be kept"));

  /** What a flight may be stored as; one that is not here is not stored. */
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

    /** Joins the flight of an equal plan, or launches one. Where the one it joined was ended by its leader, tries again. */
    joinOrLaunch: async (
      plan: FlightPlan & { id: string },
      signal: AbortSignal,
    ): Promise<{ reply: EngineReply; hasJoined: boolean }> => {
      for (let failed: Flight | undefined; ; ) {
        // Nothing may wait between the look and the launch: equal requests that come at once have to find one flight.
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

    /** What runs with this tag is neither joined nor kept from now on; its readers get it to the end. */
    forgetTag: (tag: string): void => forget(({ tags }) => tags.includes(tag)),
    /** The same for what would be stored as this entry. */
    forgetKey: (key: string): void => forget((plan) => plan.key === key),
  };
};
