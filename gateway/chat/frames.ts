import { AppError } from "../../lib/errors";
import type { FinishReason } from "./contract";
import { JoinedCalls } from "./joined-calls";
import type { ToolCall } from "./message";
import { type Choice, type Completion, DONE, type Logprobs, type MessageTexts, parseFrames } from "./wire";

const TEXTS = ["refusal", "reasoning", "reasoning_content"] as const satisfies (keyof MessageTexts)[];

/** One choice of a stream, joined from its pieces. */
class JoinedChoice {
  #text = "";
  #otherTexts: MessageTexts | undefined;
  #toolCalls: JoinedCalls | undefined;
  #logprobs: Logprobs | null = null;
  #finishReason: FinishReason | null = null;
  #stop: Pick<Choice, "stop_reason" | "matched_stop"> | undefined;

  add({ delta, text, logprobs, finish_reason, stop_reason, matched_stop }: Choice): void {
    this.#text += delta?.content ?? text ?? "";
    if (logprobs) this.#logprobs = joinLogprobs(this.#logprobs, logprobs);
    this.#finishReason = finish_reason ?? this.#finishReason;
    if (typeof stop_reason === "string") this.#stop = { stop_reason };
    else if (typeof matched_stop === "string") this.#stop = { matched_stop };
    if (!delta) return;
    for (const name of TEXTS) {
      const piece = delta[name];
      if (typeof piece !== "string") continue;
      this.#otherTexts ??= {};
      this.#otherTexts[name] = (this.#otherTexts[name] ?? "") + piece;
    }
    for (const piece of delta.tool_calls ?? []) {
      this.#toolCalls ??= new JoinedCalls();
      this.#toolCalls.add(piece);
    }
  }

  toChoice(index: number, isChat: boolean): Choice {
    const end = { logprobs: this.#logprobs, finish_reason: this.#finishReason, ...this.#stop };
    if (!isChat) return { index, text: this.#text, ...end };
    const calls = this.#toolCalls?.toCalls();
    // As in OpenAI's API, an answer that only calls functions has no content.
    const content = this.#text === "" && calls ? null : this.#text;
    const message = {
      role: "assistant",
      content,
      refusal: null,
      ...this.#otherTexts,
      ...(calls && { tool_calls: calls }),
    };
    return { index, message, ...end };
  }
}

const joinLogprobs = (a: Logprobs | null, b: Logprobs): Logprobs => {
  const joined: Logprobs = { ...a };
  for (const [name, values] of Object.entries(b)) joined[name] = values ? [...(a?.[name] ?? []), ...values] : null;
  return joined;
};

/** Joins the frames of a stream to one answer. Throws upstream_error if there are none. */
export const toCompletion = (frames: Uint8Array[]): Completion => {
  const chunks = parseFrames(frames);
  const first = chunks[0];
  if (!first) throw new AppError("upstream_error", "The GPU node's answer was empty. Try again.", { source: "node" });
  const isChat = first.object === "chat.completion.chunk";
  const joined = new Map([[0, new JoinedChoice()]]);
  for (const chunk of chunks) {
    for (const choice of chunk.choices) {
      const target = joined.get(choice.index ?? 0) ?? new JoinedChoice();
      joined.set(choice.index ?? 0, target);
      target.add(choice);
    }
  }
  const last = chunks.findLast((chunk) => chunk.usage);
  const { choices: _, ...head } = first;
  return {
    ...head,
    object: isChat ? "chat.completion" : "text_completion",
    choices: [...joined].toSorted(([a], [b]) => a - b).map(([index, choice]) => choice.toChoice(index, isChat)),
    usage: last?.usage,
    timings: last?.timings,
  };
};

/** A piece of a choice as it is streamed. */
interface Piece {
  content: object;
  logprobs?: Logprobs | null;
  finishReason?: FinishReason | null;
}

/** The calls of a message as OpenAI streams them: id and name first, then the arguments. */
const toolCallPieces = (calls: readonly ToolCall[]): Piece[] =>
  calls.flatMap(({ function: { arguments: text, ...named }, ...call }, index) => {
    // The index comes last, because some servers send one of their own.
    const start = { ...call, index, function: { ...named, arguments: "" } };
    const rest = { index, function: { arguments: text } };
    return [start, ...(text === "" ? [] : [rest])].map((piece) => ({ content: { delta: { tool_calls: [piece] } } }));
  });

/** The pieces of a stored choice: role, reasoning, text, calls, finish reason. */
const piecesOf = (choice: Choice, isChat: boolean): Piece[] => {
  const { message, logprobs = null } = choice;
  const finishReason = choice.finish_reason ?? "stop";
  if (!isChat)
    return [
      { content: { text: choice.text ?? "" }, logprobs },
      { content: { text: "" }, finishReason },
    ];
  const pieces: Piece[] = [
    { content: { delta: { role: "assistant", content: message?.content === null ? null : "" } } },
  ];
  for (const name of ["reasoning", "reasoning_content"] as const) {
    if (message?.[name]) pieces.push({ content: { delta: { [name]: message[name] } } });
  }
  const calls = message?.tool_calls ?? [];
  const content = message?.content ?? "";
  if (content !== "" || logprobs || calls.length === 0) pieces.push({ content: { delta: { content } }, logprobs });
  if (message?.refusal) pieces.push({ content: { delta: { refusal: message.refusal } } });
  return [...pieces, ...toolCallPieces(calls), { content: { delta: {} }, finishReason }];
};

/** A stored answer as a stream: the pieces of each choice, usage if requested, end marker. */
export const toFrames = (completion: Completion, includeUsage: boolean): string => {
  const { usage, timings, choices, ...identity } = completion;
  const isChat = completion.object === "chat.completion";
  const head = { ...identity, object: isChat ? "chat.completion.chunk" : "text_completion" };
  const frame = (chunk: object) => `data: ${JSON.stringify({ ...head, ...chunk })}\n\n`;
  // The chunks of a live stream contain `usage` too, because the gateway always asks the node for it.
  const chunk = (index: number, { content, logprobs = null, finishReason = null }: Piece) =>
    frame({ usage: null, choices: [{ index, ...content, logprobs, finish_reason: finishReason }] });
  const body = choices
    .flatMap((choice) => piecesOf(choice, isChat).map((piece) => chunk(choice.index, piece)))
    .join("");
  return `${body}${includeUsage ? frame({ choices: [], usage, timings }) : ""}data: ${DONE}\n\n`;
};
