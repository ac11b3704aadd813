import type { KeyChanges, KeyRow } from "../../db/keys";
import type { Principal } from "../principal";
import { fromRow } from "../wire";
import { Key, KeyLimits, type Me, type UpdateKey } from "./contract";
import { type DefaultLimits, effectiveLimits } from "./rules";

/** A key at `now`, without the hash of its secret. */
export const toKey = (row: KeyRow, defaults: DefaultLimits, now: Date): Key =>
  fromRow(Key, row, {
    status: row.revokedAt ? "revoked" : row.expiresAt && row.expiresAt <= now ? "expired" : "active",
    limits: fromRow(KeyLimits, effectiveLimits(row, defaults)),
  });

export const toMe = (
  { via }: Principal,
  { id, name, role, allowed_models, allowed_indexes, limits, content_logging, log_bodies, expires_at }: Key,
): Me => ({
  key_id: id,
  name,
  role,
  via: via === "session" ? "session" : "key",
  allowed_models,
  allowed_indexes,
  limits,
  content_logging,
  log_bodies,
  expires_at,
});

/** The settings in a request; undefined for those that it leaves out. */
export const fromUpdate = (body: UpdateKey) =>
  ({
    name: body.name,
    role: body.role,
    allowedModels: body.allowed_models,
    allowedIndexes: body.allowed_indexes,
    requestsPerMinute: body.requests_per_minute,
    parallelRequests: body.parallel_requests,
    tokensPerMinute: body.tokens_per_minute,
    budgets: body.budgets,
    modelLimits: body.model_limits,
    observeOnly: body.observe_only,
    onStoreLoss: body.on_store_loss,
    contentLogging: body.content_logging,
    // Without content logging, nothing may be stored.
    logBodies: body.content_logging === false && body.log_bodies === undefined ? false : body.log_bodies,
    expiresAt: body.expires_at == null ? body.expires_at : new Date(body.expires_at),
  }) satisfies KeyChanges;
