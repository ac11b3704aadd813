import { asc, desc, eq, max } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { evaluatorChoices, evaluatorVersions } from "./schema";

export type EvaluatorVersionRow = typeof evaluatorVersions.$inferSelect;
export type EvaluatorChoiceRow = typeof evaluatorChoices.$inferSelect;

/** Versions that users created, by name, newest first. */
export const listEvaluatorVersions = (db: Reads, name?: string): Promise<EvaluatorVersionRow[]> =>
  db
    .select()
    .from(evaluatorVersions)
    .where(name === undefined ? undefined : eq(evaluatorVersions.name, name))
    .orderBy(asc(evaluatorVersions.name), desc(evaluatorVersions.version));

/** Creates the next version after the newest created one and `builtIn`, the newest built-in one. Returns the row. */
export const insertEvaluatorVersion = async (
  tx: Tx,
  row: Omit<typeof evaluatorVersions.$inferInsert, "version">,
  builtIn: number,
): Promise<EvaluatorVersionRow> => {
  const [last] = await tx
    .select({ version: max(evaluatorVersions.version) })
    .from(evaluatorVersions)
    .where(eq(evaluatorVersions.name, row.name));
  const version = Math.max(last?.version ?? 0, builtIn) + 1;
  const [inserted] = await tx
    .insert(evaluatorVersions)
    .values({ ...row, version })
    .returning();
  if (!inserted) throw new Error("INSERT … RETURNING gave no row.");
  return inserted;
};

export const listEvaluatorChoices = (db: Reads): Promise<EvaluatorChoiceRow[]> => db.select().from(evaluatorChoices);

export const saveEvaluatorChoice = async (tx: Tx, row: EvaluatorChoiceRow): Promise<void> => {
  const { name: _, ...changes } = row;
  await tx.insert(evaluatorChoices).values(row).onConflictDoUpdate({ target: evaluatorChoices.name, set: changes });
};
