import { and, desc, eq, inArray, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { isAfter, type TimeCursor } from "./conditions";
import { feedback } from "./schema";

export type FeedbackRow = typeof feedback.$inferSelect;

/**
 * Stores a key's feedback on an answer and replaces the key's earlier feedback. Keeps the earlier id, and the earlier
 * sample unless there is a new one.
 */
export const saveFeedback = async (tx: Tx, row: FeedbackRow): Promise<FeedbackRow> => {
  const { rating, comment, correction, createdAt } = row;
  const sample = sql`coalesce(excluded.sample, ${feedback.sample})`;
  const [saved = row] = await tx
    .insert(feedback)
    .values(row)
    .onConflictDoUpdate({
      target: [feedback.requestId, feedback.givenBy],
      set: { rating, comment, correction, sample, createdAt },
    })
    .returning();
  return saved;
};

export const findFeedback = (db: Reads, givenBy: string, requestIds: readonly string[]): Promise<FeedbackRow[]> =>
  db
    .select()
    .from(feedback)
    .where(and(eq(feedback.givenBy, givenBy), inArray(feedback.requestId, [...requestIds])));

/** Newest first, after `cursor`. */
export const listFeedback = (
  db: Reads,
  { limit, cursor, rating }: { limit: number; cursor?: TimeCursor; rating?: FeedbackRow["rating"] },
): Promise<FeedbackRow[]> =>
  db
    .select()
    .from(feedback)
    .where(and(rating && eq(feedback.rating, rating), isAfter(feedback.createdAt, feedback.id, cursor)))
    .orderBy(desc(feedback.createdAt), desc(feedback.id))
    .limit(limit);
