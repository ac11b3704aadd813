import { AppError, toAppError } from "../../lib/errors";
import { newUlid } from "../../lib/ids";
import type { CachedAnswer } from "../cache/service";
import type { EngineReply } from "../ports/engine";
import type { GenerationSample } from "../ports/recorder";
import type { FinishReason, Usage } from "./contract";
import type { ToolCall, ToolCallDelta } from "./message";
import type { Operation } from "./request";

/** The fields of OpenAI's answers that the gateway reads. All others are passed on unchanged. */
export interface Completion {
  id: string;
  object: string;
  /** Seconds since 1970. */
  created: number;
  model: string;
  system_fingerprint?: string | null;
  choices: Choice[];
  usage?: Usage | null;
  timings?: { queue_ms: number; ttft_ms: number; total_ms: number };
}

export interface Choice {
  index: number;
  message?: Message;
  delta?: Delta;
  text?: string;
  logprobs?: Logprobs | null;
  finish_reason: FinishReason | null;
  /** The stop string or token id that ended the answer, or null. vLLM and SGLang use different names for it. */
  stop_reason?: string | number | null;
  matched_stop?: string | number | null;
}

/** The texts of a message, or pieces of them in a stream. Servers send the reasoning under either name, or both. */
export interface MessageTexts {
  content?: string | null;
  refusal?: string | null;
  reasoning?: string | null;
  reasoning_content?: string | null;
}

interface Message extends MessageTexts {
  role: string;
  tool_calls?: ToolCall[] | null;
}

interface Delta extends MessageTexts {
  role?: string;
  tool_calls?: ToolCallDelta[] | null;
}

/** Lists of the same length with an entry per token: `content` for chats, `tokens` and others for completions. */
export type Logprobs = Record<string, unknown[] | null>;

export const NO_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

const decoder = new TextDecoder();
export const DONE = "[DONE]";

/** Parses the JSON of complete frames, without the end marker. */
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

/** Joins the chunks of a document. */
export const join = (pieces: Uint8Array[]): Uint8Array =>
  pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);

/** Parses an answer that is not streamed. Throws upstream_error if it is incomplete. */
export const parseWhole = (json: Uint8Array | string): Completion => {
  try {
    const completion = JSON.parse(typeof json === "string" ? json : decoder.decode(json));
    if (Array.isArray(completion?.choices)) return completion;
  } catch {
    // Falls through: a truncated document and an unexpected one have the same error.
  }
  throw new AppError("upstream_error", "The GPU node's answer was incomplete. Try again.", { source: "node" });
};

/** A new id in OpenAI's format: `chatcmpl-…` or `cmpl-…`. */
export const newAnswerId = (operation: "chat" | "completion"): string =>
  (operation === "chat" ? "chatcmpl-" : "cmpl-") + newUlid();

/** An answer as it is stored: JSON without the fields that belong to one caller. */
const withoutIdentity = ({ id: _, created: __, ...rest }: Completion): string => JSON.stringify(rest);

const hasContent = ({ message, text }: Choice): boolean =>
  Boolean(text || message?.content || message?.tool_calls?.length);

/** A complete answer as it is stored; undefined if it is empty or has no usage. */
export const toStored = (completion: Completion): string | undefined => {
  const { choices, usage } = completion;
  const isWorthKeeping = usage && choices.some(hasContent) && choices.every(({ finish_reason }) => finish_reason);
  return isWorthKeeping ? withoutIdentity(completion) : undefined;
};

/** The JSON of a stored answer, with a caller's id and the current time. */
export const withIdentity = (stored: string, id: string): string =>
  `{"id":"${id}","created":${Math.floor(Date.now() / 1000)},${stored.slice(1)}`;

/** Replaces the id in JSON or frames. Only a complete JSON string can match, because quotes inside text are escaped. */
export const replaceId = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const quoted = Buffer.from(JSON.stringify(from)).toString("latin1");
  return Buffer.from(text.replaceAll(quoted, `"${to}"`), "latin1");
};

/**
 * The frames of a stream with several readers, with this caller's id. Pieces are complete frames, as the engine port
 * returns them. They are parsed until one has an id, because the first may be a comment; later pieces are searched for
 * the id.
 */
export async function* withOwnId(frames: AsyncIterable<Uint8Array>, id: string): AsyncGenerator<Uint8Array> {
  let other: string | undefined;
  for await (const piece of frames) {
    other ??= parseFrames([piece])[0]?.id;
    yield other === undefined ? piece : replaceId(piece, other, id);
  }
}

const NO_CHOICES = Buffer.from('"choices":[]');
const BORDER = Buffer.from("\n\n");

/**
 * Finds the usage frame with one byte search per piece. It is the only frame without choices, and JSON escapes the
 * quotes of text that looks like it. `rest` is the piece without that frame.
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

/** The number of frames in a piece of complete frames. */
const countFrames = (piece: Uint8Array): number => {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  let count = 0;
  for (let at = bytes.indexOf(BORDER); at !== -1; at = bytes.indexOf(BORDER, at + BORDER.length)) count++;
  return count;
};

/**
 * Forwards the pieces unchanged and reports the usage in the last one, which is removed unless the client requested it.
 * If the client disconnects or the stream breaks off, reports the number of frames so far, about one token each.
 */
export async function* metered(
  body: AsyncIterable<Uint8Array>,
  keepUsage: boolean,
  report: (usage: Usage | null | undefined, errorKind?: GenerationSample["errorKind"]) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let usage: Usage | null | undefined;
  let frames = 0;
  let errorKind: GenerationSample["errorKind"] = "client_closed";
  try {
    for await (const piece of body) {
      const found = takeUsageFrame(piece);
      if (found) usage = found.chunk.usage;
      frames += countFrames(piece);
      const out = found && !keepUsage ? found.rest : piece;
      if (out.length > 0) yield out;
    }
    errorKind = undefined;
  } catch (thrown) {
    errorKind = toAppError(thrown).kind;
    throw thrown;
  } finally {
    report(usage ?? { ...NO_USAGE, completion_tokens: frames }, errorKind);
  }
}

/** The frames of a live answer. If the caller joined another request's generation, that request's id is replaced. */
export const framesOf = (operation: Operation, { reply, report }: Extract<CachedAnswer, { reply: EngineReply }>) =>
  report.status === "joined" ? withOwnId(reply.body, newAnswerId(operation)) : reply.body;

export const collect = async (body: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return pieces;
};

/** Removes NUL, because a database would truncate stored text there. */
export const withoutNul = (text: string): string => text.replaceAll("\0", "");

/** A stream of a single string. */
export async function* once(text: string): AsyncGenerator<string, void, undefined> {
  yield text;
}
