import type { Call } from "../../gateway/call";
import type { ChatAnswer, ChatCompletionRequest, ChatEvent } from "../../gateway/chat/contract";
import { JoinedCalls } from "../../gateway/chat/joined-calls";
import type { ChatMessage } from "../../gateway/chat/message";
import type { AppError } from "../../lib/errors";

/** Fixed usage and timings, so that screenshots don't change. */
const FACTS = {
  id: "chatcmpl-1",
  finish_reason: "stop",
  usage: { prompt_tokens: 34, completion_tokens: 184, total_tokens: 218 },
  template_version: null,
  retries: 0,
  fallback_from: null,
  degraded: [] as ChatAnswer["degraded"],
  node: "node-1",
  latency: { queue: 0.4, ttft: 118, total: 5200 },
} as const;

type Delta = Extract<ChatEvent, { type: "delta" }>;

/** A chat service whose answers the test controls piece by piece. */
export class ScriptedChat {
  #pieces: Delta[] = [];
  #ending: "none" | "done" | AppError = "none";
  #moved = Promise.withResolvers<void>();
  /** Questions asked so far. */
  asked = 0;
  /** The last request, and its call. */
  read: ChatMessage[] = [];
  call: Call | undefined;
  /** Tokens of a message; undefined: one per four characters. */
  tokensPerMessage: number | undefined;
  /** Overrides of how the next answers end. */
  facts: Partial<Pick<ChatAnswer, "finish_reason" | "usage">> = {};

  /** Starts a new, empty script. */
  reset(): void {
    this.#pieces = [];
    this.#ending = "none";
    this.facts = {};
    this.tokensPerMessage = undefined;
  }
  say(text: string): void {
    this.add({ text });
  }
  /** Adds reasoning or a piece of a function call. */
  add(piece: Partial<Delta>): void {
    this.#pieces.push({ type: "delta", text: "", tokens: 1, ...piece });
    this.#move();
  }
  finish(): void {
    this.#ending = "done";
    this.#move();
  }
  fail(error: AppError): void {
    this.#ending = error;
    this.#move();
  }
  #move(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }

  async *events(
    call: Call,
    { messages }: Pick<ChatCompletionRequest, "messages">,
  ): AsyncGenerator<ChatEvent, void, undefined> {
    this.asked += 1;
    this.read = messages;
    this.call = call;
    const left = new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
    let said = 0;
    const start = {
      model: "smollm2-135m-instruct",
      model_revision: "b179c9523d0e",
      cache: { status: "miss" },
      retries: 0,
      fallback_from: null,
    } as const;
    yield { type: "start", ...start, request_id: call.requestId };
    for (;;) {
      const moved = this.#moved.promise;
      call.signal.throwIfAborted();
      const piece = this.#pieces[said];
      if (piece !== undefined) {
        said += 1;
        yield piece;
      } else if (this.#ending === "done") {
        yield { type: "done", answer: { ...FACTS, ...this.facts, ...start, request_id: call.requestId } };
        return;
      } else if (this.#ending !== "none") throw this.#ending;
      else await Promise.race([moved, left]);
    }
  }

  async countPrompt(_call: Call, _model: string, messages: ChatMessage[]): Promise<number> {
    const tokensOf = ({ content }: ChatMessage) => this.tokensPerMessage ?? Math.ceil(String(content).length / 4);
    return messages.reduce((sum, message) => sum + tokensOf(message), 0);
  }

  /** The complete answer, for requests without streaming. */
  async answer(call: Call, body: Pick<ChatCompletionRequest, "messages">): Promise<ChatAnswer> {
    let content = "";
    const joined = new JoinedCalls();
    for await (const event of this.events(call, body)) {
      if (event.type === "delta") {
        content += event.text;
        for (const piece of event.tool_calls ?? []) joined.add(piece);
      }
      if (event.type !== "done") continue;
      const calls = joined.toCalls();
      const message = { role: "assistant" as const, content, ...(calls.length > 0 && { tool_calls: calls }) };
      return { ...event.answer, message };
    }
    throw new Error("The script has no end.");
  }
}
