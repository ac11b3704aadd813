import { count, eq } from "drizzle-orm";
import type { Reads } from "../../db/client";
import { tasks } from "../../db/schema";

/** Number of a job's tasks by state. */
export const listTaskCounts = async (
  db: Reads,
  jobId: string,
): Promise<Partial<Record<(typeof tasks.$inferSelect)["state"], number>>> => {
  const rows = await db
    .select({ state: tasks.state, count: count() })
    .from(tasks)
    .where(eq(tasks.jobId, jobId))
    .groupBy(tasks.state);
  return Object.fromEntries(rows.map((row) => [row.state, row.count]));
};
