import { type AppError, toAppError } from "../../../lib/errors";
import { type Patience, waitFor } from "./patience";
import type { FromWorker, ToWorker } from "./protocol";

/** The Worker that reads one upload or checks one schema. A Worker and not a task of the loop: reading takes seconds of pure computation. */
export class ReadingThread {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { smol: true });
  #reply = nextReply();

  /** `stalled` tells whoever waited for too long. */
  constructor(
    private readonly patience: Patience,
    private readonly stalled: string,
  ) {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#reply.resolve(data);
    this.#worker.onerror = ({ message }) => this.#reply.reject(crashed(message));
    this.#worker.addEventListener("close", () => this.#reply.reject(crashed("it ended")));
  }

  /** Sends one message and waits for the answer. Throws internal when the Worker crashes, and as `waitFor` does. */
  async ask(message: ToWorker): Promise<FromWorker> {
    this.#worker.postMessage(message, message.kind === "block" ? [message.bytes.buffer] : []);
    const reply = await waitFor(this.#reply.promise, this.patience, this.stalled);
    this.#reply = nextReply();
    return reply;
  }

  close(): void {
    this.#worker.terminate();
  }
}

const crashed = (cause: string): AppError => toAppError(new Error(`The Worker that reads uploads crashed: ${cause}`));

const nextReply = (): PromiseWithResolvers<FromWorker> => {
  const reply = Promise.withResolvers<FromWorker>();
  // A Worker that ends while nobody waits for an answer is no failure.
  reply.promise.catch(() => undefined);
  return reply;
};
