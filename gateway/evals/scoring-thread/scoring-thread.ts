import { AppError, toAppError } from "../../../lib/errors";
import { fromSent, type SentError, toSent } from "../../../lib/thread-errors";
import type { Call } from "../../call";
import type { EmbeddingService } from "../../embeddings/service";
import type { ClaimSpan } from "../judge/judge";
import type { ScoredAnswer, ScoredCriterion } from "../scored-answer";
import type { EmbedTexts } from "../scorers/embedding";
import type { ReferenceScore } from "../scorers/reference-evaluator";
import type { ReferenceScorer } from "../scoring";
import { embedAnyLength } from "./embed";

/*
 * Messages to and from the Worker that computes scores. Every message has the id of its task. Several tasks run at the
 * same time, and each requests vectors one request at a time.
 */

export type ToThread =
  | { id: number; kind: "score"; answer: ScoredAnswer }
  | { id: number; kind: "claims"; output: string }
  | { id: number; kind: "vectors"; vectors: Float32Array[] }
  | { id: number; kind: "no_vectors"; error: SentError };

export type FromThread =
  /** Answered by `vectors` or `no_vectors`. */
  | { id: number; kind: "embed"; texts: string[] }
  | { id: number; kind: "scores"; scores: ReferenceScore[] }
  | { id: number; kind: "claims"; claims: ClaimSpan[] }
  | { id: number; kind: "failed"; error: SentError };

type Request =
  | { kind: "score"; answer: Extract<ToThread, { kind: "score" }>["answer"] }
  | { kind: "claims"; output: string };
type Reply = Extract<FromThread, { kind: "scores" | "claims" }>;

/** A piece of work that the Worker has. */
interface Pending {
  reply: PromiseWithResolvers<Reply>;
  embed: EmbedTexts;
}

/** Scores in a Worker of its own, started with the first piece of work and anew after a crash. */
export class ScoringThread implements ReferenceScorer {
  #worker: Worker | undefined;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(private readonly embeddings: Pick<EmbeddingService, "embedTexts">) {}

  async score(call: Call, answer: Parameters<ReferenceScorer["score"]>[1]): Promise<ScoredCriterion[]> {
    let by: ScoredCriterion["by"] = null;
    const embed: EmbedTexts = async (texts) => {
      const { vectors, model, modelRevision } = await embedAnyLength(this.embeddings, call, texts);
      by = { model, modelRevision };
      return vectors;
    };
    const reply = await this.#ask({ kind: "score", answer }, embed, call.signal);
    return reply.kind === "scores" ? reply.scores.map((score) => ({ ...score, votes: [], by, error: null })) : [];
  }

  async claimsOf(output: string): Promise<ClaimSpan[]> {
    const reply = await this.#ask({ kind: "claims", output }, noVectors);
    return reply.kind === "claims" ? reply.claims : [];
  }

  close(): void {
    this.#worker?.terminate();
    this.#fail(new AppError("unavailable", "The gateway is closing. Try again in a moment.", { retryAfterMs: 1000 }));
  }

  async #ask(request: Request, embed: EmbedTexts, signal?: AbortSignal): Promise<Reply> {
    const id = ++this.#lastId;
    const pending: Pending = { reply: Promise.withResolvers(), embed };
    const leave = () => pending.reply.reject(left());
    this.#pending.set(id, pending);
    signal?.addEventListener("abort", leave);
    if (signal?.aborted) leave();
    this.#worker ??= this.#start();
    this.#say({ id, ...request });
    try {
      return await pending.reply.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#pending.delete(id);
    }
  }

  #say(message: ToThread): void {
    this.#worker?.postMessage(message);
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
    for (const { reply } of this.#pending.values()) reply.reject(error);
  }

  #hear(message: FromThread): void {
    const pending = this.#pending.get(message.id);
    // Whoever asked has left.
    if (!pending) {
      if (message.kind === "embed") this.#say({ id: message.id, kind: "no_vectors", error: toSent(left()) });
      return;
    }
    switch (message.kind) {
      case "embed":
        pending.embed(message.texts).then(
          (vectors) => this.#say({ id: message.id, kind: "vectors", vectors }),
          (thrown) => this.#say({ id: message.id, kind: "no_vectors", error: toSent(thrown) }),
        );
        return;
      case "failed":
        pending.reply.reject(fromSent(message.error));
        return;
      default:
        pending.reply.resolve(message);
    }
  }
}

const left = (): AppError => new AppError("client_closed", "The caller has left.");

const noVectors: EmbedTexts = () => Promise.reject(new Error("Claims are found without vectors."));
