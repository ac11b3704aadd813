import { type BatchResult, findBatch, findBatchOfJob, insertBatchResults, listEndedLines } from "../../db/batches";
import type { Db } from "../../db/client";
import type { ClaimedTask } from "../../db/jobs";
import type { FileLine } from "../../gateway/batches/lines";
import { type BatchRequest, toErrorResult, toRequest } from "../../gateway/batches/results";
import type { AppError } from "../../lib/errors";
import type { CallLimiter } from "../batch-evals/call-limiter";
import { RunStopped } from "../batch-evals/stops";
import { type TaskContext, TaskLost } from "../handler";
import { retryWhileUnavailable } from "./retry-while-unavailable";

/** Minimum time between two transactions, so that quick requests share one. */
const MIN_STORE_MS = 50;
/** Interval between reads of the batch's status, and the longest wait of the loop. */
const WATCH_MS = 250;
/** Maximum error results per transaction, for requests that are not run. */
const MAX_ERRORS_PER_WRITE = 500;

/** Ends the batch early. Requests without a result get `error`. */
export class BatchStopped extends Error {
  constructor(
    readonly ending: "expired" | "cancelled" | "failed",
    readonly error: { code: string; message: string },
  ) {
    super(error.message);
  }
}

const expired = () =>
  new BatchStopped("expired", {
    code: "batch_expired",
    message: "This request could not be executed before the completion window expired.",
  });

const cancelled = () =>
  new BatchStopped("cancelled", {
    code: "batch_cancelled",
    message: "The batch was cancelled before this request was executed.",
  });

export interface BatchRunDeps {
  db: Db;
  context: TaskContext;
  batchId: string;
  task: Pick<ClaimedTask, "jobId" | "deaths">;
  /** Reads the lines of the input file from the start. */
  lines(): AsyncGenerator<FileLine>;
  /** Sends a request until it has a result. Throws RunStopped, and the signal's reason. */
  send(request: BatchRequest, signal: AbortSignal): Promise<BatchResult>;
  limiter: Pick<CallLimiter, "limit">;
  now(): Date;
}

/**
 * Runs the requests of a batch that have no result yet, in file order. Every write checks that this worker still holds
 * the job's task, so each request gets one result even if another worker takes over.
 */
export class BatchRun {
  readonly #abort = new AbortController();
  /** Lines that have a result. */
  #endedLines = new Set<number>();
  #waiting: BatchResult[] = [];
  #running = 0;
  #lastStored = 0;
  #storedMs = Number.NEGATIVE_INFINITY;
  #isExhausted = false;
  #wake: () => void = () => {};

  constructor(private readonly deps: BatchRunDeps) {}

  /**
   * Resolves when every request has a result, with the reason if some were not run. With `stopped`, none are run.
   * Throws TaskLost, and the reason of the task's signal.
   */
  async run(stopped?: BatchStopped): Promise<BatchStopped | undefined> {
    const { db, context, batchId } = this.deps;
    const leave = () => this.#stop(context.signal.reason);
    context.signal.addEventListener("abort", leave);
    if (context.signal.aborted) leave();
    const watching = setInterval(() => void this.#watch().catch(() => undefined), WATCH_MS);
    try {
      this.#endedLines = new Set(await listEndedLines(db, batchId));
      if (stopped) throw stopped;
      await this.#watch();
      await this.#runAll();
    } catch (thrown) {
      this.#stop(thrown);
    } finally {
      clearInterval(watching);
      context.signal.removeEventListener("abort", leave);
      while (this.#running > 0) await this.#nextChange(WATCH_MS);
    }
    const reason = this.#reason;
    if (!(reason instanceof TaskLost) && reason !== "lost") await this.#store();
    if (reason === undefined) return undefined;
    const stop = reason instanceof RunStopped ? failedBy(reason.error) : reason;
    if (!(stop instanceof BatchStopped)) throw stop;
    await this.#failRest(stop);
    return stop;
  }

  get #reason(): unknown {
    return this.#abort.signal.aborted ? this.#abort.signal.reason : undefined;
  }

  /** Aborts all calls. Only the first reason counts. */
  #stop(reason: unknown): void {
    this.#abort.abort(reason);
    this.#wake();
  }

