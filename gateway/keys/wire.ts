import type { KeyChanges, KeyRow } from "../../db/keys";
import type { Principal } from "../principal";
import { type DefaultLimits, effectiveLimits } from "./admission";
import type { Key, Me, UpdateKey } from "./contract";

const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null;

/** A key at `now`, without the hash of its secret. */
export const toKey = (row: KeyRow, defaults: DefaultLimits, now: Date): Key => {
  const { requestsPerMinute, parallelRequests } = effectiveLimits(row, defaults);
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    status: row.revokedAt ? "revoked" : row.expiresAt && row.expiresAt <= now ? "expired" : "active",
    allowed_models: row.allowedModels,
    allowed_indexes: row.allowedIndexes,
    requests_per_minute: row.requestsPerMinute,
    parallel_requests: row.parallelRequests,
    content_logging: row.contentLogging,
    expires_at: isoOrNull(row.expiresAt),
    limits: { requests_per_minute: requestsPerMinute, parallel_requests: parallelRequests },
    is_bootstrap: row.isBootstrap,
    created_at: row.createdAt.toISOString(),
    created_by: row.createdBy,
    last_used_at: isoOrNull(row.lastUsedAt),
    revoked_at: isoOrNull(row.revokedAt),
    rotated_from: row.rotatedFrom,
  };
};

export const toMe = (
  { via }: Principal,
  { id, name, role, allowed_models, allowed_indexes, limits, content_logging, expires_at }: Key,
): Me => ({ key_id: id, name, role, via, allowed_models, allowed_indexes, limits, content_logging, expires_at });

/** The settings in a request; undefined for those that it leaves out. */
export const fromUpdate = (body: UpdateKey) =>
  ({
    name: body.name,
    role: body.role,
    allowedModels: body.allowed_models,
    allowedIndexes: body.allowed_indexes,
    requestsPerMinute: body.requests_per_minute,
    parallelRequests: body.parallel_requests,
    contentLogging: body.content_logging,
    expiresAt: body.expires_at == null ? body.expires_at : new Date(body.expires_at),
  }) satisfies KeyChanges;
