import type { RequestRow } from "../../db/requests";
import type { ErrorKind } from "../../lib/errors";
import type { LoggedRequest } from "./contract";

/** A row as the API shows it. `names`: names of keys by id. */
export const toLogged = (row: Omit<RequestRow, "seq">, names: ReadonlyMap<string, string>): LoggedRequest => {
  const { detail, faultDomain, keyId } = row;
  return {
    id: row.id,
    received_at: row.receivedAt.toISOString(),
    method: detail.method,
    route: row.route,
    object: detail.object ?? null,
    status: row.status,
    error: faultDomain && { code: (detail.code as ErrorKind) ?? null, fault_domain: faultDomain },
    key: keyId === null ? null : { id: keyId, name: names.get(keyId) ?? null, via: detail.via ?? "key" },
    model: row.model,
    node: detail.node ?? null,
    stream: detail.stream ?? false,
    cache: detail.cache ?? null,
    calls: detail.calls ?? 0,
    attempts: detail.attempts ?? null,
    timing: {
      gateway_ms: detail.gatewayMs ?? null,
      queue_ms: detail.queueMs ?? null,
      ttft_ms: detail.ttftMs ?? null,
      total_ms: row.totalMs,
    },
    usage: { prompt_tokens: detail.promptTokens ?? 0, completion_tokens: detail.completionTokens ?? 0 },
    has_bodies: row.hasBodies,
  };
};
