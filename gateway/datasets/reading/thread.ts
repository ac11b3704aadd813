import { AppError, toAppError } from "../../../lib/errors";
import type { SentError } from "../../../lib/thread-errors";
import type { ValidationReport } from "../contract";
import type { FileFormat } from "./formats/detect-format";
import type { SampleBatch, SampleOptions } from "./samples/read-samples";

/** An upload to read: an open file and its format. */
export type ReadingJob = SampleOptions & { format: FileFormat; fd: number };

/** Messages to the Worker. It answers each with one message, so messages don't pile up on either side. */
export type ToWorker =
  | { kind: "job"; job: ReadingJob }
  | { kind: "go" }
  /** Answered by `usable` or `refused`. */
  | { kind: "schema"; schema: unknown };

export type FromWorker =
  /** Answered by `go`. */
  | { kind: "batch"; batch: SampleBatch }
  | { kind: "report"; report: ValidationReport }
  | { kind: "usable" }
  | { kind: "refused"; error: SentError };

/** Maximum growth of the process while a Worker decodes Parquet, where one page can expand without limit. */
const MAX_GROWTH_BYTES = 512 * 1_048_576;
const WATCH_MS = 20;

/** The Worker that reads one upload or checks one schema, which can take seconds of pure computation. */
export class ReadingThread {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { smol: true });
  #watch: Timer | undefined;
  #reply = nextReply();

  /** `stalled` is the error message on a timeout. */
  constructor(
    private readonly patience: Patience,
    private readonly stalled: string,
  ) {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#reply.resolve(data);
    this.#worker.onerror = ({ message }) => this.#reply.reject(crashed(message));
    this.#worker.addEventListener("close", () => this.#reply.reject(crashed("it ended")));
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
      this.#reply.reject(tooMuchMemory());
      this.#worker.terminate();
    }, WATCH_MS);
  }

  /**
   * Sends one message and waits for the answer. Throws internal if the Worker crashes, payload_too_large, and what
   * `waitFor` throws.
   */
  async ask(message: ToWorker): Promise<FromWorker> {
    this.#worker.postMessage(message);
    const reply = await waitFor(this.#reply.promise, this.patience, this.stalled);
    this.#reply = nextReply();
    return reply;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
    this.#worker.terminate();
  }
}

const tooMuchMemory = (): AppError =>
  new AppError("payload_too_large", "The file takes too much memory when decompressed. Split it into smaller files.");

const crashed = (cause: string): AppError => toAppError(new Error(`The Worker that reads uploads crashed: ${cause}`));

const nextReply = (): PromiseWithResolvers<FromWorker> => {
  const reply = Promise.withResolvers<FromWorker>();
  // A Worker that ends while no caller is waiting is not an error.
  reply.promise.catch(() => undefined);
  return reply;
};

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
