import { AppError, toAppError } from "../../lib/errors";
import type { Asking } from "../call";
import { assertCapable, assertTools } from "../chat/capabilities";
import type { ChatMessage } from "../chat/message";
import type { ChatService } from "../chat/service";
import type { Tool } from "../chat/tools";
import type { Models } from "../models/registry";
import type { Principal } from "../principal";
import { RagQuery } from "../rag/contract";
import { mergeRetrieval } from "../rag/indexes/defaults";
import type { Indexes } from "../rag/query/retrieve";
import { type FittedPrompt, fitPrompt } from "./context";
import type { AnswerEvidence, Conversation, ConversationMessage } from "./contract";

/** Maximum answer length, in tokens. Sampling uses the model's defaults. */
export const MAX_ANSWER_TOKENS = 1024;
/** Timeout for counting a prompt's tokens. */
const COUNT_MS = 10_000;
/** Temperature of a regenerated answer from an index. At 0, it would be the same answer again. */
const AGAIN_TEMPERATURE = 0.5;

interface PlanDeps {
  chat: Pick<ChatService, "countPrompt">;
  models: Pick<Models, "list" | "resolve">;
  indexes: Indexes;
}

/** Where a question goes: to the end of the shown branch, or as a new version of an earlier question. */
export interface Place {
  conversationId?: string;
  /** Id of the earlier question. */
  replaces?: string;
  /** Id or name of the index that this and later answers come from; null: none. If omitted, it is unchanged. */
  index?: string | null;
}

/** The source of an answer: only the model, or an index. */
export type AnswerPlan = { prompt: FittedPrompt; tools: Tool[] | null } | { query: RagQuery; evidence: AnswerEvidence };

/** Where a conversation's answers come from. */
export type AnswerSource = Pick<Conversation, "model" | "index" | "retrieval" | "tools">;

/** Checks a question before it is stored, and plans its answer. */
export const createPlanner = ({ chat, models, indexes }: PlanDeps) => {
  const findModel = (principal: Principal, model: string) => models.list(principal).find(({ id }) => id === model);
  const windowOf = (principal: Principal, model: string): number | null =>
    findModel(principal, model)?.context_window ?? null;

  /**
   * The id of an index that the key may use; null without an index. Throws not_found, and invalid_request for settings
   * that are not supported.
   */
  const openIndex = async (
    principal: Principal,
    index: string | null,
    retrieval: AnswerSource["retrieval"] | undefined,
  ): Promise<string | null> => {
    if (index === null) return null;
    const opened = await indexes.open(principal, index);
    mergeRetrieval(opened.retrieval, retrieval ?? undefined);
    return opened.id;
  };

  /** Throws invalid_request for tools that the model can't call, or whose parameters are nested too deeply. */
  const assertMayCall = (principal: Principal, model: string, tools: Tool[]): void => {
    assertCapable("chat", { tools }, models.resolve(principal, "chat", model));
    assertTools({ messages: [], tools });
  };

  const fromModel = async (asking: Asking, source: AnswerSource, branch: readonly ConversationMessage[]) => {
    const { model, tools } = source;
    const { context_window: window = null, capabilities } = findModel(asking.principal, model) ?? {};
    const call = { ...asking, signal: AbortSignal.timeout(COUNT_MS) };
    const count = (messages: ChatMessage[]) => chat.countPrompt(call, model, messages, tools ?? undefined);
    const readsCalls = capabilities?.tools !== false;
    const prompt = await fitPrompt({ branch, window, maxTokens: MAX_ANSWER_TOKENS, tools, readsCalls, count });
    if (prompt) return { prompt, tools };
    const message = `This message exceeds the context window of ${model} (${window} tokens). Shorten it, or send it in parts.`;
    throw new AppError("context_length_exceeded", message, { param: "content" });
  };

  /** The RAG service fits the passages and earlier turns into the window after it has found the passages. */
  const fromIndex = async (
    { principal }: Asking,
    { model, retrieval }: AnswerSource,
    index: string,
    branch: readonly ConversationMessage[],
  ) => {
    const { id, name, revision, version } = await indexes.open(principal, index).catch((error) => {
      throw toAppError(error).kind === "not_found" ? new AppError("not_found", GONE, { param: "index" }) : error;
    });
    const asked = branch.findLastIndex(({ role }) => role === "user");
    const question = branch[asked]?.content ?? "";
    const limit = RagQuery.properties.question.maxLength ?? Number.POSITIVE_INFINITY;
    if (question.length > limit) {
      const message = `A question to an index can have up to ${limit} characters, not ${question.length}. Shorten it.`;
      throw new AppError("invalid_request", message, { param: "content" });
    }
    const query: RagQuery = {
      index: id,
      question,
      history: historyOf(branch.slice(0, Math.max(0, asked))),
      model,
      max_tokens: MAX_ANSWER_TOKENS,
      ...(retrieval && { retrieval }),
    };
    return { query, evidence: { ...NO_EVIDENCE, index: { id, name, revision, version } } };
  };

  return {
    windowOf,
    openIndex,
    assertMayCall,

    /**
     * Plans the answer to the last message of `branch`: a question, or the results of function calls. Throws not_found
     * for an index that the key may not use, invalid_request and context_length_exceeded for a question that is too
     * long.
     */
    plan: (asking: Asking, source: AnswerSource, branch: readonly ConversationMessage[]): Promise<AnswerPlan> =>
      source.index === null ? fromModel(asking, source, branch) : fromIndex(asking, source, source.index, branch),
  };
};

/** Also the message for an index that the key may not use. */
const GONE = "This conversation's index is no longer available. Choose another one, or continue without documents.";

const NO_EVIDENCE: Omit<AnswerEvidence, "index"> = {
  status: "searching",
  chunks: [],
  threshold: null,
  warning: null,
  degraded: null,
  citations: [],
  grounding: null,
  gone: [],
};

/** The same plan for another version of an answer. */
export const planAgain = (plan: AnswerPlan): AnswerPlan =>
  "query" in plan ? { ...plan, query: { ...plan.query, temperature: AGAIN_TEMPERATURE } } : plan;

/**
 * Earlier turns in the form that a query takes, oldest first. Leaves out system messages, because the index has its own
 * prompt, and function calls with their results.
 */
const historyOf = (messages: readonly ConversationMessage[]): NonNullable<RagQuery["history"]> =>
  messages
    .flatMap(({ role, content, detail }) =>
      role === "system" || role === "tool"
        ? []
        : [{ role, content: withoutMarkers(content, detail?.evidence?.citations ?? []) }],
    )
    .filter(({ content }) => content !== "")
    .slice(-MAX_HISTORY);

const MAX_HISTORY = RagQuery.properties.history.maxItems ?? 100;

/** Citation markers refer to the passages of their own answer. The model would confuse them with the new passages. */
const withoutMarkers = (content: string, citations: AnswerEvidence["citations"]): string =>
  citations
    .filter(({ found_by }) => found_by === "model")
    .toSorted((a, b) => b.answer_start - a.answer_start)
    .reduce((text, { answer_start: start, answer_end: end }) => {
      const before = text.slice(0, start).replace(/ $/, "");
      return before + text.slice(end);
    }, content);
