import { and, desc, eq, gte, lt, lte, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { auditLog, keys } from "./schema";

export type AuditRow = typeof auditLog.$inferSelect;

/** Who makes a change, and with which request. */
export interface AuditActor {
  /** Id of a key, or the name of a program such as `cli`. */
  keyId: string;
  requestId?: string;
}

export interface AuditEntry {
  /** Now, if omitted. */
  at?: Date;
  actor: AuditActor | string;
  /** What kind of object was changed, and how: `key.revoke`. */
  action: string;
  /** Id of the object. */
  target: string;
  /** The changed fields, without secrets. */
  detail?: Record<string, unknown>;
}

/** Call it in the change's transaction, so that both are stored or neither. The key's current name is stored with it. */
export const appendAudit = (tx: Tx, { actor, ...entry }: AuditEntry) => {
  const { keyId, requestId } = typeof actor === "string" ? { keyId: actor } : actor;
  const actorName = sql`(SELECT ${keys.name} FROM ${keys} WHERE ${keys.id} = ${keyId})`;
  return tx.insert(auditLog).values({ ...entry, actor: keyId, actorName, requestId });
};

/** undefined: any. */
export interface AuditFilter {
  actor?: string;
  action?: string;
  /** The first part of the action, such as `key`. */
  objectType?: string;
  target?: string;
  requestId?: string;
  since?: Date;
  until?: Date;
}

/** Newest first. `after` is the last id on the previous page. */
export const listAuditLog = (db: Reads, filter: AuditFilter, limit: number, after?: number): Promise<AuditRow[]> =>
  db
    .select()
    .from(auditLog)
    .where(and(...conditionsOf(filter), after === undefined ? undefined : lt(auditLog.id, after)))
    .orderBy(desc(auditLog.id))
    .limit(limit);

/** The audit log of one target, newest first. */
export const listAudit = (db: Reads, target: string, limit: number): Promise<AuditRow[]> =>
  listAuditLog(db, { target }, limit);

const conditionsOf = ({
  actor,
  action,
  objectType,
  target,
  requestId,
  since,
  until,
}: AuditFilter): (SQL | undefined)[] => [
  actor === undefined ? undefined : eq(auditLog.actor, actor),
  action === undefined ? undefined : eq(auditLog.action, action),
  objectType === undefined
    ? undefined
    : sql`substr(${auditLog.action}, 1, ${objectType.length + 1}) = ${`${objectType}.`}`,
  target === undefined ? undefined : eq(auditLog.target, target),
  requestId === undefined ? undefined : eq(auditLog.requestId, requestId),
  since && gte(auditLog.at, since),
  until && lte(auditLog.at, until),
];
