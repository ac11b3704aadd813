import { AppError } from "../../../lib/errors";
import { WorkerClient } from "../../../lib/worker-client";
import type { ValidationReport } from "../contract";
import type { FileFormat } from "./formats/detect-format";
import type { SampleBatch, SampleOptions } from "./samples/read-samples";

/** An upload to read: an open file and its format. */
export type ReadingJob = SampleOptions & { format: FileFormat; fd: number };

/** Questions to the Worker. `go` asks for the next answer to the last job. */
export type ToWorker = { kind: "job"; job: ReadingJob } | { kind: "go" } | { kind: "schema"; schema: unknown };

export type FromWorker =
  | { kind: "batch"; batch: SampleBatch }
  | { kind: "report"; report: ValidationReport }
  | { kind: "usable" };

/** Maximum growth of the process while a Worker decodes Parquet, where one page can expand without limit. */
const MAX_GROWTH_BYTES = 512 * 1_048_576;
const WATCH_MS = 20;

/** The Worker that reads one upload or checks one schema, which can take seconds of pure computation. */
export class ReadingThread {
  readonly #worker = new WorkerClient<ToWorker, FromWorker>(
    "reads uploads",
    () => new Worker(new URL("./worker.ts", import.meta.url), { smol: true }),
  );
  #watch: Timer | undefined;
  readonly #overflow = Promise.withResolvers<never>();

  /** `stalled` is the error message on a timeout. */
  constructor(
    private readonly patience: Patience,
    private readonly stalled: string,
  ) {
    this.#overflow.promise.catch(() => undefined);
  }

  /**
   * Terminates the Worker with payload_too_large if the whole process grows too much, because a Worker that is busy
   * decoding can't report its own heap. Only one Worker per process may be watched at a time. Readers that limit their
   * own memory don't need this.
   */
  watchMemory(): void {
    const startBytes = process.memoryUsage.rss();
    this.#watch = setInterval(() => {
      if (process.memoryUsage.rss() - startBytes < MAX_GROWTH_BYTES) return;
      const message = "The file takes too much memory when decompressed. Split it into smaller files.";
      this.#overflow.reject(new AppError("payload_too_large", message));
      this.#worker.close();
    }, WATCH_MS);
  }

  /** Asks one question. Throws what `WorkerClient.ask` and `waitFor` throw, and payload_too_large. */
  ask(message: ToWorker): Promise<FromWorker> {
    const answer = Promise.race([this.#overflow.promise, this.#worker.ask(message)]);
    return waitFor(answer, this.patience, this.stalled);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
    this.#worker.close();
  }
}

/** The timeout of a step, and the signal that cancels it. */
export interface Patience {
  stallMs: number;
  signal?: AbortSignal;
}

/**
 * Waits for one step. Throws deadline_exceeded with the message `stalled` on a timeout, and client_closed if aborted.
 */
export const waitFor = async <T>(step: Promise<T>, { stallMs, signal }: Patience, stalled: string): Promise<T> => {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new AppError("deadline_exceeded", stalled)), stallMs);
  const cancel = () => reject(new AppError("client_closed", "Reading the upload was cancelled."));
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  try {
    return await Promise.race([step, end]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
};
