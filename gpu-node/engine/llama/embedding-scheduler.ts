import { AppError } from "../../../lib/errors";
import { normalise } from "../../../lib/vectors";
import { Lane } from "../../queue/queue";
import { type Embedding, type EmbeddingRequest, shuttingDown } from "../engine";
import { type Channel, createChannel } from "./channel";

/** Computes one vector at a time without adding tokens: a `LlamaEmbeddingContext`. */
export interface EmbeddingContext<Token> {
  getEmbeddingFor(tokens: Token[]): Promise<{ readonly vector: readonly number[] }>;
}

export interface EmbeddingJob<Token> extends Pick<EmbeddingRequest, "priority" | "fairKey" | "signal" | "isAnswering"> {
  inputs: readonly Token[][];
}

interface Running<Token> extends EmbeddingJob<Token> {
  results: Channel<Embedding>;
  left: number;
  isOver: boolean;
}

/** One input of a job. */
interface Work<Token> {
  job: Running<Token>;
  index: number;
  fairKey: string;
}

/**
 * Distributes the inputs of all jobs over the contexts: interactive before batch, callers in turn, so that a short
 * request does not wait for a long one. An input can't be interrupted and delays answers that are generated on the same
 * cores. So while answers are generated, a context rests after each input for as long as it worked.
 */
export class EmbeddingScheduler<Token> {
  readonly #lanes = { interactive: new Lane<Work<Token>>(), batch: new Lane<Work<Token>>() };
  readonly #free: EmbeddingContext<Token>[];
  readonly #jobs = new Set<Running<Token>>();
  readonly #working = new Set<Promise<void>>();
  readonly #rest?: (ms: number) => Promise<void>;
  #isClosed = false;

  /** `rest` waits the given number of milliseconds. Omit it if the contexts do not share cores with the engine. */
  constructor(contexts: readonly EmbeddingContext<Token>[], rest?: (ms: number) => Promise<void>) {
    this.#free = [...contexts];
    this.#rest = rest;
  }

  /** Yields the vectors in order of completion. Stopping the iteration early cancels the rest. */
  async *run(request: EmbeddingJob<Token>): AsyncGenerator<Embedding> {
    if (this.#isClosed) throw shuttingDown();
    request.signal.throwIfAborted();
    const job: Running<Token> = { ...request, results: createChannel(), left: request.inputs.length, isOver: false };
    const onAbort = () => this.#fail(job, request.signal.reason);
    request.signal.addEventListener("abort", onAbort, { once: true });
    this.#jobs.add(job);
    const { fairKey } = request;
    for (const index of request.inputs.keys()) this.#lanes[request.priority].push({ job, index, fairKey });
    this.#fill();
    try {
      yield* job.results;
    } finally {
      request.signal.removeEventListener("abort", onAbort);
      this.#end(job);
    }
  }

  /** Ends all jobs and waits for the inputs in progress. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#jobs) this.#fail(job, shuttingDown());
    await Promise.all(this.#working);
  }

  #fill(): void {
    while (this.#free.length > 0) {
      const work = this.#next();
      if (!work) return;
      const context = this.#free.pop();
      if (!context) return;
      const done = this.#compute(context, work).finally(() => {
        this.#working.delete(done);
        this.#free.push(context);
        this.#fill();
      });
      this.#working.add(done);
    }
  }

  /** The next input whose job has not ended. */
  #next(): Work<Token> | undefined {
    for (;;) {
      const work = this.#lanes.interactive.shift() ?? this.#lanes.batch.shift();
      if (!work?.job.isOver) return work;
    }
  }

  async #compute(context: EmbeddingContext<Token>, { job, index }: Work<Token>): Promise<void> {
    const tokens = job.inputs[index] ?? [];
    const startedAt = performance.now();
    try {
      const { vector } = await context.getEmbeddingFor(tokens);
      job.results.push({ index, vector: normalise(vector), tokens: tokens.length });
      if (--job.left === 0) this.#end(job);
    } catch (cause) {
      this.#fail(job, new AppError("unavailable", "The engine failed on this text. Try again.", { cause }));
    }
    if (!this.#isClosed && job.isAnswering()) await this.#rest?.(performance.now() - startedAt);
  }

  #end(job: Running<Token>): void {
    job.isOver = true;
    job.results.end();
    this.#jobs.delete(job);
  }

  #fail(job: Running<Token>, reason: unknown): void {
    job.results.fail(reason);
    this.#end(job);
  }
}
