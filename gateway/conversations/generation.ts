import { AppError, toAppError, toEnvelope } from "../../lib/errors";
import type { ChatEvent } from "../chat/contract";
import { JoinedCalls } from "../chat/joined-calls";
import type { ToolCall, ToolCallDelta } from "../chat/message";
import type { AnswerContext, AnswerDetail, AnswerEvidence, ConversationMessage } from "./contract";

/** The current state of an answer. Every status except `generating` is final. */
export interface AnswerState extends Omit<ConversationMessage, "role" | "tool_call_id" | "created_at"> {
  detail: AnswerDetail;
}

type Ending = "stopped" | "interrupted";

/** The chat service's events, and what an answer is based on: earlier messages, or passages of an index. */
export type AnswerEvent =
  | Exclude<ChatEvent, DoneEvent>
  | { type: "context"; context: AnswerContext }
  /** `content` replaces the text so far. */
  | { type: "evidence"; evidence: AnswerEvidence; content?: string }
  | { type: "done"; answer: Partial<AnswerFacts> };
type DoneEvent = Extract<ChatEvent, { type: "done" }>;
type AnswerFacts = Pick<DoneEvent["answer"], (typeof FACTS)[number]>;
const FACTS = ["model", "model_revision", "node", "finish_reason", "usage", "latency", "cache"] as const;

type Events = (signal: AbortSignal) => AsyncIterable<AnswerEvent>;

/**
 * A running answer. It collects the events of the chat or RAG service, and any number of readers can follow it. Readers
 * may leave and return; the answer is stopped `keepMs` after the last reader has left.
 */
export class Generation {
  /** Resolves when the answer has ended and is saved. Never rejects. */
  readonly done: Promise<void>;
  #state: AnswerState;
  #isDone = false;
  #changed = Promise.withResolvers<void>();
  readonly #abort = new AbortController();
  #ending: Ending = "stopped";
  readonly #startedAt = performance.now();
  #soFar: AnswerDetail["so_far"];
  readonly #calls = new JoinedCalls();
  /** When the first token of the reasoning arrived, in milliseconds from the start. */
  #reasoningAtMs: number | undefined;
  #readers = 0;
  #idle: Timer | undefined;

