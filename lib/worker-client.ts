import { AppError, toAppError } from "./errors";
import { fromSent, type SentError, toSent } from "./thread-errors";

/* Questions to a Worker and its answers, matched by id. */

type Asked<Question> = { id: number; question: Question };
type Answered<Answer> = { id: number; answer: Answer } | { id: number; error: SentError };

interface AskOptions {
  /** Aborting rejects the call. The Worker still finishes the question. */
  signal?: AbortSignal;
  /** Buffers to transfer to the Worker instead of copying them. */
  transfer?: Bun.Transferable[];
}

/** Sends questions to a Worker. Starts it with the first question, and again after a crash. */
export class WorkerClient<Question, Answer> {
  #worker: Worker | undefined;
  readonly #pending = new Map<number, PromiseWithResolvers<Answer>>();
  #lastId = 0;

  /** `task` completes the log message "The Worker that … crashed", for example "scores". */
  constructor(
    private readonly task: string,
    private readonly createWorker: () => Worker,
  ) {}

  /** Throws the Worker's error, client_closed if the caller disconnects, and internal if the Worker crashes. */
  async ask(question: Question, { signal, transfer = [] }: AskOptions = {}): Promise<Answer> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Answer>();
    const leave = () => answer.reject(new AppError("client_closed", "The caller has disconnected."));
    this.#pending.set(id, answer);
    signal?.addEventListener("abort", leave);
    if (signal?.aborted) leave();
    this.#worker ??= this.#start();
    this.#worker.postMessage({ id, question } satisfies Asked<Question>, transfer);
    try {
      return await answer.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#pending.delete(id);
    }
  }

  close(): void {
    this.#worker?.terminate();
    this.#fail(new AppError("unavailable", "The gateway is closing. Try again in a moment.", { retryAfterMs: 1000 }));
  }

  #start(): Worker {
    const worker = this.createWorker();
    worker.onmessage = ({ data }: MessageEvent<Answered<Answer>>) => this.#hear(data);
    const crashed = (cause: string) => () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      worker.terminate(); // After an uncaught error, the Worker may still run and hold its memory.
      this.#fail(toAppError(new Error(`The Worker that ${this.task} crashed: ${cause}`)));
    };
    worker.onerror = ({ message }) => crashed(message)();
    worker.addEventListener("close", crashed("it ended"));
    return worker;
  }

  #fail(error: AppError): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }

  /** The caller may have disconnected. */
  #hear(message: Answered<Answer>): void {
    const pending = this.#pending.get(message.id);
    if ("error" in message) pending?.reject(fromSent(message.error));
    else pending?.resolve(message.answer);
  }
}

/** The Worker's side. Call it before any asynchronous work, because questions may already have been sent. */
export const answerQuestions = <Question, Answer>(answer: (question: Question) => Answer | Promise<Answer>): void => {
  const thread = globalThis as unknown as Worker;
  thread.onmessage = async ({ data: { id, question } }: MessageEvent<Asked<Question>>) => {
    try {
      thread.postMessage({ id, answer: await answer(question) } satisfies Answered<Answer>);
    } catch (thrown) {
      thread.postMessage({ id, error: toSent(thrown) } satisfies Answered<Answer>);
    }
  };
};
