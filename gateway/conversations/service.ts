import type { Db, Tx } from "../../db/client";
import * as store from "../../db/conversations";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import type { Log } from "../../lib/log";
import type { ActiveRequests } from "../active-requests";
import type { Asking } from "../call";
import type { ChatMessage } from "../chat/contract";
import type { ChatService } from "../chat/service";
import { assertMayStore } from "../content-logging";
import type { Seal } from "../idempotency/service";
import type { Models } from "../models/registry";
import { pageOf, readTimeCursor, timeCursor } from "../paging";
import type { Principal } from "../principal";
import { branchTo, findMessage, newestLeaf, versionsByParent } from "./branches";
import { contextOf, fitPrompt } from "./context";
import type {
  Conversation,
  ConversationMessage,
  ConversationPage,
  ConversationQuery,
  ConversationWithMessages,
  CreateConversation,
} from "./contract";
import { type AnswerState, whenAborted } from "./generation";
import { RunningAnswers, SAVE_MS } from "./running-answers";
import { newAnswer, newMessage, titleOf, toConversation, toMessage, toState } from "./wire";

/** How long an answer continues without readers, so that closing the tab doesn't stop it. */
const KEEP_MS = 60_000;
/** A running answer that hasn't been saved for this long belongs to a dead process. */
const ORPHAN_MS = 3 * SAVE_MS;
/** Maximum answer length, in tokens. Sampling uses the model's defaults. */
const MAX_ANSWER_TOKENS = 1024;

interface Deps {
  db: Db;
  chat: Pick<ChatService, "events" | "countPrompt">;
  models: Pick<Models, "resolve" | "list">;
  log: Log;
  /** Registers running answers, so that they are stopped when their key ends. */
  activeRequests: ActiveRequests;
  now?: () => Date;
  keepMs?: number;
}

/** Where a question goes: at the end of the shown branch, or as a new version of an earlier question. */
export interface Place {
  conversationId?: string;
  /** Id of the earlier question. */
  replaces?: string;
}

export type ConversationService = ReturnType<typeof createConversations>;

/**
 * The conversations of the chat page and `/v1/conversations`. Callers only find their own. Answers are generated here,
 * not in a request, so a reader may leave and return.
 */
