import { AppError } from "../../lib/errors";
import type { FinishReason, Usage } from "./contract";

/** What is read of OpenAI's answers; everything else in them is passed on untouched. */
export interface Completion {
  id: string;
  object: string;
  created: number;
  model: string;
  choices: Choice[];
  usage?: Usage | null;
  timings?: { queue_ms: number; ttft_ms: number; total_ms: number };
}

interface Choice {
  index: number;
  message?: { role: string; content: string | null };
  delta?: { role?: string; content?: string | null };
  text?: string;
  logprobs?: Logprobs | null;
  finish_reason: FinishReason | null;
}

/** Lists of equal length, one entry a token: `content` for chats, `tokens` and others for completions. */
type Logprobs = Record<string, unknown[] | null>;

const decoder = new TextDecoder();
const DONE = "[DONE]";

/** The JSON documents of whole frames, without the end marker. */
export const parseFrames = (frames: Uint8Array[]): Completion[] => {
  const text = frames.length === 1 ? decoder.decode(frames[0]) : decoder.decode(Buffer.concat(frames));
  const documents: Completion[] = [];
  for (const frame of text.split("\n\n")) {
    if (!frame.startsWith("data: ")) continue;
    const data = frame.slice("data: ".length);
    if (data !== DONE) documents.push(JSON.parse(data));
  }
  return documents;
};

/** The piece of text in a chunk, "" when it has none. */
export const textOf = (chunk: Completion): string => {
  const [choice] = chunk.choices;
  return choice?.delta?.content ?? choice?.text ?? "";
};

/** One whole answer out of the frames of a stream. Throws upstream_error when they hold none. */
export const toCompletion = (frames: Uint8Array[]): Completion => {
  const chunks = parseFrames(frames);
  const first = chunks[0];
  if (!first) throw new AppError("upstream_error", "The GPU node's answer was empty. Try again.", { source: "node" });
  const isChat = first.object === "chat.completion.chunk";
  let text = "";
  let logprobs: Logprobs | null = null;
  let finishReason: FinishReason | null = null;
  for (const chunk of chunks) {
    const [choice] = chunk.choices;
    text += textOf(chunk);
    if (choice?.logprobs) logprobs = joinLogprobs(logprobs, choice.logprobs);
    finishReason = choice?.finish_reason ?? finishReason;
  }
  const last = chunks.findLast((chunk) => chunk.usage);
  return {
    id: first.id,
    object: isChat ? "chat.completion" : "text_completion",
    created: first.created,
    model: first.model,
    choices: [
      {
        index: 0,
        ...(isChat ? { message: { role: "assistant", content: text } } : { text }),
        logprobs,
        finish_reason: finishReason,
      },
    ],
    usage: last?.usage,
    timings: last?.timings,
  };
};

const joinLogprobs = (a: Logprobs | null, b: Logprobs): Logprobs => {
  const joined: Logprobs = { ...a };
  for (const [name, values] of Object.entries(b)) joined[name] = values ? [...(a?.[name] ?? []), ...values] : null;
  return joined;
};

/** A stored answer as the stream that it could have been: role, text, finish reason, usage if asked for, end marker. */
export const toFrames = (completion: Completion, includeUsage: boolean): string => {
  const { id, created, model, usage, choices } = completion;
  const isChat = completion.object === "chat.completion";
  const head = { id, object: isChat ? "chat.completion.chunk" : "text_completion", created, model };
  const nothingYet = includeUsage ? { usage: null } : {};
  const [choice] = choices;
  const chunk = (content: object, finish_reason: FinishReason | null, logprobs: Logprobs | null = null) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, ...content, logprobs, finish_reason }], ...nothingYet })}\n\n`;
  const text = choice?.message?.content ?? choice?.text ?? "";
  const logprobs = choice?.logprobs ?? null;
  const finishReason = choice?.finish_reason ?? "stop";
  const body = isChat
    ? chunk({ delta: { role: "assistant", content: "" } }, null) +
      chunk({ delta: { content: text } }, null, logprobs) +
      chunk({ delta: {} }, finishReason)
    : chunk({ text }, null, logprobs) + chunk({ text: "" }, finishReason);
  const usageFrame = includeUsage ? `data: ${JSON.stringify({ ...head, choices: [], usage })}\n\n` : "";
  return `${body}${usageFrame}data: ${DONE}\n\n`;
};

const NO_CHOICES = Buffer.from('"choices":[]');
const BORDER = Buffer.from("\n\n");

/**
 * Finds the frame that carries the usage, at the price of one byte search a piece: it alone has no choices, and JSON
 * escapes the quotes of a text that looks like it. `rest` is the piece without that frame.
 */
export const takeUsageFrame = (piece: Uint8Array): { chunk: Completion; rest: Uint8Array } | undefined => {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  const at = bytes.indexOf(NO_CHOICES);
  if (at === -1) return undefined;
  const border = bytes.lastIndexOf(BORDER, at);
  const start = border === -1 ? 0 : border + BORDER.length;
  const end = bytes.indexOf(BORDER, at) + BORDER.length;
  const [chunk] = parseFrames([bytes.subarray(start, end)]);
  if (!chunk?.usage) return undefined;
  return {
    chunk,
    rest: start === 0 ? bytes.subarray(end) : Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]),
  };
};

/** How many frames a piece of whole frames has. */
export const countFrames = (piece: Uint8Array): number => {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  let count = 0;
  for (let at = bytes.indexOf(BORDER); at !== -1; at = bytes.indexOf(BORDER, at + BORDER.length)) count++;
  return count;
};
