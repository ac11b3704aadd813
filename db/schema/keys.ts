import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, flag, json, refersTo, time } from "./columns";

export const keys = sqliteTable(
  "keys",
  {
    /** `key_…`. The part after the underscore is the public id inside the key. */
    id: text().primaryKey(),
    name: text().notNull(),
    role: text({ enum: ["viewer", "member", "editor", "admin", "metrics"] }).notNull(),
    /** SHA-256 of the whole key. */
    secretHash: blob({ mode: "buffer" }).notNull(),
    /** The admin key set in the environment: any string, exempt from the key format. */
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
    allowedModels: json<string[]>(),
    allowedIndexes: json<string[]>(),
    contentLogging: flag().notNull().default(true),
    tokensPerMinute: integer(),
    /** `Budget[]`. */
    budgets: json<Record<string, unknown>[]>().notNull().default([]),
    /** `ModelLimits[]`. */
    modelLimits: json<Record<string, unknown>[]>().notNull().default([]),
    /** None of the key's limits refuses a request. */
    observeOnly: flag().notNull().default(false),
    onStoreLoss: text({ enum: ["refuse", "local"] })
      .notNull()
      .default("local"),
    /** The key whose counters this one uses, because it replaces that key; null: its own. */
    limitAccount: text(),
    /** Whether the request log stores the bodies of this key's model calls. Needs `contentLogging`. */
    logBodies: flag().notNull().default(false),
  },
  (table) => [uniqueIndex("keys_by_secret").on(table.secretHash)],
);

/**
 * What keys used of their budgets, by counter and step of its window. Gateways add to it once a second, without Redis
 * only.
 */
export const limitUsage = sqliteTable(
  "limit_usage",
  {
    /** Key, unit, window and model. */
    counter: text().notNull(),
    /** When it leaves the window, in milliseconds since 1970; the largest integer: never. */
    leavesAt: integer().notNull(),
    amount: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.counter, table.leavesAt] }), index("limit_usage_by_end").on(table.leavesAt)],
);

/** Browser sessions. Only the SHA-256 of the cookie value is stored. */
export const sessions = sqliteTable(
  "sessions",
  {
    idHash: blob({ mode: "buffer" }).primaryKey(),
    keyId: refersTo(() => keys.id),
    createdAt: createdAt(),
    lastSeenAt: time().notNull(),
    expiresAt: time().notNull(),
    revokedAt: time(),
  },
  (table) => [index("sessions_by_key").on(table.keyId)],
);

export const signInTokens = sqliteTable("sign_in_tokens", {
  tokenHash: blob({ mode: "buffer" }).primaryKey(),
  keyId: refersTo(() => keys.id),
  expiresAt: time().notNull(),
  usedAt: time(),
});

/** An admin's settings for a cache namespace. Without a row, a key has its own enabled namespace. */
export const cacheNamespaces = sqliteTable("cache_namespaces", {
  /** Id of a key, or the name of a shared namespace. */
  name: text().primaryKey(),
  enabled: flag().notNull().default(true),
  /** Keys that read and write this namespace instead of their own. */
  keyIds: json<string[]>().notNull().default([]),
  updatedAt: time().notNull(),
});
