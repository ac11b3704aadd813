import type { LlamaContext, LlamaContextSequence } from "node-llama-cpp";
import { AppError } from "../../../lib/errors";
import { type EngineEvent, shuttingDown } from "../engine";
import { type Job, LlamaStream } from "./stream";

/** Maximum number of prompt tokens in one step. Running answers and new requests wait for the step to finish. */
export interface PrefillLimits {
  /** While answers are generated. */
  whileGenerating: number;
  /** While no answer is generated. */
  whileIdle: number;
}

/** Enough for an interactive prompt of 2048 tokens on a CPU. */
const MAX_SKIPPED_STEPS = 32;

/** A sequence of the context, with its number. */
interface Slot {
  sequence: LlamaContextSequence;
  place: number;
  /** Order of last use; 0 = never. */
  lastUse: number;
}

/**
 * Owns a context and all its sequences. Every step decodes one batch, which has one token of each generating stream and
 * parts of the prompts that are being read. Streams join and leave between steps. Batch streams pause until interactive
 * ones have their first token.
 */
export class LlamaScheduler {
  #free: Slot[];
  #waiting: { job: Job; start: (stream: LlamaStream) => void; reject: (error: unknown) => void }[] = [];
  /** Oldest first. */
  #active: { slot: Slot; stream: LlamaStream }[] = [];
  #running?: Promise<void>;
  #uses = 0;
  /** Steps in a row without the batch streams. */
  #skipped = 0;
  /** Set once jobs are no longer accepted. */
  #ended?: AppError;
  #failure?: AppError;

  constructor(
    readonly context: LlamaContext,
    readonly prefill: PrefillLimits,
  ) {
    this.#free = Array.from({ length: context.totalSequences }, (_, place) => ({
      sequence: context.getSequence(),
      place,
      lastUse: 0,
    }));
  }

  /** Set once this context can no longer be used. */
  get failure(): AppError | undefined {
    return this.#failure;
  }

  /** Runs a job as soon as a sequence is free. Stopping the iteration early cancels it. */
  async *run(job: Job): AsyncGenerator<EngineEvent> {
    const stream = await this.#join(job);
    try {
      yield* stream.events;
    } finally {
      if (!stream.isOver) stream.cancel();
    }
  }

  /** Ends all jobs and waits for the last step. Afterwards the context can be disposed. */
  async close(): Promise<void> {
    this.#endAll(shuttingDown());
    await this.#running;
  }

  #join(job: Job): Promise<LlamaStream> {
    if (this.#ended) throw this.#ended;
    return new Promise((start, reject) => {
      this.#waiting.push({ job, start, reject });
      this.#running ??= this.#loop();
    });
  }

  async #loop(): Promise<void> {
    try {
      while (true) {
        await this.#admit();
        if (this.#active.length === 0 && this.#waiting.length === 0) break;
        await this.#step();
        await this.#retire();
      }
    } catch (error) {
      this.#failure = broken(error); // failed answers don't end up here, but a sequence that can't be cleared does
      this.#endAll(this.#failure);
    } finally {
      this.#running = undefined; // in the same tick as the check above, so that no job is forgotten
    }
  }

  #endAll(reason: AppError): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    for (const { stream } of this.#active) stream.cancel(reason);
  }

  /** Assigns waiting jobs to free sequences, each to the sequence whose cache helps it most. */
  async #admit(): Promise<void> {
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      const next = this.#waiting.shift();
      if (!next) return;
      const { job, start, reject } = next;
      // The last token of the prompt is always computed: the first token of the answer comes from it.
      const reusable = job.prompt.slice(0, -1);
      const index = chooseSlot(
        this.#free.map(({ sequence, place, lastUse }) => ({
          cachedTokens: sequence.nextTokenIndex,
          sharedTokens: Math.min(sequence.compareContextTokens(reusable).firstDifferentIndex, reusable.length),
          neighbours: this.#active.filter(({ slot }) => Math.abs(slot.place - place) === 1).length,
          lastUse,
        })),
      );
      const [slot] = this.#free.splice(index, 1);
      if (!slot) return;
      try {
        await slot.sequence.adaptStateToTokens(reusable, false);
        if (this.#ended) throw this.#ended; // closed while this job was in neither list
        const stream = new LlamaStream(slot.sequence, job, slot.sequence.nextTokenIndex);
        this.#active.push({ slot, stream });
        start(stream);
      } catch (error) {
        this.#free.push(slot);
        reject(error);
      }
    }
  }

  /**
   * The streams that take part in the next step: all, or only interactive ones while one of them has no token yet. After
   * some such steps, the batch streams take part once, so that steady interactive traffic can't stop them.
   */
  #chosen(): { slot: Slot; stream: LlamaStream }[] {
    const live = this.#active.filter(({ stream }) => !stream.isOver);
    const interactive = live.filter(({ stream }) => stream.job.priority === "interactive");
    const isAwaited = interactive.some(({ stream }) => stream.prefillTokens > 0);
    this.#skipped = isAwaited && this.#skipped < MAX_SKIPPED_STEPS ? this.#skipped + 1 : 0;
    return this.#skipped > 0 ? interactive : live;
  }

  /**
   * Advances the chosen streams in one tick, so that all their tokens land in one batch, ordered by sequence number:
   * llama.cpp computes only consecutive sequences together.
   */
  async #step(): Promise<void> {
    const live = this.#chosen();
    const prefilling = live.filter(({ stream }) => stream.prefillTokens > 0);
    const generating = live.length - prefilling.length;
    const limit = generating > 0 ? this.prefill.whileGenerating : this.prefill.whileIdle;
    const shares = shareBatch(
      prefilling.map(({ stream }) => stream.prefillTokens),
      Math.min(limit, this.context.batchSize - generating),
    );
    const tokens = new Map(prefilling.map((active, index) => [active, shares[index] ?? 0]));
    const inPlace = live.toSorted((a, b) => a.slot.place - b.slot.place);
    await Promise.all(
      inPlace.map((active) => {
        const granted = tokens.get(active) ?? 1;
        return granted > 0 ? active.stream.advance(granted) : undefined;
      }),
    );
  }

  /** Frees the sequences of finished streams; their cache stays for the next prompt. */
  async #retire(): Promise<void> {
    const over = this.#active.filter(({ stream }) => stream.isOver);
    this.#active = this.#active.filter(({ stream }) => !stream.isOver);
    for (const { slot, stream } of over) {
      await stream.release();
      this.#free.push({ ...slot, lastUse: ++this.#uses });
    }
  }
}

