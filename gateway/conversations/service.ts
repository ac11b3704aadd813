import { Value } from "@sinclair/typebox/value";
import type { Db } from "../../db/client";
import * as store from "../../db/conversations";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { Call } from "../call";
import type { ChatMessage } from "../chat/contract";
import type { ChatService } from "../chat/service";
import { assertMayStore } from "../content-logging";
import type { Seal } from "../http/idempotency";
import { newId } from "../ids";
import type { KeyRun, KeyRuns } from "../keys/runs";
import type { Models } from "../models/registry";
import { pageOf, readTimeCursor, timeCursor } from "../paging";
import type { Principal } from "../principal";
import {
  AnswerDetail,
  type Conversation,
  type ConversationMessage,
  type ConversationPage,
  type ConversationQuery,
  type ConversationWithMessages,
  type CreateConversation,
} from "./contract";
import { type AnswerState, Generation, whenAborted } from "./generation";

/** A reader who closes the tab finds the whole answer when coming back within this time. */
const KEEP_MS = 60_000;
/** How often a running answer's text is saved, so that the end of the process loses little of it. */
const SAVE_MS = 5000;
/** A running answer that nobody has saved for so long belonged to a process that is gone. */
const ORPHAN_MS = 3 * SAVE_MS;
const TITLE_LENGTH = 60;
/** Longest answer, in tokens. Sampling is left out: the model's own applies. */
export const MAX_ANSWER_TOKENS = 1024;

interface Deps {
  db: Db;
  chat: Pick<ChatService, "events">;
  models: Pick<Models, "resolve">;
  log: Log;
  /** Where running answers stand, so that they end with their key. */
  runs: KeyRuns;
  now?: () => Date;
  keepMs?: number;
}

/** What an answer needs from the request that asked for it. */
type Asking = Omit<Call, "signal">;

export type ConversationService = ReturnType<typeof createConversations>;

/**
 * Conversations of the chat page and `/v1/conversations`. Everything is the caller's own: what belongs to another key
 * is not found. Answers are generated here, not in a request, so a reader may leave and come back.
 */
