import type { Db, Tx } from "../../db/client";
import * as store from "../../db/conversations";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import type { Log } from "../../lib/log";
import type { ActiveRequests } from "../active-requests";
import type { ChatService } from "../chat/service";
import { assertMayStore } from "../content-logging";
import type { Seal } from "../idempotency/service";
import type { Models } from "../models/registry";
import { pageOf, readTimeCursor, timeCursor } from "../paging";
import type { Principal } from "../principal";
import type { Indexes } from "../rag/indexes/service";
import type { RagService } from "../rag/query/service";
import { createAnswering } from "./answering";
import { branchTo, findMessage, newestLeaf, turnOf, versionsByParent } from "./branches";
import { contextOf } from "./context";
import type {
  Conversation,
  ConversationMessage,
  ConversationPage,
  ConversationQuery,
  ConversationWithMessages,
  CreateConversation,
  UpdateConversation,
} from "./contract";
import { withoutGone } from "./evidence";
import { type AnswerState, whenAborted } from "./generation";
import { createPlanner } from "./plan";
import { RunningAnswers, SAVE_MS } from "./running-answers";
import { toConversation, toMessage, toState } from "./wire";

/** How long an answer continues without readers, so that closing the tab doesn't stop it. */
const KEEP_MS = 60_000;
/** A running answer that hasn't been saved for this long belongs to a dead process. */
const ORPHAN_MS = 3 * SAVE_MS;

interface Deps {
  db: Db;
  chat: Pick<ChatService, "events" | "countPrompt">;
  models: Pick<Models, "resolve" | "list">;
  rag: Pick<RagService, "events">;
  indexes: Pick<Indexes, "open" | "visibleDocuments">;
  log: Log;
  /** Registers running answers, so that they are stopped when their key ends. */
  activeRequests: ActiveRequests;
  now?: () => Date;
  keepMs?: number;
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
  rag,
  indexes,
  log,
  activeRequests,
  now = () => new Date(),
  keepMs = KEEP_MS,
}: Deps) => {
  const save = (conversationId: string, { tool_calls: toolCalls, ...answer }: AnswerState): Promise<void> =>
    db.write((tx) => store.saveAnswer(tx, { ...answer, conversationId, toolCalls }, now()));

  const find = async (principal: Principal, id: string): Promise<store.ConversationRow> => {
    const row = await store.findConversation(db, principal.keyId, id);
    if (!row) throw new AppError("not_found", "This conversation does not exist, or it was deleted.");
    return row;
  };
  const running = new RunningAnswers({ chat, rag, log, activeRequests, save, find, keepMs });
  const planner = createPlanner({ chat, models, indexes });
  const { openIndex, windowOf, assertMayCall } = planner;

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

  const withMessages = async (principal: Principal, row: store.ConversationRow, messages: ConversationMessage[]) => ({
    ...toConversation(row),
    messages: await withoutGone(indexes, principal, messages),
    context: contextOf(messages, windowOf(principal, row.model)),
  });

  const list = async (
    principal: Principal,
    { limit = 20, after, search }: ConversationQuery = {},
  ): Promise<ConversationPage> => {
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

  /**
   * Creates a conversation. Throws model_not_found, not_found for the index, invalid_request for tools that the model
   * can't call, and insufficient_role for a key whose content may not be stored.
   */
  const create = async (
    principal: Principal,
    { title = "New chat", model, index, retrieval, tools = [] }: CreateConversation = {},
    seal?: Seal,
  ): Promise<Conversation> => {
    assertMayStore(principal, "conversations", "Use POST /v1/chat, which stores nothing.");
    const at = now();
    const { id: resolved } = models.resolve(principal, "chat", model);
    if (tools.length > 0) assertMayCall(principal, resolved, tools);
    const row = {
      id: newId("chat"),
      keyId: principal.keyId,
      title,
      model: resolved,
      indexId: await openIndex(principal, index ?? null, retrieval),
      retrieval: retrieval ?? null,
      tools: tools.length > 0 ? tools : null,
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

  const { ask, regenerate, returnResults } = createAnswering({
    db,
    models,
    running,
    planner,
    find,
    toMessages,
    create,
    now,
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
   * Deletes a question and all its answers, with their function calls and results. Later questions are attached to the
   * message before it. Other versions of the question are kept. Throws not_found, and conflict if an answer is running
   * in the conversation.
   */
  const removeTurn = async (principal: Principal, conversationId: string, questionId: string): Promise<void> => {
    const { leafId } = await find(principal, conversationId);
    const act = async (tx: Tx) => {
      const rows = await store.listMessages(tx, conversationId);
      const question = findMessage(rows, questionId, "user");
      const gone = turnOf(rows, question.id);
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
      const shown = toMessages(row, rows, findMessage(rows, answerId).id).slice(-1);
      const [message] = await withoutGone(indexes, principal, shown);
      if (!message) return;
      yield toState(message);
      if (message.status !== "generating" || signal.aborted) return;
      await Promise.race([Bun.sleep(1000), left]);
    }
  }

  /** Later answers use the new settings. Throws not_found (conversation or index) and invalid_request. */
  const update = async (principal: Principal, id: string, changes: UpdateConversation): Promise<Conversation> => {
    const row = await find(principal, id);
    const { title, index = row.indexId, retrieval = toConversation(row).retrieval, tools } = changes;
    const keepsIndex = changes.index === undefined && changes.retrieval === undefined;
    const indexId = keepsIndex ? row.indexId : await openIndex(principal, index, retrieval);
    if (tools?.length) assertMayCall(principal, row.model, tools);
    const newTools = tools === undefined ? row.tools : tools?.length ? tools : null;
    const changed = { title: title ?? row.title, indexId, retrieval, tools: newTools };
    await db.write((tx) => store.updateConversation(tx, id, changed));
    return toConversation({ ...row, ...changed });
  };

  /** Deletes a conversation. A running answer is stopped first. */
  const remove = async (principal: Principal, id: string): Promise<void> => {
    await stop(principal, id);
    await db.write((tx) => store.deleteConversation(tx, id));
  };

  /** Waits up to `graceMs` for running answers, then saves the rest as interrupted. */
  const close = (graceMs = 0): Promise<void> => running.close(graceMs);

  return { list, get, create, ask, regenerate, returnResults, select, stop, follow, update, remove, removeTurn, close };
};