/** What is known about a free sequence when one is chosen for a prompt. */
interface SlotState {
  /** Tokens in its KV cache. */
  cachedTokens: number;
  /** Length of the prefix that they share with the prompt, in tokens. */
  sharedTokens: number;
  /** How many of the two neighbouring sequences are generating. */
  neighbours: number;
  /** Order of last use; 0 = never. */
  lastUse: number;
}

/** Cost of discarding a cached token, relative to computing one: low, because it may never be needed again. */
const LOSS_WEIGHT = 1 / 8;
/**
 * Value of a neighbour, in computed tokens. llama.cpp splits a batch wherever its sequences are not consecutive, and
 * every part reads all weights again: four scattered streams take 1.4 times the CPU of four consecutive ones.
 */
const NEIGHBOUR_WORTH = 64;

/**
 * Index of the sequence that saves the most prefill. Tokens that would be discarded count a little, so that a new chat
 * that shares only the system prompt does not evict another chat's long history. Ties go to the least recently used.
 */
export const chooseSlot = (slots: readonly SlotState[]): number => {
  const worth = ({ cachedTokens, sharedTokens, neighbours }: SlotState) =>
    sharedTokens - LOSS_WEIGHT * (cachedTokens - sharedTokens) + NEIGHBOUR_WORTH * neighbours;
  return slots.reduce((best, slot, index) => {
    const leader = slots[best];
    if (!leader) return index;
    const gain = worth(slot) - worth(leader);
    return gain > 0 || (gain === 0 && slot.lastUse < leader.lastUse) ? index : best;
  }, -1);
};

/** Fraction of a step's prefill that the oldest prompt always gets, so that shorter prompts can't starve it. */
const OLDEST_SHARE = 1 / 4;

/**
 * Divides `capacity` tokens of one batch between the prompts that are being read. `demands` are the tokens that each
 * still needs, oldest first; the result is in the same order. Short prompts go first, so that a short prompt does not
 * wait for a long one. Prompts of the same length are finished one after the other.
 */
export const shareBatch = (demands: readonly number[], capacity: number): number[] => {
  if (demands.length === 0) return [];
  const shares = demands.map(() => 0);
  let left = capacity;
  const grant = (index: number, limit: number): void => {
    const granted = Math.max(0, Math.min((demands[index] ?? 0) - (shares[index] ?? 0), limit));
    shares[index] = (shares[index] ?? 0) + granted;
    left -= granted;
  };
  grant(0, Math.ceil(capacity * OLDEST_SHARE));
  const shortestFirst = [...demands.keys()].sort((a, b) => (demands[a] ?? 0) - (demands[b] ?? 0));
  for (const index of shortestFirst) grant(index, left);
  return shares;
};

const broken = (cause: unknown): AppError =>
  new AppError("unavailable", "The engine failed and can't continue. Restart the GPU node.", { cause });
