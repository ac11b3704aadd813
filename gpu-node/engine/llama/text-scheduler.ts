import { AppError } from "../../../lib/errors";
import { Lane } from "../../queue/queue";
import { shuttingDown, type TextRequest } from "../engine";
import { type Channel, createChannel } from "./channel";

/** Computes one input at a time, in a llama.cpp context with one sequence. */
export type TextWorker<Input, Output> = (input: Input) => Promise<Output>;

export interface TextJob<Input> extends Pick<TextRequest, "priority" | "fairKey" | "signal" | "isAnswering"> {
  inputs: readonly Input[];
}

/** The output for an input, with the input's index in its job. */
export type Indexed<Output> = Output & { index: number };

interface Running<Input, Output> extends TextJob<Input> {
  results: Channel<Indexed<Output>>;
  left: number;
  isOver: boolean;
}

/** One input of a job. */
interface Work<Input, Output> {
  job: Running<Input, Output>;
  input: Input;
  index: number;
  fairKey: string;
}

/**
 * Distributes the inputs of all jobs among the workers. Interactive jobs go before batch jobs, and callers take turns,
 * so that a short request does not wait for a long one. An input can't be interrupted, and it delays answers that are
 * generated on the same cores. So while answers are generated, a worker rests after each input for as long as it
 * worked.
 */
export class TextScheduler<Input, Output extends object> {
  readonly #lanes = { interactive: new Lane<Work<Input, Output>>(), batch: new Lane<Work<Input, Output>>() };
  readonly #free: TextWorker<Input, Output>[];
  readonly #jobs = new Set<Running<Input, Output>>();
  readonly #working = new Set<Promise<void>>();
  readonly #rest?: (ms: number) => Promise<void>;
  #isClosed = false;

  /** `rest` waits for the given milliseconds. Omit it if the workers don't share cores with the engine. */
  constructor(workers: readonly TextWorker<Input, Output>[], rest?: (ms: number) => Promise<void>) {
    this.#free = [...workers];
    this.#rest = rest;
  }

  /**
   * Runs a job. Yields the outputs in order of completion. Stopping the iteration early cancels the remaining inputs.
   */
  async *run(request: TextJob<Input>): AsyncGenerator<Indexed<Output>> {
    if (this.#isClosed) throw shuttingDown();
    request.signal.throwIfAborted();
    const { inputs, priority, fairKey } = request;
    const job: Running<Input, Output> = { ...request, results: createChannel(), left: inputs.length, isOver: false };
    const onAbort = () => this.#fail(job, request.signal.reason);
    request.signal.addEventListener("abort", onAbort, { once: true });
    this.#jobs.add(job);
    for (const [index, input] of inputs.entries()) this.#lanes[priority].push({ job, input, index, fairKey });
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
      const worker = this.#free.pop();
      if (!worker) return;
      const done = this.#compute(worker, work).finally(() => {
        this.#working.delete(done);
        this.#free.push(worker);
        this.#fill();
      });
      this.#working.add(done);
    }
  }

  /** The next input whose job has not ended. */
  #next(): Work<Input, Output> | undefined {
    for (;;) {
      const work = this.#lanes.interactive.shift() ?? this.#lanes.batch.shift();
      if (!work?.job.isOver) return work;
    }
  }

  async #compute(worker: TextWorker<Input, Output>, { job, input, index }: Work<Input, Output>): Promise<void> {
    const startedAt = performance.now();
    try {
      job.results.push({ ...(await worker(input)), index });
      if (--job.left === 0) this.#end(job);
    } catch (cause) {
      this.#fail(job, new AppError("unavailable", "The engine failed on this text. Try again.", { cause }));
    }
    if (!this.#isClosed && job.isAnswering()) await this.#rest?.(performance.now() - startedAt);
  }

  #end(job: Running<Input, Output>): void {
    job.isOver = true;
    job.results.end();
    this.#jobs.delete(job);
  }

  #fail(job: Running<Input, Output>, reason: unknown): void {
    job.results.fail(reason);
    this.#end(job);
  }
}
