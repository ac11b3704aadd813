import { and, desc, eq, lt, or } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { feedback } from "./schema";

export type FeedbackRow = typeof feedback.$inferSelect;

/** Place in a list that runs from the newest to the oldest. */
export interface FeedbackCursor {
  createdAt: Date;
  id: string;
}

export const insertFeedback = async (tx: Tx, row: FeedbackRow): Promise<void> => {
  await tx.insert(feedback).values(row);
};

/** Newest first, after `cursor`. */
export const listFeedback = (
  db: Reads,
  { limit, cursor, rating }: { limit: number; cursor?: FeedbackCursor; rating?: FeedbackRow["rating"] },
): Promise<FeedbackRow[]> =>
  db
    .select()
    .from(feedback)
    .where(
      and(
        rating && eq(feedback.rating, rating),
        cursor &&
          or(
            lt(feedback.createdAt, cursor.createdAt),
            and(eq(feedback.createdAt, cursor.createdAt), lt(feedback.id, cursor.id)),
          ),
      ),
    )
    .orderBy(desc(feedback.createdAt), desc(feedback.id))
    .limit(limit);