  /** Stops the run if the batch was cancelled or its completion window has expired. */
  async #watch(): Promise<void> {
    const { db, batchId, now } = this.deps;
    const batch = await findBatch(db, batchId);
    if (batch?.status === "cancelling") this.#stop(cancelled());
    else if (batch && now() >= batch.expiresAt) this.#stop(expired());
  }

  async #runAll(): Promise<void> {
    const lines = this.#requests();
    for (;;) {
      this.#abort.signal.throwIfAborted();
      for (let room = this.#room(); room > 0 && !this.#isExhausted; room--) {
        const { value: request, done } = await lines.next();
        if (done) this.#isExhausted = true;
        else this.#start(request);
      }
      if (this.#running === 0 && this.#waiting.length === 0 && this.#isExhausted) return;
      await this.#nextChange(WATCH_MS);
      const dueMs = this.#storedMs + MIN_STORE_MS - performance.now();
      if (dueMs > 0) await Bun.sleep(dueMs);
      await this.#store();
    }
  }

  /** The requests without a result. */
  async *#requests(): AsyncGenerator<BatchRequest, undefined> {
    for await (const found of this.deps.lines()) {
      // The file was validated, and files don't change.
      if ("text" in found && !this.#endedLines.has(found.line)) yield toRequest(found.line, found.text);
    }
  }

  /** How many requests to start, so that parallel calls don't run out before the next transaction. */
  #room(): number {
    const { limit } = this.deps.limiter;
    return limit + Math.min(4 * limit, this.#lastStored) - this.#running - this.#waiting.length;
  }

  #start(request: BatchRequest): void {
    this.#running++;
    const run = async () => {
      try {
        this.#waiting.push(await this.deps.send(request, this.#abort.signal));
      } catch (thrown) {
        this.#stop(thrown);
      }
      this.#running--;
      this.#wake();
    };
    void run();
  }

  /** Resolves when a request ends or the batch stops, and after `longestMs` at the latest. */
  async #nextChange(longestMs: number): Promise<void> {
    if (this.#waiting.length > 0 && this.#reason === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, longestMs);
    await promise;
    clearTimeout(timer);
  }

  /** Stores the waiting results. */
  async #store(): Promise<void> {
    const results = this.#waiting.splice(0);
    if (results.length === 0) return;
    await this.#write(results);
    this.#storedMs = performance.now();
    this.#lastStored = results.length;
    const { context, task } = this.deps;
    // Resets the count of workers that died. Until then, the loop runs few other tasks beside this one.
    if (task.deaths > 0) await context.progress({}, this.#endedLines.size);
  }

  async #write(results: readonly BatchResult[]): Promise<void> {
    const { context, batchId, task } = this.deps;
    const write = () =>
      context.write(async (tx) => {
        if (!(await findBatchOfJob(tx, batchId, task.jobId))) throw new TaskLost();
        await insertBatchResults(tx, batchId, results);
      });
    await retryWhileUnavailable(write, context.signal);
    for (const { line } of results) this.#endedLines.add(line);
  }

  /** Stores the error as the result of each request that has none. */
  async #failRest({ error }: BatchStopped): Promise<void> {
    const { context } = this.deps;
    let results: BatchResult[] = [];
    for await (const request of this.#requests()) {
      context.signal.throwIfAborted();
      results.push(toErrorResult(request, error));
      if (results.length < MAX_ERRORS_PER_WRITE) continue;
      await this.#write(results);
      results = [];
    }
    if (results.length > 0) await this.#write(results);
  }
}

export const failedBy = ({ kind: code, message }: AppError): BatchStopped =>
  new BatchStopped("failed", { code, message });
