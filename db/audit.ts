import { desc, eq } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { auditLog } from "./schema";

export type AuditRow = typeof auditLog.$inferSelect;

/** `actor` and `target` are ids; `detail` holds what changed and never a secret. */
export type AuditEntry = Pick<typeof auditLog.$inferInsert, "at" | "actor" | "action" | "target" | "detail">;

/** Written in the transaction of the change itself, so that neither is there without the other. */
export const appendAudit = async (tx: Tx, entry: AuditEntry): Promise<void> => {
  await tx.insert(auditLog).values(entry);
};

/** What happened to one thing, newest first. */
export const listAudit = (db: Reads, target: string, limit: number): Promise<AuditRow[]> =>
  db.select().from(auditLog).where(eq(auditLog.target, target)).orderBy(desc(auditLog.id)).limit(limit);