  constructor(
    readonly answer: Pick<AnswerState, "id" | "parent_id" | "versions"> & {
      conversationId: string;
      keyId: string;
      model: string;
      requestId: string;
      /** Only for an answer from an index. */
      evidence?: AnswerEvidence;
    },
    events: Events,
    private readonly options: { save: (state: AnswerState) => Promise<void>; keepMs: number; maxTokens: number },
  ) {
    this.#state = {
      id: answer.id,
      parent_id: answer.parent_id,
      versions: answer.versions,
      status: "generating",
      content: "",
      reasoning: null,
      tool_calls: null,
      detail: {
        model: answer.model,
        request_id: answer.requestId,
        ...(answer.evidence && { evidence: answer.evidence }),
      },
    };
    this.#startIdling();
    this.done = this.#run(events);
  }

  get state(): AnswerState {
    return this.#state;
  }

  /** Stops the answer, which frees its slot on the node. Resolves when it is saved. */
  async stop(ending: Ending = "stopped"): Promise<void> {
    this.#ending = ending;
    this.#abort.abort();
    await this.done;
  }

  /**
   * Yields the current state, then changes, at most one per `everyMs`, until the answer has ended or `signal` is
   * aborted. The last state is the saved one.
   */
  async *follow(signal: AbortSignal, everyMs: number): AsyncGenerator<AnswerState> {
    const left = whenAborted(signal);
    this.#readers += 1;
    clearTimeout(this.#idle);
    try {
      while (!signal.aborted) {
        const isLast = this.#isDone;
        const changed = this.#changed.promise;
        yield this.#state;
        if (isLast) return;
        await Promise.race([left, Promise.all([changed, Promise.race([Bun.sleep(everyMs), this.done])])]);
      }
    } finally {
      this.#readers -= 1;
      if (this.#readers === 0 && !this.#isDone) this.#startIdling();
    }
  }

  /** Resolves when the answer has ended or `signal` is aborted. Until then, the caller counts as a reader. */
  async whole(signal: AbortSignal): Promise<void> {
    for await (const _ of this.follow(signal, 1000));
  }

  #startIdling(): void {
    this.#idle = setTimeout(() => void this.stop(), this.options.keepMs);
  }

  #change(change: Partial<AnswerState>): void {
    this.#state = { ...this.#state, ...change };
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #grow({ text, tokens, reasoning, tool_calls: callPieces }: Extract<ChatEvent, { type: "delta" }>): void {
    const elapsedMs = Math.round(performance.now() - this.#startedAt);
    const { tokens: before = 0, ttft = elapsedMs } = this.#soFar ?? {};
    this.#soFar = { tokens: before + tokens, ttft, total: elapsedMs };
    this.#change({
      content: this.#state.content + text,
      ...(reasoning && this.#reasoned(reasoning, elapsedMs)),
      ...(callPieces && { tool_calls: this.#called(callPieces) }),
    });
  }

  #reasoned(piece: string, elapsedMs: number): Pick<AnswerState, "reasoning" | "detail"> {
    const { reasoning, detail } = this.#state;
    this.#reasoningAtMs ??= elapsedMs;
    return {
      reasoning: (reasoning ?? "") + piece,
      detail: { ...detail, reasoning_ms: elapsedMs - this.#reasoningAtMs },
    };
  }

  #called(pieces: readonly ToolCallDelta[]): ToolCall[] {
    for (const piece of pieces) this.#calls.add(piece);
    return withOwnIds(this.#calls.toCalls(), this.answer.id);
  }

  async #run(events: Events): Promise<void> {
    const last = await this.#generate(events);
    clearTimeout(this.#idle);
    // Readers see the end only after the answer is saved, so that a reload shows it too.
    await this.options.save({ ...this.#state, ...last });
    this.#isDone = true;
    this.#change(last);
  }

  /** The limit at which the answer was truncated, if any. */
  #limitOf({ finish_reason, usage }: Partial<AnswerFacts>): Partial<AnswerDetail> {
    if (finish_reason !== "length" || !usage) return {};
    const window = this.#state.detail.context?.window ?? Number.POSITIVE_INFINITY;
    // Some servers don't use the last token of the window.
    const isFull = usage.total_tokens >= window - 1 && usage.completion_tokens < this.options.maxTokens;
    return { length_limit: isFull ? "context_window" : "max_tokens" };
  }

  /** Consumes all events and returns the fields that change at the end. */
  async #generate(events: Events): Promise<Partial<AnswerState>> {
    const { signal } = this.#abort;
    try {
      for await (const event of events(signal)) {
        if (event.type === "delta") this.#grow(event);
        else if (event.type === "context") this.#change({ detail: { ...this.#state.detail, context: event.context } });
        else if (event.type === "evidence") {
          const { evidence, content = this.#state.content } = event;
          this.#change({ content, detail: { ...this.#state.detail, evidence } });
        } else if (event.type === "done") {
          const { answer } = event;
          return {
            status: "complete",
            detail: { ...this.#state.detail, ...factsOf(answer), ...this.#limitOf(answer) },
          };
        }
      }
      throw new AppError("upstream_error", "The GPU node ended the answer without a final event. Try again.");
    } catch (thrown) {
      const detail = { ...this.#state.detail, so_far: this.#soFar };
      if (signal.aborted) return { status: this.#ending, detail };
      const { error } = toEnvelope(toAppError(thrown), this.answer.requestId);
      return { status: "failed", detail: { ...detail, error } };
    }
  }
}

/** Some servers send calls without an id, or several with the same one. Their results could not be told apart. */
const withOwnIds = (calls: readonly ToolCall[], answerId: string): ToolCall[] => {
  const ids = new Set([""]);
  return calls.map((call, index) => {
    const id = ids.has(call.id) ? `call_${answerId}_${index}` : call.id;
    ids.add(id);
    return { ...call, id };
  });
};

/** The fields of a finished answer that are stored with it. */
const factsOf = (answer: Partial<AnswerFacts>): Partial<AnswerDetail> =>
  Object.fromEntries(FACTS.flatMap((name) => (answer[name] === undefined ? [] : [[name, answer[name]]])));

/** Resolves when `signal` is aborted. */
export const whenAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
