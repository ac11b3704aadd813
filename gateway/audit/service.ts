import {
  type AuditActor,
  type AuditFilter,
  appendAudit,
  listAuditLog,
  type AuditEntry as NewEntry,
} from "../../db/audit";
import type { Db } from "../../db/client";
import type { Log } from "../../lib/log";
import { pageOf, readNumberCursor } from "../paging";
import type { AuditEntryPage, AuditExportQuery, AuditQuery } from "./contract";
import { CSV_HEADER, toCsv, toEntry, toJsonLine } from "./wire";

const EXPORT_BLOCK = 500;
/** Entries that wait for the database, and addresses whose failed sign-ins are counted separately. */
const MAX_WAITING = 1000;
const MAX_ADDRESSES = 100;
const FLUSH_MS = 1000;

interface AuditDeps {
  db: Db;
  log: Pick<Log, "error">;
  now?: () => Date;
}

/** A failed sign-in. */
interface Refusal {
  /** Of the browser, or of the proxy in front of the gateway. */
  address: string;
  with: "key" | "link";
  requestId: string;
}

/**
 * The audit log. A change in the database appends its own entry, in its transaction (`appendAudit`). This service reads
 * the log, and adds entries for what is not stored in the database: drained nodes, purged caches, failed sign-ins.
 */
export const createAudit = ({ db, log, now = () => new Date() }: AuditDeps) => {
  let waiting: NewEntry[] = [];
  /** Failed sign-ins by address and kind since the last write. Anyone can cause any number of them. */
  let refusals = new Map<string, Refusal & { count: number; at: Date }>();
  let flushing = Promise.resolve();
  let timer: Timer | undefined;

  const write = async (): Promise<void> => {
    const taken = [...refusals.values()].map(
      ({ at, address, with: means, requestId, count }): NewEntry => ({
        at,
        actor: { keyId: "anonymous", requestId },
        action: "session.refuse",
        target: address || "unknown",
        detail: { with: means, ...(count > 1 && { count }) },
      }),
    );
    refusals = new Map();
    waiting = [...waiting, ...taken].slice(0, MAX_WAITING);
    // A copy, because more entries may be added while these are stored.
    const block = [...waiting];
    await db.write(async (tx) => {
      for (const entry of block) await appendAudit(tx, entry);
    });
    waiting = waiting.filter((entry) => !block.includes(entry));
  };

  /** Never throws: entries that can't be stored are tried again later, and are in the log of the process. */
  const flush = (): Promise<void> => {
    if (waiting.length === 0 && refusals.size === 0) return flushing;
    flushing = flushing.then(write).catch((error) => {
      log.error({ err: error, entries: waiting }, "the audit log can't be written, will be retried");
    });
    return flushing;
  };

  return {
    /** Newest first. Throws invalid_request for a cursor of another list. */
    async list({ limit = 20, after, ...query }: AuditQuery): Promise<AuditEntryPage> {
      await flush();
      const rows = await listAuditLog(db, filterOf(query), limit + 1, readNumberCursor(after));
      return pageOf(rows, limit, toEntry, ({ id }) => String(id));
    },

    /** A file with all matching entries, newest first, read block by block. */
    exported({ format = "jsonl", ...query }: AuditExportQuery) {
      const toText = format === "csv" ? toCsv : toJsonLine;
      const content = async function* () {
        await flush();
        if (format === "csv") yield CSV_HEADER;
        for (let after: number | undefined; ; ) {
          const rows = await listAuditLog(db, filterOf(query), EXPORT_BLOCK, after);
          yield rows.map((row) => toText(toEntry(row))).join("");
          if (rows.length < EXPORT_BLOCK) return;
          after = rows.at(-1)?.id;
        }
      };
      const mediaType = format === "csv" ? "text/csv" : "application/jsonl";
      return { name: `groundwire-audit.${format}`, mediaType, content: content() };
    },

    /** Adds the entry of a change that is not stored in the database, after the change. */
    async record(actor: AuditActor, action: string, target: string, detail?: Record<string, unknown>): Promise<void> {
      waiting.push({ at: now(), actor, action, target, detail });
      await flush();
    },

    /** Counts a failed sign-in. Those of one address within a second become one entry. */
    refused(refusal: Refusal): void {
      const name = `${refusal.with} ${refusal.address}`;
      const known = refusals.get(name);
      if (known) known.count++;
      else if (refusals.size < MAX_ADDRESSES) refusals.set(name, { ...refusal, count: 1, at: now() });
    },

    flush,
    open: () => {
      timer ??= setInterval(() => void flush(), FLUSH_MS).unref();
    },
    async close(): Promise<void> {
      clearInterval(timer);
      await flush();
    },
  };
};

export type Audit = ReturnType<typeof createAudit>;

const filterOf = (query: Omit<AuditQuery, "limit" | "after">): AuditFilter => ({
  actor: query.actor,
  action: query.action,
  objectType: query.object_type,
  target: query.object_id,
  requestId: query.request_id,
  since: query.since === undefined ? undefined : new Date(query.since),
  until: query.until === undefined ? undefined : new Date(query.until),
});