export const createConversations = ({
  db,
  chat,
  models,
  log,
  runs,
  now = () => new Date(),
  keepMs = KEEP_MS,
}: Deps) => {
  /** Running answers of this process by conversation. */
  const running = new Map<string, Generation>();
  /** Answers that are about to run. */
  const starting = new Set<{ keyId: string; conversationId?: string }>();

  const find = async (principal: Principal, id: string): Promise<store.ConversationRow> => {
    const row = await store.findConversation(db, principal.keyId, id);
    if (!row) throw new AppError("not_found", "There is no such conversation, or it was deleted.");
    return row;
  };

  const save = (conversationId: string, { id, content, status, detail }: AnswerState): Promise<void> =>
    db.write((tx) => store.saveAnswer(tx, { id, conversationId, content, status, detail }, now()));

  /** Messages with the text of a running answer as it is now, and abandoned answers as what they are. */
  const messagesOf = async (row: store.ConversationRow): Promise<ConversationMessage[]> => {
    const messages = (await store.listMessages(db, row.id)).map(toMessage);
    const last = messages.at(-1);
    if (last?.status !== "generating") return messages;
    const live = running.get(row.id)?.state;
    const isOrphan = now().getTime() - row.updatedAt.getTime() > ORPHAN_MS;
    if (live?.id === last.id) Object.assign(last, live);
    else if (isOrphan) last.status = "interrupted";
    return messages;
  };

  /**
   * Holds the place of one more answer while `begin` starts it. The check and the claim are one step, so no number of
   * parallel callers gets past them. Throws conflict, rate_limited, or insufficient_role for a key whose content may not be kept.
   */
  const inPlace = async <T>(principal: Principal, conversationId: string | undefined, begin: () => Promise<T>) => {
    assertMayStore(principal, "conversations", "Use POST /v1/chat, which keeps nothing.");
    const isTaken =
      running.has(conversationId ?? "") || [...starting].some((other) => other.conversationId === conversationId);
    if (conversationId !== undefined && isTaken) {
      throw new AppError("conflict", "An answer is still being written here. Stop it or wait for its end.");
    }
    const { keyId, keyName, limits } = principal;
    const answers = [...starting, ...[...running.values()].map(({ answer }) => answer)];
    if (answers.filter((answer) => answer.keyId === keyId).length >= limits.parallelRequests) {
      const message = `The key "${keyName}" may have ${limits.parallelRequests} answers at once. Stop one or wait.`;
      throw new AppError("rate_limited", message, { retryAfterMs: 2000 });
    }
    const place = { keyId, conversationId };
    starting.add(place);
    return begin().finally(() => starting.delete(place));
  };

  /** Starts the answer to `history` and saves it every few seconds until it has ended. */
  const generate = (
    asking: Asking,
    conversation: { id: string; model: string },
    answerId: string,
    history: ChatMessage[],
  ) => {
    const { principal, requestId } = asking;
    const { id: conversationId, model } = conversation;
    const generation = new Generation(
      { id: answerId, conversationId, keyId: principal.keyId, model, requestId },
      (signal) => chat.events({ ...asking, signal }, { model, messages: history, max_tokens: MAX_ANSWER_TOKENS }),
      {
        keepMs,
        // The last state is saved once its middle is no longer.
        save: (state) => {
          clearInterval(saving);
          return save(conversationId, state).catch((error) =>
            log.error({ requestId, err: error }, "an answer was not saved"),
          );
        },
      },
    );
    const run: KeyRun = { keyId: principal.keyId, end: () => void generation.stop() };
    runs.add(run);
    running.set(conversationId, generation);
    const saving = setInterval(() => void save(conversationId, generation.state).catch(() => {}), SAVE_MS);
    void generation.done.then(() => {
      running.delete(conversationId);
      runs.delete(run);
    });
    return generation;
  };

  const list = async (principal: Principal, query: ConversationQuery = {}): Promise<ConversationPage> => {
    const { limit = 20, after, search } = query;
    const cursor = readTimeCursor(after);
    const rows = await store.listConversations(db, principal.keyId, {
      limit: limit + 1,
      search,
      cursor: cursor && { updatedAt: cursor.at, id: cursor.id },
    });
    return pageOf(rows, limit, toConversation, ({ updatedAt, id }) => timeCursor(updatedAt, id));
  };

  const get = async (principal: Principal, id: string): Promise<ConversationWithMessages> => {
    const row = await find(principal, id);
    return { ...toConversation(row), messages: await messagesOf(row) };
  };

  /** Throws model_not_found, and insufficient_role for a key whose content may not be kept. */
  const create = async (
    principal: Principal,
    { title = "New chat", model }: CreateConversation = {},
    seal?: Seal,
  ): Promise<Conversation> => {
    assertMayStore(principal, "conversations", "Use POST /v1/chat, which keeps nothing.");
    const at = now();
    const { id: resolved } = models.resolve(principal, "chat", model);
    const row = {
      id: newId("chat"),
      keyId: principal.keyId,
      title,
      model: resolved,
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
   * Adds the question and starts its answer; a conversation without an id is made. Throws conflict while an answer runs
   * there, rate_limited, not_found, model_not_found. What fails later is the state of the answer.
   */
  const ask = (asking: Asking, text: string, conversationId?: string) =>
    inPlace(asking.principal, conversationId, async () => {
      const { principal } = asking;
      const conversation: ConversationWithMessages =
        conversationId === undefined
          ? { ...(await create(principal, { title: titleOf(text) })), messages: [] }
          : await get(principal, conversationId);
      const question = {
        id: newId("msg"),
        role: "user",
        content: text,
        status: "complete",
        detail: null,
      } as const;
      const answer = newAnswer();
      await db.write((tx) => store.appendMessages(tx, conversation.id, [question, answer], now()));
      const history = [...toHistory(conversation.messages), { role: "user", content: text } as const];
      return { conversation, question, generation: generate(asking, conversation, answer.id, history) };
    });

  /** Answers the last question again; the earlier answer is replaced. Throws what `ask` throws, and conflict without a question. */
  const regenerate = (asking: Asking, conversationId: string) =>
    inPlace(asking.principal, conversationId, async () => {
      const conversation = await get(asking.principal, conversationId);
      const last = conversation.messages.at(-1);
      const replaced = last?.role === "assistant" ? last : undefined;
      const questions = replaced ? conversation.messages.slice(0, -1) : conversation.messages;
      if (questions.at(-1)?.role !== "user") throw new AppError("conflict", "There is no question to answer here.");
      const answer = newAnswer();
      await db.write(async (tx) => {
        if (replaced) await store.deleteMessage(tx, replaced.id);
        await store.appendMessages(tx, conversationId, [answer], now());
      });
      return { replaced, generation: generate(asking, conversation, answer.id, toHistory(questions)) };
    });

  /** Ends the running answer and keeps its text. False when there was none. */
  const stop = async (principal: Principal, conversationId: string): Promise<boolean> => {
    await find(principal, conversationId);
    const generation = running.get(conversationId);
    await generation?.stop();
    return generation !== undefined;
  };

  /**
   * An answer now and after each change, at most every `everyMs`, until it has ended. An answer that another gateway
   * generates is followed by its saved text. Throws not_found.
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
      const { messages } = await get(principal, conversationId);
      const live = running.get(conversationId);
      if (live?.answer.id === answerId) {
        yield* live.follow(signal, everyMs);
        return;
      }
      const message = messages.find(({ id }) => id === answerId);
      if (!message) throw new AppError("not_found", "There is no such answer, or it was replaced.");
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

  /** Ends a running answer first. */
  const remove = async (principal: Principal, id: string): Promise<void> => {
    await stop(principal, id);
    await db.write((tx) => store.deleteConversation(tx, id));
  };

  /** Lets running answers end for at most `graceMs`, then saves the rest as interrupted. */
  const close = async (graceMs = 0): Promise<void> => {
    const generations = [...running.values()];
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, graceMs);
    await Promise.race([Promise.all(generations.map(({ done }) => done)), late.promise]);
    clearTimeout(timer);
    await Promise.all(generations.map((generation) => generation.stop("interrupted")));
  };

  return { list, get, create, ask, regenerate, stop, follow, rename, remove, close };
};

const newAnswer = () =>
  ({ id: newId("msg"), role: "assistant", content: "", status: "generating", detail: null }) as const;

const titleOf = (text: string): string => {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…` : line || "New chat";
};

/** What the model gets to see: whole or partial texts, without answers that have none. */
const toHistory = (messages: readonly ConversationMessage[]): ChatMessage[] =>
  messages.filter(({ content }) => content !== "").map(({ role, content }) => ({ role, content }));

const toConversation = (row: store.ConversationRow): Conversation => ({
  id: row.id,
  title: row.title,
  model: row.model,
  message_count: row.messageCount,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

const toMessage = (row: store.MessageRow): ConversationMessage => ({
  id: row.id,
  role: row.role,
  content: row.content,
  status: row.status,
  detail: Value.Check(AnswerDetail, row.detail) ? row.detail : null,
  created_at: row.createdAt.toISOString(),
});

const toState = ({ id, status, content, detail }: ConversationMessage): AnswerState => ({
  id,
  status,
  content,
  detail: detail ?? { model: "", request_id: "" },
});
