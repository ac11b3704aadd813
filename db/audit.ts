import { desc, eq } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { auditLog } from "./schema";

export type AuditRow = typeof auditLog.$inferSelect;

/** `actor` and `target` are ids; `detail` describes the change, without secrets. */
export type AuditEntry = Pick<typeof auditLog.$inferInsert, "at" | "actor" | "action" | "target" | "detail">;

/** Call it in the change's transaction, so that both are stored or neither. */
export const appendAudit = (tx: Tx, entry: AuditEntry) => tx.insert(auditLog).values(entry);

/** The audit log of one target, newest first. */
export const listAudit = (db: Reads, target: string, limit: number): Promise<AuditRow[]> =>
  db.select().from(auditLog).where(eq(auditLog.target, target)).orderBy(desc(auditLog.id)).limit(limit);
