import { type Static, Type } from "@sinclair/typebox";
import { Count, Milliseconds, Nullable, OneOf, Share, Strict, Timestamp } from "../contract";

const layerKind = OneOf(["memory", "redis"]);

/** Memory inside the gateway, or Redis behind it. */
export const CacheLayer = Type.Object(
  {
    kind: layerKind,
    status: OneOf(["ok", "degraded"], { description: "degraded: not reachable now, every read misses" }),
    since: Timestamp,
    entries: Count(),
    size_bytes: Count("memory: what the entries take at most; redis: what the whole server uses"),
    max_bytes: Nullable(Count(), { description: "null: the store sets its own" }),
    latency_ms: Nullable(Milliseconds("Last measured read")),
    last_error: Nullable(Type.String()),
  },
  { title: "CacheLayer" },
);
export type CacheLayer = Static<typeof CacheLayer>;

/** Answers of one key, or of all keys that share a namespace. */
export const CacheNamespace = Type.Object(
  {
    name: Type.String({ description: "Id of a key, or a shared name" }),
    enabled: Type.Boolean({ description: "Disabled: nothing is read or stored; the reason of each bypass says so" }),
    keys: Type.Array(Type.String(), { description: "Keys that share it; empty for a key's own" }),
    hits: Count("Since this gateway started"),
    misses: Count("Since this gateway started"),
    bypasses: Count("Since this gateway started"),
  },
  { title: "CacheNamespace" },
);
export type CacheNamespace = Static<typeof CacheNamespace>;

/** `GET /v1/cache`. */
export const CacheStatistics = Type.Object(
  {
    enabled: Type.Boolean(),
    ttl_seconds: Type.Integer({ minimum: 1, description: "How long an answer is kept" }),
    layers: Type.Array(CacheLayer, { description: "In the order of lookup" }),
    hits: Type.Object({ memory: Count(), redis: Count(), in_flight: Count("Joined an equal request that ran") }),
    misses: Count(),
    bypasses: Type.Record(Type.String(), Count(), { description: "Requests that bypassed the cache, by reason" }),
    hit_rate: Share("Hits of hits and misses; 0 when there were none"),
    writes: Type.Object(
      { stored: Count(), skipped: Count("Empty, cut off, or dropped meanwhile"), failed: Count() },
      { description: "Complete answers that could be stored, by what happened to them" },
    ),
    in_flight: Count("Generations that other requests may join now"),
    namespaces: Type.Array(CacheNamespace, { description: "Those that were used, and those with a setting" }),
  },
  {
    title: "CacheStatistics",
    description: "Counts of this gateway since it started",
  },
);
export type CacheStatistics = Static<typeof CacheStatistics>;

const target = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }));

/** `POST /v1/cache/invalidate`: exactly one of the fields. */
export const InvalidateCache = Strict(
  {
    entry: target("One entry: the `key` that explain answers"),
    namespace: target("Everything of a key or a shared namespace"),
    model: target("Everything that this model wrote"),
    prompt: target("Everything made with this prompt template: its content hash"),
    index: target("Every answer from this index"),
    evaluator: target("Every verdict of this evaluator: `name@version`"),
    tag: target("Everything that carries this tag, as explain shows it: `model:smollm2-135m-instruct`"),
  },
  { title: "InvalidateCache", minProperties: 1, maxProperties: 1, examples: [{ model: "smollm2-135m-instruct" }] },
);
export type InvalidateCache = Static<typeof InvalidateCache>;

export const CacheInvalidation = Type.Object({ deleted: Count("Entries dropped") }, { title: "CacheInvalidation" });
export type CacheInvalidation = Static<typeof CacheInvalidation>;

/** The key in `/v1/cache/entries/{key}`. */
export const CacheKeyParams = Type.Object({ key: Type.String({ minLength: 1, maxLength: 200 }) });

const namespaceName = Type.String({
  minLength: 1,
  maxLength: 100,
  description: "Id of a key, or a shared name",
  examples: ["key_4fT9kQ2mXw7R"],
});

/** `POST /v1/cache/disable` and `/enable`. */
export const CacheNamespaceRequest = Strict({ namespace: namespaceName }, { title: "CacheNamespaceRequest" });

/** `POST /v1/cache/share`. */
export const ShareCache = Strict(
  {
    namespace: Type.String({ minLength: 1, maxLength: 100, description: "Any name that is not a key's id" }),
    keys: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
      maxItems: 1000,
      uniqueItems: true,
      description: "Exactly these keys share it; empty: each is on its own again",
    }),
  },
  { title: "ShareCache", examples: [{ namespace: "support-team", keys: ["key_4fT9kQ2mXw7R", "key_9pL2vB6nHs4D"] }] },
);

/** The current settings of a namespace. */
export const CacheNamespaceSettings = Type.Object(
  { name: Type.String(), enabled: Type.Boolean(), keys: Type.Array(Type.String()) },
  { title: "CacheNamespaceSettings" },
);
export type CacheNamespaceSettings = Static<typeof CacheNamespaceSettings>;

/** Answer of `POST /v1/cache/explain`. */
export const CacheExplanation = Type.Object(
  {
    cacheable: Type.Boolean(),
    reason: Nullable(Type.String(), { description: "Why the request bypasses the cache" }),
    key: Type.String({ description: "Hash of namespace and parts, with the version of the key's form in front" }),
    namespace: Type.String(),
    parts: Type.Record(Type.String(), Type.Unknown(), {
      description: "All parts of the key, by name. User texts and long values are shown as a hash.",
    }),
    stored: Nullable(
      Type.Object({
        kind: layerKind,
        age: Count("Seconds since it was stored"),
        expires_at: Timestamp,
        tags: Type.Array(Type.String()),
      }),
      { description: "The entry that would be served; null: a miss" },
    ),
    comparison: Nullable(
      Type.Object({
        request_id: Type.String(),
        found: Type.Boolean({ description: "False: that request is unknown here, or too long ago" }),
        same_key: Type.Boolean(),
        differences: Type.Array(
          Type.Object({
            part: Type.String(),
            this: Type.Unknown(),
            other: Type.Unknown(),
          }),
        ),
      }),
      { description: "Only with `compare_with`" },
    ),
  },
  { title: "CacheExplanation" },
);
export type CacheExplanation = Static<typeof CacheExplanation>;
