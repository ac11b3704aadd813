import type { ChatMessage } from "../chat/message";
import type { Tool } from "../chat/tools";
import type { AnswerContext, ConversationContext, ConversationMessage } from "./contract";
import { bytesOf, toPrompt } from "./prompt";

type Message = Omit<ConversationMessage, "parent_id" | "versions" | "status" | "created_at">;

/** The prompt that the model reads, and the context details stored with the answer. */
export interface FittedPrompt {
  messages: ChatMessage[];
  context: AnswerContext;
  /** Whether the model accepts function calls and their results. */
  readsCalls: boolean;
}

interface Fit {
  /** The branch, ending with the question. */
  branch: readonly Message[];
  /** Maximum tokens of prompt and answer together; null if unknown: then no turn is left out. */
  window: number | null;
  /** Maximum answer length, in tokens. */
  maxTokens: number;
  /** The functions that the model may call. They are part of the prompt. */
  tools: readonly Tool[] | null;
  readsCalls: boolean;
  /** Counts the prompt's tokens, including those of the tools. Infinity if the prompt exceeds the window, undefined if no node can count it. */
  count(messages: ChatMessage[]): Promise<number | undefined>;
}

/** When turns are left out, the prompt is cut to this fraction of the space, so that the next turn doesn't cut it again. */
const REFILL_FRACTION = 0.75;
/** Maximum number of tokens that a chat template adds to each message. */
const TOKENS_PER_MESSAGE = 16;
/** Estimated bytes per token. Text in most languages has more. */
const BYTES_PER_TOKEN = 3;

/**
 * Leaves out the oldest turns that don't fit any more, but never a system message or the question. A prompt that
 * certainly fits is not counted: the usage of an earlier answer is exact for everything before it, and a text never has
 * more tokens than bytes. `count` is only called near the limit, and more than once only if turns have to be left out.
 * The prompt starts like the previous one, so that the node's KV cache stays valid. Resolves with undefined if the
 * question by itself leaves no room for an answer.
 */
export const fitPrompt = async (fit: Fit): Promise<FittedPrompt | undefined> => {
  const { branch, window, maxTokens, tools, readsCalls, count } = fit;
  const spoken = branch.filter(({ role }) => role !== "system");
  const turns = spoken.flatMap(({ role }, index) => (role === "user" || index === 0 ? [index] : []));
  const last = turns.length - 1;
  // The prompt of an answer from an index has passages, but maybe not all earlier turns.
  const answered = branch.findLast(({ detail }) => detail?.usage && !detail.evidence);
  const firstId = firstRead(branch);
  const found = firstId === undefined ? 0 : turns.indexOf(spoken.findIndex(({ id }) => id === firstId));
  const before = Math.max(0, found);
  const toolBytes = tools === null ? 0 : Buffer.byteLength(JSON.stringify(tools));

  const messagesFrom = (turn: number): Message[] => {
    const first = spoken[turns[turn] ?? 0];
    const start = first ? branch.indexOf(first) : 0;
    return branch.filter(({ role }, index) => role === "system" || index >= start);
  };
  /** Token counts of a prompt that starts at `turn`: an upper bound (`most`) and an estimate (`about`). */
  const estimate = (turn: number) => {
    const read = messagesFrom(turn);
    const isCounted = answered && turn === found && firstRead([answered]) === firstId;
    const known = isCounted ? (answered.detail?.usage?.total_tokens ?? 0) : 0;
    const unknown = isCounted && known > 0 ? read.slice(read.indexOf(answered) + 1) : read;
    // The usage of an earlier answer contains the tools.
    const bytes = unknown.reduce((sum, message) => sum + bytesOf(message), known > 0 ? 0 : toolBytes);
    const around = TOKENS_PER_MESSAGE * (unknown.length + (known > 0 ? 1 : 2));
    return { most: known + bytes + around, about: known + Math.ceil(bytes / BYTES_PER_TOKEN) };
  };
  const promptFrom = (turn: number, tokens = estimate(turn).about): FittedPrompt => ({
    messages: toPrompt(messagesFrom(turn), readsCalls),
    readsCalls,
    context: {
      window,
      prompt_tokens: tokens,
      first_message_id: turn === 0 ? null : (spoken[turns[turn] ?? 0]?.id ?? null),
      left_out: turns[turn] ?? 0,
    },
  });

  if (window === null) return promptFrom(0);
  const room = window - Math.min(maxTokens, Math.floor(window / 4));
  if (estimate(before).most <= room) return promptFrom(before);
  const counted = new Map<number, number>();
  const tokensFrom = async (turn: number): Promise<number> => {
    const before = counted.get(turn);
    if (before !== undefined) return before;
    const tokens = (await count(toPrompt(messagesFrom(turn), readsCalls))) ?? estimate(turn).about;
    counted.set(turn, tokens);
    return tokens;
  };
  const tokens = await tokensFrom(before);
  if (tokens <= room) return promptFrom(before, tokens);

  // Find the earliest turn from which everything fits. The question on its own is tried last.
  let [low, high] = [Math.min(before + 1, last), last];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await tokensFrom(middle)) <= room * REFILL_FRACTION) high = middle;
    else low = middle + 1;
  }
  const kept = await tokensFrom(low);
  return kept < window ? promptFrom(low, kept) : undefined;
};

/** The same prompt with about half of its turns; undefined if only the question is left. */
export const halved = (prompt: FittedPrompt, branch: readonly Message[]): FittedPrompt | undefined => {
  const { messages, context, readsCalls } = prompt;
  const start = branch.findIndex(({ id }) => id === context.first_message_id);
  const questions = branch.slice(Math.max(0, start)).filter(({ role }) => role === "user");
  const first = questions[Math.ceil(questions.length / 2)];
  if (!first) return undefined;
  const read = branch.filter(({ role }, index) => role === "system" || index >= branch.indexOf(first));
  return {
    messages: toPrompt(read, readsCalls),
    readsCalls,
    context: {
      ...context,
      prompt_tokens: Math.ceil((context.prompt_tokens * read.length) / messages.length),
      first_message_id: first.id,
      left_out: branch.length - read.length,
    },
  };
};

/** The id of the first message in the last answer's prompt; undefined if that was the conversation's first message. */
const firstRead = (branch: readonly Message[]): string | undefined =>
  branch.findLast(({ detail }) => detail?.context)?.detail?.context?.first_message_id ?? undefined;

/** How much of `window` a branch uses, according to its last answer. */
export const contextOf = (
  branch: readonly Omit<Message, "tool_call_id">[],
  window: number | null,
): ConversationContext => {
  const { detail } = branch.findLast((message) => message.detail?.usage ?? message.detail?.context) ?? {};
  const { context, usage, so_far: soFar } = detail ?? {};
  const bytes = branch.reduce((sum, message) => sum + bytesOf(message), 0);
  const estimated = context ? context.prompt_tokens + (soFar?.tokens ?? 0) : Math.ceil(bytes / BYTES_PER_TOKEN);
  const spoken = branch.filter(({ role }) => role !== "system");
  const leftOut = Math.max(
    0,
    spoken.findIndex(({ id }) => id === context?.first_message_id),
  );
  return {
    window: context?.window ?? window,
    used_tokens: usage?.total_tokens ?? estimated,
    first_message_id: leftOut > 0 ? (spoken[leftOut]?.id ?? null) : null,
    left_out: leftOut,
  };
};
