import type { CreateKey, Key, UpdateKey } from "./contract";
import type { KeyRecord, KeySettings } from "./service";

const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null;

/** A key as the API tells it. */
export const toWire = (key: KeyRecord): Key => ({
  id: key.id,
  name: key.name,
  role: key.role,
  status: key.status,
  allowed_models: key.allowedModels,
  allowed_indexes: key.allowedIndexes,
  requests_per_minute: key.requestsPerMinute,
  parallel_requests: key.parallelRequests,
  content_logging: key.contentLogging,
  expires_at: isoOrNull(key.expiresAt),
  limits: { requests_per_minute: key.limits.requestsPerMinute, parallel_requests: key.limits.parallelRequests },
  is_bootstrap: key.isBootstrap,
  created_at: key.createdAt.toISOString(),
  created_by: key.createdBy,
  last_used_at: isoOrNull(key.lastUsedAt),
  revoked_at: isoOrNull(key.revokedAt),
  rotated_from: key.rotatedFrom,
});

/** The settings that a request names; what it leaves out is not there. */
export const fromUpdate = (body: UpdateKey): Partial<KeySettings> => ({
  name: body.name,
  role: body.role,
  allowedModels: body.allowed_models,
  allowedIndexes: body.allowed_indexes,
  requestsPerMinute: body.requests_per_minute,
  parallelRequests: body.parallel_requests,
  contentLogging: body.content_logging,
  expiresAt: body.expires_at == null ? body.expires_at : new Date(body.expires_at),
});

export const fromCreate = (body: CreateKey): Partial<KeySettings> & Pick<KeySettings, "name" | "role"> => ({
  ...fromUpdate(body),
  name: body.name,
  role: body.role,
});
