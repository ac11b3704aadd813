import type { ChatEvent } from "../chat/contract";
import { callIndex } from "../chat/joined-calls";
import type { ToolCallDelta } from "../chat/message";
import type { ResponseEvent, ResponseObject } from "./contract";
import type { OutputItem } from "./items";
import { callItem, messageItem, outputText, reasoningItem, reasoningText } from "./response";

type WithoutNumber<T> = T extends unknown ? Omit<T, "sequence_number"> : never;
type Delta = Pick<Extract<ChatEvent, { type: "delta" }>, "text" | "reasoning" | "tool_calls">;

interface Output {
  type: OutputItem["type"];
  id: string;
  /** The item's index in the output. */
  place: number;
  /** The text or the call's arguments so far. */
  text: string;
  isDone: boolean;
  /** Empty unless the item is a call, like `name`. */
  callId: string;
  name: string;
}

/**
 * Translates the chat service's deltas to the events of one response. Reasoning, text and each call are items of the
 * output. Text and reasoning end when other output starts; calls end with the answer, because a server may mix their
 * pieces.
 */
export class ResponseEvents {
  #sequence = 0;
  readonly #outputs: Output[] = [];
  readonly #calls = new Map<number, Output>();

  constructor(readonly begun: ResponseObject) {}

  *start(): Generator<ResponseEvent> {
    const response = this.begun;
    yield this.#event({ type: "response.created", response });
    yield this.#event({ type: "response.in_progress", response });
  }

  *add({ reasoning, text, tool_calls: calls = [] }: Delta): Generator<ResponseEvent> {
    if (reasoning) yield* this.#addText("reasoning", reasoning);
    if (text) yield* this.#addText("message", text);
    for (const call of calls) yield* this.#addToCall(call);
  }

  /** Ends the answer. If it has no output, adds an empty message, as in a response that isn't streamed. */
  *close(isWhole: boolean): Generator<ResponseEvent> {
    if (this.#outputs.length === 0) yield* this.#open("message");
    yield* this.closeItems(isWhole);
  }

  *closeItems(isWhole: boolean): Generator<ResponseEvent> {
    for (const output of this.#outputs) yield* this.#finish(output, isWhole);
  }

  /** The items so far. */
  output(isWhole: boolean): OutputItem[] {
    return this.#outputs.map((output) => this.#itemOf(output, this.#statusOf(output, isWhole)));
  }

  end(response: ResponseObject): ResponseEvent {
    const isCompleted = response.status === "completed";
    return this.#event({ type: isCompleted ? "response.completed" : "response.incomplete", response });
  }

  *fail(error: Extract<ResponseEvent, { type: "error" }>["error"]): Generator<ResponseEvent> {
    yield this.#event({ type: "error", error });
    const { code, message } = error;
    const response = { ...this.begun, status: "failed" as const, output: this.output(false), error: { code, message } };
    yield this.#event({ type: "response.failed", response: { ...response, store: false } });
  }

  #event(event: WithoutNumber<ResponseEvent>): ResponseEvent {
    const { type, ...fields } = event;
    return { type, sequence_number: this.#sequence++, ...fields } as ResponseEvent;
  }

  *#addText(type: "message" | "reasoning", delta: string): Generator<ResponseEvent> {
    const last = this.#outputs.at(-1);
    const output = last?.type === type && !last.isDone ? last : yield* this.#open(type);
    output.text += delta;
    const place = { ...placeOf(output), content_index: 0 };
    yield type === "message"
      ? this.#event({ type: "response.output_text.delta", ...place, delta, logprobs: [] })
      : this.#event({ type: "response.reasoning_text.delta", ...place, delta });
  }

  *#addToCall(piece: ToolCallDelta): Generator<ResponseEvent> {
    const index = callIndex(piece, this.#calls.size);
    const { name, arguments: delta } = piece.function ?? {};
    let output = this.#calls.get(index);
    if (output) output.name += name ?? "";
    else {
      output = yield* this.#open("function_call", { callId: piece.id ?? "", name: name ?? "" });
      this.#calls.set(index, output);
    }
    if (!delta) return;
    output.text += delta;
    yield this.#event({ type: "response.function_call_arguments.delta", ...placeOf(output), delta });
  }

  *#open(type: Output["type"], call = { callId: "", name: "" }): Generator<ResponseEvent, Output> {
    const last = this.#outputs.at(-1);
    if (last && last.type !== "function_call") yield* this.#finish(last, true);
    const output: Output = { type, id: "", place: this.#outputs.length, text: "", isDone: false, ...call };
    this.#outputs.push(output);
    const item = { ...this.#itemOf(output, "in_progress"), ...(type !== "function_call" && { content: [] }) };
    output.id = item.id;
    const { item_id, output_index } = placeOf(output);
    yield this.#event({ type: "response.output_item.added", output_index, item: item as OutputItem });
    if (type === "function_call") return output;
    const part = partOf(output);
    yield this.#event({ type: "response.content_part.added", item_id, output_index, content_index: 0, part });
    return output;
  }

  *#finish(output: Output, isWhole: boolean): Generator<ResponseEvent> {
    if (output.isDone) return;
    output.isDone = true;
    const { text, name } = output;
    const place = placeOf(output);
    if (output.type === "function_call") {
      yield this.#event({ type: "response.function_call_arguments.done", ...place, name, arguments: text });
    } else {
      const inPart = { ...place, content_index: 0 };
      yield output.type === "message"
        ? this.#event({ type: "response.output_text.done", ...inPart, text, logprobs: [] })
        : this.#event({ type: "response.reasoning_text.done", ...inPart, text });
      yield this.#event({ type: "response.content_part.done", ...inPart, part: partOf(output) });
    }
    const item = this.#itemOf(output, this.#statusOf(output, isWhole));
    yield this.#event({ type: "response.output_item.done", output_index: output.place, item });
  }

  /** Only the last item of an answer can be incomplete. */
  #statusOf({ place }: Output, isWhole: boolean): OutputItem["status"] {
    return isWhole || place < this.#outputs.length - 1 ? "completed" : "incomplete";
  }

  #itemOf({ type, place, text, callId, name }: Output, status: OutputItem["status"]): OutputItem {
    const { id } = this.begun;
    if (type === "function_call") return { ...callItem(id, place, callId, { name, arguments: text }), status };
    return { ...(type === "message" ? messageItem(id, place, text) : reasoningItem(id, place, text)), status };
  }
}

const placeOf = ({ id, place }: Output) => ({ item_id: id, output_index: place });

const partOf = ({ type, text }: Output) => (type === "message" ? outputText(text) : reasoningText(text));