export const createConversations = ({
  db,
  chat,
  models,
  log,
  activeRequests,
  now = () => new Date(),
  keepMs = KEEP_MS,
}: Deps) => {
  const save = (conversationId: string, { id, content, status, detail }: AnswerState): Promise<void> =>
    db.write((tx) => store.saveAnswer(tx, { id, conversationId, content, status, detail }, now()));

  const find = async (principal: Principal, id: string): Promise<store.ConversationRow> => {
    const row = await store.findConversation(db, principal.keyId, id);
    if (!row) throw new AppError("not_found", "This conversation does not exist, or it was deleted.");
    return row;
  };
  const running = new RunningAnswers({ chat, log, activeRequests, save, find, maxTokens: MAX_ANSWER_TOKENS, keepMs });

  const windowOf = (principal: Principal, model: string): number | null =>
    models.list(principal).find(({ id }) => id === model)?.context_window ?? null;

  /** Converts rows to messages. A running answer gets its current text, and an abandoned one becomes interrupted. */
  const toMessages = (row: store.ConversationRow, rows: readonly store.MessageRow[], leafId: string | null) => {
    const versions = versionsByParent(rows);
    const messages = branchTo(rows, leafId).map((message) => toMessage(message, versions.get(message.parentId)));
    const live = running.in(row.id)?.state;
    const isOrphan = now().getTime() - row.updatedAt.getTime() > ORPHAN_MS;
    for (const message of messages.filter(({ status }) => status === "generating")) {
      if (live?.id === message.id) Object.assign(message, live);
      else if (isOrphan) message.status = "interrupted";
    }
    return messages;
  };

  const withMessages = (principal: Principal, row: store.ConversationRow, messages: ConversationMessage[]) => ({
    ...toConversation(row),
    messages,
    context: contextOf(messages, windowOf(principal, row.model)),
  });

  /** Throws context_length_exceeded if the question at the end of `branch` leaves no room for an answer. */
  const fit = async (asking: Asking, model: string, branch: readonly ConversationMessage[]) => {
    const window = windowOf(asking.principal, model);
    const call = { ...asking, signal: AbortSignal.timeout(COUNT_MS) };
    const count = (messages: ChatMessage[]) => chat.countPrompt(call, model, messages);
    const prompt = await fitPrompt({ branch, window, maxTokens: MAX_ANSWER_TOKENS, count });
    if (prompt) return prompt;
    const message = `This message exceeds the context window of ${model} (${window} tokens). Shorten it, or send it in parts.`;
    throw new AppError("context_length_exceeded", message, { param: "content" });
  };

  const list = async (principal: Principal, query: ConversationQuery = {}): Promise<ConversationPage> => {
    const { limit = 20, after, search } = query;
    const rows = await store.listConversations(db, principal.keyId, {
      limit: limit + 1,
      search,
      cursor: readTimeCursor(after),
    });
    return pageOf(rows, limit, toConversation, ({ updatedAt, id }) => timeCursor(updatedAt, id));
  };

  const get = async (principal: Principal, id: string): Promise<ConversationWithMessages> => {
    const row = await find(principal, id);
    const rows = await store.listMessages(db, id);
    return withMessages(principal, row, toMessages(row, rows, row.leafId));
  };

  /** Throws model_not_found, and insufficient_role for a key whose content may not be stored. */
  const create = async (
    principal: Principal,
    { title = "New chat", model }: CreateConversation = {},
    seal?: Seal,
  ): Promise<Conversation> => {
    assertMayStore(principal, "conversations", "Use POST /v1/chat, which stores nothing.");
    const at = now();
    const { id: resolved } = models.resolve(principal, "chat", model);
    const row = {
      id: newId("chat"),
      keyId: principal.keyId,
      title,
      model: resolved,
      leafId: null,
      createdAt: at,
      updatedAt: at,
    };
    const conversation = toConversation({ ...row, messageCount: 0 });
    await db.write(async (tx) => {
      await store.insertConversation(tx, row);
      await seal?.(tx, conversation);
    });
    return conversation;
  };

  /**
   * Adds a question and starts its answer. Without an id, creates the conversation. With `replaces`, the question is a
   * new version of an earlier one, and both are kept. Throws conflict if an answer is running in it, rate_limited,
   * not_found, model_not_found, and context_length_exceeded for a question that is too long; nothing is stored then.
   * Later failures become the state of the answer.
   */
  const ask = (asking: Asking, text: string, { conversationId, replaces }: Place = {}, seal?: Seal) =>
    running.withSlot(asking.principal, conversationId, async () => {
      const { principal } = asking;
      const row = conversationId === undefined ? undefined : await find(principal, conversationId);
      const rows = row ? await store.listMessages(db, row.id) : [];
      const replaced = replaces === undefined ? undefined : findMessage(rows, replaces, "user");
      const before = row && replaced?.parentId !== null ? toMessages(row, rows, replaced?.parentId ?? row.leafId) : [];
      const parentId = before.at(-1)?.id ?? null;
      const asked = newMessage(parentId, { role: "user", content: text, status: "complete" });
      const question = toMessage({ ...asked, createdAt: now() });
      const branch = [...before, question];
      const model = row?.model ?? models.resolve(principal, "chat", undefined).id;
      const prompt = await fit(asking, model, branch);

      const conversation = row ? toConversation(row) : await create(principal, { title: titleOf(text), model });
      const answer = newAnswer(question.id);
      const begun = { conversation_id: conversation.id, question_id: question.id, answer_id: answer.id };
      await db.write(async (tx) => {
        await store.appendMessages(tx, conversation.id, [asked, answer], now());
        await seal?.(tx, begun);
      });
      const generation = running.start(asking, { id: answer.id, versions: [answer.id], conversation, branch, prompt });
      return { conversation, question, generation, begun };
    });

  /**
   * Answers a question again: that of `answerId`, or the last one shown. The earlier answer is kept as another version.
   * Throws what `ask` throws, and conflict without a question.
   */
  const regenerate = (asking: Asking, conversationId: string, answerId?: string) =>
    running.withSlot(asking.principal, conversationId, async () => {
      const row = await find(asking.principal, conversationId);
      const rows = await store.listMessages(db, conversationId);
      const shown = branchTo(rows, row.leafId).at(-1);
      const last = answerId === undefined ? shown : findMessage(rows, answerId, "assistant");
      const questionId = last?.role === "assistant" ? last.parentId : (last?.id ?? null);
      const branch = questionId === null ? [] : toMessages(row, rows, questionId);
      if (branch.at(-1)?.role !== "user")
        throw new AppError("conflict", "This conversation has no question to answer.");
      const prompt = await fit(asking, row.model, branch);
      const answer = newAnswer(questionId);
      await db.write((tx) => store.appendMessages(tx, conversationId, [answer], now()));
      const conversation = toConversation(row);
      const versions = [...(versionsByParent(rows).get(questionId) ?? []), answer.id];
      // The cache would return the same answer again instead of a new version.
      const directives = { ...asking.directives, noCache: true };
      const generation = running.start(
        { ...asking, directives },
        { id: answer.id, versions, conversation, branch, prompt },
      );
      return { generation, begun: { conversation_id: row.id, question_id: questionId ?? "", answer_id: answer.id } };
    });

  /** Shows the newest branch that contains this message. Throws not_found, and conflict if an answer is running in it. */
  const select = async (principal: Principal, conversationId: string, messageId: string) => {
    const row = await find(principal, conversationId);
    return running.exclusively(conversationId, async () => {
      const rows = await store.listMessages(db, conversationId);
      const leafId = newestLeaf(rows, findMessage(rows, messageId).id);
      await db.write((tx) => store.showBranch(tx, conversationId, leafId));
      return withMessages(principal, row, toMessages(row, rows, leafId));
    });
  };

  /**
   * Deletes a question and all its answers. Later messages are attached to the message before it. Other versions of the
   * question are kept. Throws not_found, and conflict if an answer is running in the conversation.
   */
  const removeTurn = async (principal: Principal, conversationId: string, questionId: string): Promise<void> => {
    const { leafId } = await find(principal, conversationId);
    const act = async (tx: Tx) => {
      const rows = await store.listMessages(tx, conversationId);
      const question = findMessage(rows, questionId, "user");
      const answers = rows.filter(({ parentId, role }) => parentId === question.id && role === "assistant");
      const gone = [question, ...answers].map(({ id }) => id);
      await store.deleteMessages(tx, conversationId, gone, question.parentId);
      const left = await store.listMessages(tx, conversationId);
      const isShown = left.some(({ id }) => id === leafId);
      await store.showBranch(tx, conversationId, isShown ? leafId : newestLeaf(left, question.parentId));
    };
    await running.exclusively(conversationId, () => db.write(act));
  };

  /** Stops the running answer and keeps its text; false if no answer was running. */
  const stop = async (principal: Principal, conversationId: string): Promise<boolean> => {
    await find(principal, conversationId);
    const generation = running.in(conversationId);
    await generation?.stop();
    return generation !== undefined;
  };

  /**
   * Yields an answer now and after each change, at most once per `everyMs`, until it ends. If another gateway generates
   * the answer, yields the saved text. Throws not_found.
   */
  async function* follow(
    principal: Principal,
    conversationId: string,
    answerId: string,
    signal: AbortSignal,
    everyMs: number,
  ) {
    const left = whenAborted(signal);
    for (;;) {
      const row = await find(principal, conversationId);
      const live = running.in(conversationId);
      if (live?.answer.id === answerId) {
        yield* live.follow(signal, everyMs);
        return;
      }
      const rows = await store.listMessages(db, conversationId);
      const message = toMessages(row, rows, findMessage(rows, answerId).id).at(-1);
      if (!message) return;
      yield toState(message);
      if (message.status !== "generating" || signal.aborted) return;
      await Promise.race([Bun.sleep(1000), left]);
    }
  }

  const rename = async (principal: Principal, id: string, title: string): Promise<Conversation> => {
    const row = await find(principal, id);
    await db.write((tx) => store.renameConversation(tx, id, title));
    return toConversation({ ...row, title });
  };

  /** Deletes a conversation. A running answer is stopped first. */
  const remove = async (principal: Principal, id: string): Promise<void> => {
    await stop(principal, id);
    await db.write((tx) => store.deleteConversation(tx, id));
  };

  /** Waits up to `graceMs` for running answers, then saves the rest as interrupted. */
  const close = (graceMs = 0): Promise<void> => running.close(graceMs);

  return { list, get, create, ask, regenerate, select, stop, follow, rename, remove, removeTurn, close };
};

/** Timeout for counting a prompt's tokens. */
const COUNT_MS = 10_000;
