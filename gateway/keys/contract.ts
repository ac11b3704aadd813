import { type Static, Type } from "@sinclair/typebox";
import { Component, Id, Name, Nullable, OneOf, Page, Strict, Timestamp } from "../contract";
import { Budgets, ModelLimits, parallel, perMinute, StoreLoss, tokensPerMinute } from "../limits-contract";
import { ROLES } from "../principal";

const RoleName = OneOf([...ROLES, "metrics"], {
  title: "Role",
  description: "viewer < member < editor < admin: each role includes the ones before it. metrics can only read metrics",
});

const keyId = Id("key");
const NAME_DESCRIPTION = "Who or what uses the key";
const name = Type.String({ description: NAME_DESCRIPTION, examples: ["search service"] });
const newName = Name(100, NAME_DESCRIPTION);
const models = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 100, uniqueItems: true });
const indexes = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 1000, uniqueItems: true });

/** A key's settings, in requests and responses. null: no restriction, or the configured default. */
const settings = {
  allowed_models: Nullable(models, { description: "Models that the key may call; null: every model" }),
  allowed_indexes: Nullable(indexes, {
    description: "Ids or names of the indexes that the key may use; null: every index",
  }),
  requests_per_minute: Nullable(perMinute, { description: "null: the configured default" }),
  parallel_requests: Nullable(parallel, { description: "Concurrent requests; null: the configured default" }),
  tokens_per_minute: Nullable(tokensPerMinute, { description: "Prompt and answer tokens; null: no limit" }),
  budgets: { ...Budgets, description: "Any number of limits per hour, day or month, or in total; all of them apply" },
  model_limits: Type.Array(ModelLimits, { maxItems: 50, description: "Additional limits for single models" }),
  observe_only: Type.Boolean({
    description: "Count and report all limits of this key without refusing requests, to try them before enforcing them",
  }),
  on_store_loss: StoreLoss,
  content_logging: Type.Boolean({ description: "Whether prompts and answers of this key may be stored" }),
  log_bodies: Type.Boolean({
    description:
      "Whether the request log stores the bodies of this key's model calls; requires `content_logging`. The header `x-log-bodies: false` keeps one request out",
  }),
  expires_at: Nullable(Type.String({ format: "date-time", examples: ["2099-12-31T23:59:59.000Z"] }), {
    description: "null: never",
  }),
};

const optionalSettings = Type.Partial(Type.Object(settings)).properties;

export const KeyLimits = Type.Object(
  {
    requests_per_minute: perMinute,
    parallel_requests: parallel,
    tokens_per_minute: settings.tokens_per_minute,
  },
  { title: "KeyLimits", description: "Effective limits: the key's own or the configured ones" },
);

/** A key without its secret. */
export const Key = Component("Key", {
  id: keyId,
  name,
  role: RoleName,
  status: OneOf(["active", "expired", "revoked"]),
  ...settings,
  limits: KeyLimits,
  is_bootstrap: Type.Boolean({
    description: "The admin key from the configuration; it can't be revoked through the API",
  }),
  created_at: Timestamp,
  created_by: Nullable(Type.String(), { description: "Id of the key that created this one" }),
  last_used_at: Nullable(Timestamp, { description: "Updated once a minute" }),
  revoked_at: Nullable(Timestamp),
  rotated_from: Nullable(keyId, { description: "The key that this one replaces" }),
});
export type Key = Static<typeof Key>;

/** Response to creating or rotating a key. No other response contains the secret. */
export const KeyWithSecret = Component("KeyWithSecret", {
  ...Key.properties,
  key: Type.String({ description: "The secret. It is shown only once.", examples: ["gw_4fT9kQ2mXw7R_…"] }),
});
export type KeyWithSecret = Static<typeof KeyWithSecret>;

export const KeyPage = Page(Key);
export type KeyPage = Static<typeof KeyPage>;

/** `POST /v1/keys`. */
export const CreateKey = Strict(
  {
    name: newName,
    role: RoleName,
    ...optionalSettings,
    budgets: Type.Optional({ ...settings.budgets, default: [] }),
    model_limits: Type.Optional({ ...settings.model_limits, default: [] }),
    observe_only: Type.Optional(Type.Boolean({ ...settings.observe_only, default: false })),
    on_store_loss: Type.Optional({ ...StoreLoss, default: "local" }),
    content_logging: Type.Optional(Type.Boolean({ ...settings.content_logging, default: true })),
    log_bodies: Type.Optional(Type.Boolean({ ...settings.log_bodies, default: false })),
  },
  {
    title: "CreateKey",
    examples: [
      { name: "search service", role: "member", requests_per_minute: 120, content_logging: false },
      {
        name: "nightly evaluation",
        role: "editor",
        tokens_per_minute: 50_000,
        budgets: [
          { unit: "tokens", amount: 2_000_000, window: "day", alignment: "calendar" },
          { unit: "money", amount: 40, window: "month", alignment: "rolling", observe_only: true },
        ],
        model_limits: [{ model: "smollm2-135m-instruct", parallel_requests: 4 }],
      },
    ],
  },
);
export type CreateKey = Static<typeof CreateKey>;

/** `PATCH /v1/keys/{id}`: omitted fields keep their values. An `expires_at` in the past expires the key immediately. */
export const UpdateKey = Strict(
  {
    name: Type.Optional(newName),
    role: Type.Optional(RoleName),
    ...optionalSettings,
  },
  { title: "UpdateKey", minProperties: 1, examples: [{ expires_at: "2026-12-31T23:59:59.000Z" }] },
);
export type UpdateKey = Static<typeof UpdateKey>;

/** `POST /v1/keys/{id}/rotate`: a new key with the same settings; the old one works until the grace period ends. */
export const RotateKey = Strict(
  {
    grace_seconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 604_800, default: 3600, description: "How long both keys work" }),
    ),
  },
  { title: "RotateKey", examples: [{ grace_seconds: 86_400 }] },
);
export type RotateKey = Static<typeof RotateKey>;

/** `GET /v1/auth/me`: who the caller is. */
export const Me = Component("Me", {
  key_id: keyId,
  name,
  role: RoleName,
  via: OneOf(["key", "session"]),
  allowed_models: settings.allowed_models,
  allowed_indexes: settings.allowed_indexes,
  limits: KeyLimits,
  content_logging: settings.content_logging,
  log_bodies: settings.log_bodies,
  expires_at: settings.expires_at,
});
export type Me = Static<typeof Me>;
