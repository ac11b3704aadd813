import { AppError } from "../../lib/errors";
import type { ChatEvent } from "../chat/contract";
import { callIndex } from "../chat/joined-calls";
import type { ToolCallDelta } from "../chat/message";
import type { AnswerBlock, MessageEvent, MessagesRequest } from "./contract";
import { type Display, emptyMessage, endOf, inputOf, toolUseId, toUsage } from "./response";
import { signatureOf } from "./signature";

/** The block that is being streamed. `text` is its text, reasoning or JSON so far. */
interface OpenBlock {
  type: AnswerBlock["type"];
  text: string;
  /** tool_use: the index of the call in the chat service's events. */
  call?: number;
  /** tool_use: whether the pieces of its JSON are sent as they arrive. */
  isEager?: boolean;
}

/**
 * Translates the events of one answer to Anthropic's. Blocks are streamed one after the other. A tool's input is sent
 * once it is complete and its JSON has been checked, or immediately if the tool has `eager_input_streaming`.
 */
export class MessageEvents {
  /** Index of the open block, or of the last one. */
  #index = -1;
  #open: OpenBlock | undefined;
  readonly #calls = new Set<number>();
  readonly #eager: ReadonlySet<string>;

  constructor(
    { tools = [] }: Pick<MessagesRequest, "tools">,
    private readonly display: Display,
  ) {
    this.#eager = new Set(tools.filter((tool) => tool.eager_input_streaming).map(({ name }) => name));
  }

  /** Throws upstream_error if the pieces of several calls are mixed. */
  from(event: ChatEvent): MessageEvent[] {
    switch (event.type) {
      case "start":
        return [{ type: "message_start", message: emptyMessage(event.model) }, { type: "ping" }];
      case "delta":
        return [
          ...(event.reasoning ? this.#think(event.reasoning) : []),
          ...(event.text === "" ? [] : this.#write(event.text)),
          ...(event.tool_calls ?? []).flatMap((piece) => this.#call(piece)),
        ];
      case "done": {
        const { answer } = event;
        const delta = endOf(answer, this.#calls.size > 0);
        return [
          ...this.#close(),
          { type: "message_delta", delta, usage: toUsage(answer.usage) },
          { type: "message_stop" },
        ];
      }
    }
  }

  #think(thinking: string): MessageEvent[] {
    if (this.display === "none") return [];
    const before =
      this.#open?.type === "thinking"
        ? []
        : this.#begin({ type: "thinking", text: "" }, { type: "thinking", thinking: "", signature: "" });
    this.#add(thinking);
    return this.display === "omitted" ? before : [...before, this.#delta({ type: "thinking_delta", thinking })];
  }

  #write(text: string): MessageEvent[] {
    const before =
      this.#open?.type === "text" ? [] : this.#begin({ type: "text", text: "" }, { type: "text", text: "" });
    this.#add(text);
    return [...before, this.#delta({ type: "text_delta", text })];
  }

  #call(piece: ToolCallDelta): MessageEvent[] {
    const { id, function: { name, arguments: json } = {} } = piece;
    const call = callIndex(piece, this.#calls.size);
    const before: MessageEvent[] = [];
    if (this.#open?.call !== call) {
      if (this.#calls.has(call)) throw mixedCalls();
      this.#calls.add(call);
      const block: AnswerBlock = { type: "tool_use", id: toolUseId(id), name: name ?? "", input: {} };
      before.push(...this.#begin({ type: "tool_use", text: "", call, isEager: this.#eager.has(block.name) }, block));
    }
    if (!json) return before;
    this.#add(json);
    if (this.#open?.isEager) before.push(this.#delta({ type: "input_json_delta", partial_json: json }));
    return before;
  }

  #add(piece: string): void {
    if (this.#open) this.#open.text += piece;
  }

  #begin(open: OpenBlock, content_block: AnswerBlock): MessageEvent[] {
    const before = this.#close();
    this.#open = open;
    this.#index++;
    return [...before, { type: "content_block_start", index: this.#index, content_block }];
  }

  #delta(delta: Extract<MessageEvent, { type: "content_block_delta" }>["delta"]): MessageEvent {
    return { type: "content_block_delta", index: this.#index, delta };
  }

  #close(): MessageEvent[] {
    const open = this.#open;
    if (!open) return [];
    this.#open = undefined;
    return [...this.#endOf(open), { type: "content_block_stop", index: this.#index }];
  }

  /** The last deltas of a block. */
  #endOf({ type, text, isEager }: OpenBlock): MessageEvent[] {
    if (type === "thinking") {
      return [this.#delta({ type: "signature_delta", signature: signatureOf(text, this.display === "omitted") })];
    }
    if (type !== "tool_use" || isEager || text === "") return [];
    return [this.#delta({ type: "input_json_delta", partial_json: JSON.stringify(inputOf(text)) })];
  }
}

const mixedCalls = (): AppError =>
  new AppError("upstream_error", "The model's server interleaved the pieces of several tool calls. Try again.", {
    source: "node",
  });
