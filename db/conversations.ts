import { and, asc, desc, eq, inArray, max, or, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { isAfter, like, type TimeCursor } from "./conditions";
import { conversations, messages } from "./schema";

export type ConversationRow = typeof conversations.$inferSelect & { messageCount: number };
export type MessageRow = typeof messages.$inferSelect;
type CallFields = "reasoning" | "toolCalls" | "toolCallId";
/** A message to insert. Reasoning and function calls default to null. */
export type NewMessage = Omit<MessageRow, "conversationId" | "position" | "createdAt" | CallFields> &
  Partial<Pick<MessageRow, "createdAt" | CallFields>>;

/** Rows of one INSERT: SQLite accepts 32,766 values per statement. */
const INSERT_ROWS = 500;

const withCount = {
  id: conversations.id,
  keyId: conversations.keyId,
  title: conversations.title,
  model: conversations.model,
  indexId: conversations.indexId,
  retrieval: conversations.retrieval,
  tools: conversations.tools,
  leafId: conversations.leafId,
  createdAt: conversations.createdAt,
  updatedAt: conversations.updatedAt,
  messageCount: sql<number>`(SELECT count(*) FROM messages WHERE messages.conversation_id = conversations.id)`,
};

/** Conversations of a key, most recently changed first, after `cursor`; `search` matches titles and messages. */
export const listConversations = (
  db: Db,
  keyId: string,
  { limit, cursor, search }: { limit: number; cursor?: TimeCursor; search?: string },
): Promise<ConversationRow[]> =>
  db
    .select(withCount)
    .from(conversations)
    .where(
      and(
        eq(conversations.keyId, keyId),
        search === undefined ? undefined : or(like(conversations.title, search), hasText(search)),
        isAfter(conversations.updatedAt, conversations.id, cursor),
      ),
    )
    .orderBy(desc(conversations.updatedAt), desc(conversations.id))
    .limit(limit);

const hasText = (search: string) =>
  sql`EXISTS (SELECT 1 FROM messages WHERE messages.conversation_id = conversations.id AND ${like(sql`messages.content`, search)})`;

export const findConversation = (db: Db, keyId: string, id: string): Promise<ConversationRow | undefined> =>
  db
    .select(withCount)
    .from(conversations)
    .where(and(eq(conversations.id, id), eq(conversations.keyId, keyId)))
    .get();

export const findHolder = async (db: Reads, id: string): Promise<string | undefined> => {
  const [row] = await db.select({ keyId: conversations.keyId }).from(conversations).where(eq(conversations.id, id));
  return row?.keyId;
};

/** All messages of a conversation on every branch, oldest first, so a parent comes before its children. */
export const listMessages = (db: Reads, conversationId: string): Promise<MessageRow[]> =>
  db.select().from(messages).where(eq(messages.conversationId, conversationId)).orderBy(asc(messages.position));

/** The answer that this request produced in one of the key's conversations; undefined if it was not stored. */
export const findAnswer = async (db: Reads, keyId: string, requestId: string): Promise<MessageRow | undefined> => {
  const [row] = await db
    .select({ message: messages })
    .from(messages)
    .innerJoin(conversations, eq(conversations.id, messages.conversationId))
    .where(and(eq(conversations.keyId, keyId), sql`json_extract(messages.detail, '$.request_id') = ${requestId}`))
    .limit(1);
  return row?.message;
};

export const insertConversation = (tx: Tx, row: typeof conversations.$inferInsert) =>
  tx.insert(conversations).values(row);

/** Adds messages in the given order, shows the last one's branch, and sets the conversation's change time to `now`. */
export const appendMessages = async (
  tx: Tx,
  conversationId: string,
  added: readonly NewMessage[],
  now: Date,
): Promise<void> => {
  const [last] = await tx
    .select({ position: max(messages.position) })
    .from(messages)
    .where(eq(messages.conversationId, conversationId));
  const from = (last?.position ?? -1) + 1;
  const rows = added.map((message, i) => ({ ...message, conversationId, position: from + i }));
  for (let i = 0; i < rows.length; i += INSERT_ROWS) await tx.insert(messages).values(rows.slice(i, i + INSERT_ROWS));
  await touch(tx, conversationId, now);
  await showBranch(tx, conversationId, rows.at(-1)?.id ?? null);
};

/** Shows the branch that ends with `leafId`. */
export const showBranch = (tx: Tx, conversationId: string, leafId: string | null) =>
  tx.update(conversations).set({ leafId }).where(eq(conversations.id, conversationId));

/**
 * Saves an answer that is being generated, and marks its conversation as changed at `now`. A finished answer does not
 * change, so a late save can't overwrite it.
 */
export const saveAnswer = async (
  tx: Tx,
  answer: Pick<MessageRow, "id" | "conversationId" | "content" | "reasoning" | "toolCalls" | "status" | "detail">,
  now: Date,
): Promise<void> => {
  const { id, conversationId, content, reasoning, toolCalls, status, detail } = answer;
  const saved = await tx
    .update(messages)
    .set({ content, reasoning, toolCalls, status, detail })
    .where(and(eq(messages.id, id), eq(messages.status, "generating")))
    .returning({ id: messages.id });
  if (saved.length > 0) await touch(tx, conversationId, now);
};

/** Deletes up to 1,000 messages and reparents their children to `parentId`. */
export const deleteMessages = async (
  tx: Tx,
  conversationId: string,
  ids: readonly string[],
  parentId: string | null,
): Promise<void> => {
  const followsThem = and(eq(messages.conversationId, conversationId), inArray(messages.parentId, [...ids]));
  await tx.update(messages).set({ parentId }).where(followsThem);
  await tx.delete(messages).where(inArray(messages.id, [...ids]));
};

/** Fields that are undefined stay unchanged. */
export const updateConversation = (
  tx: Tx,
  id: string,
  changes: Partial<Pick<typeof conversations.$inferInsert, "title" | "indexId" | "retrieval" | "tools">>,
) => tx.update(conversations).set(changes).where(eq(conversations.id, id));

export const deleteConversation = (tx: Tx, id: string) => tx.delete(conversations).where(eq(conversations.id, id));

const touch = (tx: Tx, id: string, now: Date) =>
  tx.update(conversations).set({ updatedAt: now }).where(eq(conversations.id, id));
