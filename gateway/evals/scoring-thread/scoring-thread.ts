import { AppError, toAppError } from "../../../lib/errors";
import { fromSent, type SentError } from "../../../lib/thread-errors";
import type { Call } from "../../call";
import type { ClaimSpan } from "../judge/judge";
import type { ScoredAnswer, ScoredCriterion } from "../scored-answer";
import type { ReferenceScore } from "../scorers/reference-evaluator";
import type { ReferenceScorer } from "../scoring";

/* Messages to and from the Worker that computes scores. Every message has the id of its task. */

type Request = { kind: "score"; answer: ScoredAnswer } | { kind: "claims"; output: string };
export type ToThread = Request & { id: number };

type Reply = { kind: "scores"; scores: ReferenceScore[] } | { kind: "claims"; claims: ClaimSpan[] };
export type FromThread = (Reply | { kind: "failed"; error: SentError }) & { id: number };

/** Scores in a Worker, which is started with the first task and restarted after a crash. */
export class ScoringThread implements ReferenceScorer {
  #worker: Worker | undefined;
  readonly #pending = new Map<number, PromiseWithResolvers<Reply>>();
  #lastId = 0;

  async score(call: Call, answer: ScoredAnswer): Promise<ScoredCriterion[]> {
    const reply = await this.#ask({ kind: "score", answer }, call.signal);
    return reply.kind === "scores" ? reply.scores.map((score) => ({ ...score, votes: [], by: null, error: null })) : [];
  }

  async claimsOf(output: string): Promise<ClaimSpan[]> {
    const reply = await this.#ask({ kind: "claims", output });
    return reply.kind === "claims" ? reply.claims : [];
  }

  close(): void {
    this.#worker?.terminate();
    this.#fail(new AppError("unavailable", "The gateway is closing. Try again in a moment.", { retryAfterMs: 1000 }));
  }

  async #ask(request: Request, signal?: AbortSignal): Promise<Reply> {
    const id = ++this.#lastId;
    const reply = Promise.withResolvers<Reply>();
    const leave = () => reply.reject(new AppError("client_closed", "The caller has disconnected."));
    this.#pending.set(id, reply);
    signal?.addEventListener("abort", leave);
    if (signal?.aborted) leave();
    this.#worker ??= this.#start();
    this.#worker.postMessage({ id, ...request } satisfies ToThread);
    try {
      return await reply.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#pending.delete(id);
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { smol: true });
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => this.#hear(data);
    const crashed = (cause: string) => () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#fail(toAppError(new Error(`The Worker that scores crashed: ${cause}`)));
    };
    worker.onerror = ({ message }) => crashed(message)();
    worker.addEventListener("close", crashed("it ended"));
    return worker;
  }

  #fail(error: AppError): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }

  /** The caller may have disconnected. */
  #hear(message: FromThread): void {
    const pending = this.#pending.get(message.id);
    if (message.kind === "failed") pending?.reject(fromSent(message.error));
    else pending?.resolve(message);
  }
}
