import type { BatchProgress, EndedResult } from "../../db/batch-evals";
import { countFailure } from "../../db/runs";
import type { AppError } from "../../lib/errors";
import type { Outcome } from "./run-sample";

/** The speed of a run is measured over this much of its running time. */
const RATE_WINDOW_MS = 10_000;

/** Keeps the counts of a run. They are stored in the transactions that change its results. */
export class Counts {
  #progress: BatchProgress;
  #marks: { activeMs: number; done: number }[] = [];

  constructor(progress: BatchProgress | null) {
    this.#progress = copyOf(progress);
  }

  /**
   * Takes the stored counts, at the start of each transaction that changes them: a recomputation may have changed the
   * verdicts, and a transaction that failed has changed nothing.
   */
  load(progress: BatchProgress | null): void {
    this.#progress = copyOf(progress);
  }

  get progress(): BatchProgress {
    return this.#progress;
  }

  /** A worker takes over the run. `total`: all its results, if known. */
  begin(total: number | undefined): void {
    if (total !== undefined) this.#progress.total = total;
    this.stop();
  }

  /** A worker died while running these results. */
  die(results: number): void {
    this.#progress.deaths += results;
    this.#progress.workerDeaths = (this.#progress.workerDeaths ?? 0) + 1;
  }

  create(results: number, nextPosition: number): void {
    this.#progress.created += results;
    this.#progress.nextPosition = nextPosition;
  }

  start(results: number): void {
    this.#progress.running += results;
  }

  /** Records why no call succeeds, and since when. */
  wait(waiting: { error: AppError; forMs: number } | null, now: Date): void {
    this.#progress.waiting = waiting && {
      code: waiting.error.kind,
      message: waiting.error.message,
      since: new Date(now.getTime() - waiting.forMs).toISOString(),
    };
  }

  stop(): void {
    this.#progress.waiting = null;
    this.#progress.running = 0;
    this.#progress.perSecond = 0;
  }

  /** Errors with these failure kinds are pending again. */
  retry(failures: readonly (string | null)[]): void {
    this.#progress.done -= failures.length;
    this.#progress.errors -= failures.length;
    for (const failure of failures) countFailure(this.#progress.failures, failure, -1);
  }

  /** Counts an outcome, and returns its row. */
  end({ task, scores: _, ...outcome }: Outcome): EndedResult {
    const counts = this.#progress;
    const { output, passed, failure, state } = outcome;
    counts.running -= 1;
    counts.done += 1;
    counts.sequence += 1;
    if (state === "error") counts.errors += 1;
    if (passed !== null) counts.judged += 1;
    if (passed) counts.passed += 1;
    countFailure(counts.failures, failure, 1);
    counts.promptTokens += output?.usage?.prompt_tokens ?? 0;
    counts.completionTokens += output?.usage?.completion_tokens ?? 0;
    const status = output?.cache?.status;
    if (counts.cached !== undefined && (status === "hit" || status === "joined")) counts.cached += 1;
    if (output?.latency && (status === "miss" || status === "bypass")) {
      counts.workedMs += output.latency.total - output.latency.queue;
    }
    return {
      ...outcome,
      id: task.id,
      output: output && { ...output },
      sequence: counts.sequence,
      latencyMs: output?.latency?.total ?? null,
    };
  }

  /** Adds running time, and measures the speed. */
  tick(ms: number): void {
    const counts = this.#progress;
    counts.activeMs += ms;
    this.#marks.push({ activeMs: counts.activeMs, done: counts.done });
    while (this.#marks.length > 2 && counts.activeMs - (this.#marks[0]?.activeMs ?? 0) > RATE_WINDOW_MS) {
      this.#marks.shift();
    }
    const [first] = this.#marks;
    const windowMs = first ? counts.activeMs - first.activeMs : 0;
    counts.perSecond = first && windowMs > 0 ? (1000 * (counts.done - first.done)) / windowMs : 0;
  }
}

const copyOf = (progress: BatchProgress | null): BatchProgress => {
  if (!progress) throw new Error("A batch run has counts.");
  return { ...progress, failures: { ...progress.failures } };
};
