import { AppError, toAppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { withTimeout } from "../../lib/with-timeout";
import type { ActiveRequest, ActiveRequests } from "../active-requests";
import type { Asking, Call } from "../call";
import type { ChatService } from "../chat/service";
import { assertMayStore } from "../content-logging";
import type { Principal } from "../principal";
import type { RagService } from "../rag/query/service";
import { type FittedPrompt, halved } from "./context";
import type { ConversationMessage } from "./contract";
import { answerFromIndex } from "./evidence";
import { type AnswerEvent, type AnswerState, Generation } from "./generation";
import { type AnswerPlan, MAX_ANSWER_TOKENS } from "./plan";

/** How often a running answer is saved, so that a crash loses little of it. */
export const SAVE_MS = 5000;

export interface AnswerToWrite extends Pick<AnswerState, "id" | "versions"> {
  conversation: { id: string; model: string };
  /** The branch, ending with the question. */
  branch: readonly ConversationMessage[];
  plan: AnswerPlan;
}

interface Deps {
  chat: Pick<ChatService, "events">;
  rag: Pick<RagService, "events">;
  log: Log;
  /** Registers running answers, so that they are stopped when their key ends. */
  activeRequests: ActiveRequests;
  save(conversationId: string, state: AnswerState): Promise<void>;
  /** Throws not_found for a conversation that is not the caller's. */
  find(principal: Principal, conversationId: string): Promise<unknown>;
  keepMs: number;
}

/** The answers that this process is generating, at most one per conversation. */
export class RunningAnswers {
  readonly #running = new Map<string, Generation>();
  /** Conversations in which an answer is starting or a change is in progress. No other answer may start in them. */
  readonly #starting = new Set<{ keyId?: string; conversationId?: string }>();

  constructor(private readonly deps: Deps) {}

  /** The running answer of a conversation. */
  in(conversationId: string): Generation | undefined {
    return this.#running.get(conversationId);
  }

  /**
   * Runs `act` while nothing else changes the branches of this conversation. Throws conflict if an answer is running in
   * it. Checking and claiming is one synchronous step, so only one of several parallel callers succeeds.
   */
  async exclusively<T>(conversationId: string | undefined, act: () => Promise<T>, keyId?: string): Promise<T> {
    const isStarting = [...this.#starting].some((other) => other.conversationId === conversationId);
    if (conversationId !== undefined && (isStarting || this.#running.has(conversationId))) {
      throw new AppError(
        "conflict",
        "An answer is still being generated in this conversation. Stop it or wait for it to finish.",
      );
    }
    const place = { keyId, conversationId };
    this.#starting.add(place);
    return act().finally(() => this.#starting.delete(place));
  }

  /**
   * Reserves a slot for one more answer while `begin` starts it. Throws what `exclusively` throws, rate_limited,
   * not_found, or insufficient_role for a key whose content may not be stored.
   */
  async withSlot<T>(principal: Principal, conversationId: string | undefined, begin: () => Promise<T>): Promise<T> {
    assertMayStore(principal, "conversations", "Use POST /v1/chat, which stores nothing.");
    // Before the conflict: another key must not learn that the conversation exists.
    if (conversationId !== undefined) await this.deps.find(principal, conversationId);
    const { keyId, keyName, limits } = principal;
    const answers = [...this.#starting, ...[...this.#running.values()].map(({ answer }) => answer)];
    if (answers.filter((answer) => answer.keyId === keyId).length >= limits.parallelRequests) {
      const message = `The key "${keyName}" can run ${limits.parallelRequests} answers in parallel. Stop one, or wait for one to finish.`;
      throw new AppError("rate_limited", message, { retryAfterMs: 2000 });
    }
    return this.exclusively(conversationId, begin, keyId);
  }

  /** Starts an answer and saves it every few seconds until it ends. */
  start(asking: Asking, answer: AnswerToWrite): Generation {
    const { log, activeRequests, keepMs } = this.deps;
    const { id: conversationId, model } = answer.conversation;
    const { keyId } = asking.principal;
    const save = (state: AnswerState) => this.deps.save(conversationId, state);
    const generation = new Generation(
      {
        id: answer.id,
        parent_id: answer.branch.at(-1)?.id ?? null,
        versions: answer.versions,
        ...{ conversationId, keyId, model, requestId: asking.requestId },
        ...("evidence" in answer.plan && { evidence: answer.plan.evidence }),
      },
      (signal) => this.#events({ ...asking, signal }, answer),
      {
        keepMs,
        maxTokens: MAX_ANSWER_TOKENS,
        // Periodic saves have stopped, so save the final state.
        save: (state) => {
          clearInterval(saving);
          return save(state).catch((error) =>
            log.error({ requestId: asking.requestId, err: error }, "an answer was not saved"),
          );
        },
      },
    );
    const request: ActiveRequest = { keyId, end: () => void generation.stop() };
    activeRequests.add(request);
    this.#running.set(conversationId, generation);
    const saving = setInterval(() => void save(generation.state).catch(() => {}), SAVE_MS);
    void generation.done.then(() => {
      this.#running.delete(conversationId);
      activeRequests.delete(request);
    });
    return generation;
  }

  /** Waits up to `graceMs` for running answers to finish, then saves the rest as interrupted. */
  async close(graceMs: number): Promise<void> {
    const generations = [...this.#running.values()];
    await withTimeout(Promise.all(generations.map(({ done }) => done)), graceMs);
    await Promise.all(generations.map((generation) => generation.stop("interrupted")));
  }

  #events(call: Call, { conversation: { model }, branch, plan }: AnswerToWrite): AsyncIterable<AnswerEvent> {
    return "query" in plan ? answerFromIndex(this.deps.rag, call, plan) : this.#chat(call, model, branch, plan);
  }

  /**
   * Retries with half of the turns if the engine rejects the prompt, because it counts tokens differently from its
   * node.
   */
  async *#chat(
    call: Call,
    model: string,
    branch: AnswerToWrite["branch"],
    { prompt, tools }: Extract<AnswerPlan, { prompt: unknown }>,
  ): AsyncGenerator<AnswerEvent> {
    for (let fitted: FittedPrompt | undefined = prompt; fitted; ) {
      yield { type: "context", context: fitted.context };
      const { messages } = fitted;
      const body = { model, messages, max_tokens: MAX_ANSWER_TOKENS, ...(tools && { tools }) };
      try {
        yield* this.deps.chat.events(call, body);
        return;
      } catch (thrown) {
        fitted = toAppError(thrown).kind === "context_length_exceeded" ? halved(fitted, branch) : undefined;
        if (!fitted) throw thrown;
      }
    }
  }
}
