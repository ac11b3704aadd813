import { sql } from "drizzle-orm";
import { blob, index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Milliseconds since 1970 in the file, `Date` in the code. */
const time = () => integer({ mode: "timestamp_ms" });
const createdAt = () => time().notNull().default(sql`(CAST(unixepoch('subsec') * 1000 AS INTEGER))`);
const flag = () => integer({ mode: "boolean" });

/** One row that every write transaction updates first: that takes SQLite's write lock before anything is prepared. */
export const writeLock = sqliteTable("write_lock", { n: integer().notNull() });

/** Work that one process at a time may do, such as checkpoints. A lapsed lease is free again. */
export const leases = sqliteTable("leases", {
  name: text().primaryKey(),
  holder: text().notNull(),
  until: time().notNull(),
});

export const keys = sqliteTable(
  "keys",
  {
    /** `key_…`; its part after the underscore is the public id inside the key. */
    id: text().primaryKey(),
    name: text().notNull(),
    role: text({ enum: ["viewer", "member", "editor", "admin", "metrics"] }).notNull(),
    /** SHA-256 of the whole key. */
    secretHash: blob({ mode: "buffer" }).notNull(),
    /** The admin key given by the environment: any string, exempt from the key format. */
    isBootstrap: flag().notNull().default(false),
    createdAt: createdAt(),
    createdBy: text(),
    expiresAt: time(),
    revokedAt: time(),
    /** Written at most once a minute. */
    lastUsedAt: time(),
    /** The key that this one replaces; both work until the older one's `expiresAt`. */
    rotatedFrom: text(),
    /** null: the configured default. */
    requestsPerMinute: integer(),
    parallelRequests: integer(),
    allowedModels: text({ mode: "json" }).$type<string[]>(),
    allowedIndexes: text({ mode: "json" }).$type<string[]>(),
    contentLogging: flag().notNull().default(true),
  },
  (table) => [uniqueIndex("keys_by_secret").on(table.secretHash)],
);

/** Sign-ins of the pages. Only the SHA-256 of the cookie's value is kept. */
export const sessions = sqliteTable(
  "sessions",
  {
    idHash: blob({ mode: "buffer" }).primaryKey(),
    keyId: text()
      .notNull()
      .references(() => keys.id),
    createdAt: createdAt(),
    lastSeenAt: time().notNull(),
    expiresAt: time().notNull(),
    revokedAt: time(),
  },
  (table) => [index("sessions_by_key").on(table.keyId)],
);

/** One-time links to the pages. */
export const signInTokens = sqliteTable("sign_in_tokens", {
  tokenHash: blob({ mode: "buffer" }).primaryKey(),
  keyId: text()
    .notNull()
    .references(() => keys.id),
  expiresAt: time().notNull(),
  usedAt: time(),
});

export const conversations = sqliteTable(
  "conversations",
  {
    id: text().primaryKey(),
    keyId: text()
      .notNull()
      .references(() => keys.id),
    title: text().notNull(),
    model: text().notNull(),
    createdAt: createdAt(),
    updatedAt: time().notNull(),
  },
  (table) => [index("conversations_by_key").on(table.keyId, table.updatedAt)],
);

export const messages = sqliteTable(
  "messages",
  {
    id: text().primaryKey(),
    conversationId: text()
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    position: integer().notNull(),
    role: text({ enum: ["system", "user", "assistant"] }).notNull(),
    content: text().notNull(),
    /** generating: an answer that a reload finds again; interrupted: the process ended meanwhile. */
    status: text({ enum: ["complete", "generating", "stopped", "failed", "interrupted"] }).notNull(),
    /** Finish reason, usage, latency, cache, model revision, node, request id: see `gateway/conversations`. */
    detail: text({ mode: "json" }).$type<Record<string, unknown>>(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("messages_in_order").on(table.conversationId, table.position)],
);

/** What an admin set for a namespace of the answer cache; one without a row is a key's own, and enabled. */
export const cacheNamespaces = sqliteTable("cache_namespaces", {
  /** Id of a key, or the name that its keys share. */
  name: text().primaryKey(),
  enabled: flag().notNull().default(true),
  /** Keys that read and write this namespace instead of their own. */
  keyIds: text({ mode: "json" }).$type<string[]>().notNull().default([]),
  updatedAt: time().notNull(),
});

/** Who changed what. Only ever appended. */
export const auditLog = sqliteTable(
  "audit_log",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    at: createdAt(),
    actor: text().notNull(),
    action: text().notNull(),
    target: text().notNull(),
    detail: text({ mode: "json" }).$type<Record<string, unknown>>(),
  },
  (table) => [index("audit_log_by_target").on(table.target, table.at)],
);
