import type { CacheReport } from "../contract";

/** A structured field string (RFC 9651 section 3.3.3), which is ASCII only: other characters become `?`. */
const quote = (text: string): string => `"${text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;

const LAYERS = {
  memory: "exact match in memory",
  redis: "exact match in redis",
  in_flight: "joined in flight",
} as const;

/**
 * The `cache-status` header (RFC 9211): `Groundwire; hit; ttl=86391; key="…"; detail="exact match in memory"`.
 * `fwd=request`: the cache could have served the request, but the request's own directives forbade it. `stored`: the
 * answer is stored once it is complete.
 */
export const cacheStatusHeader = ({ status, kind, reason, ttl, key, stored }: CacheReport): string => {
  let value = "Groundwire";
  if (status === "hit") value += `; hit${ttl === undefined ? "" : `; ttl=${ttl}`}`;
  else if (reason === undefined) value += "; fwd=miss";
  else value += key === undefined ? "; fwd=bypass" : "; fwd=request";
  if (status === "joined") value += "; collapsed";
  if (stored) value += "; stored";
  // A key needs no escaping: it consists of a version and hex digits.
  if (key !== undefined) value += `; key="${key}"`;
  if (reason !== undefined) return `${value}; detail=${quote(reason)}`;
  return kind === undefined ? value : `${value}; detail="${LAYERS[kind]}"`;
};

/** The cache headers: `cache-status` (RFC 9211) and `age` (RFC 9111). */
export const cacheHeaders = (report: CacheReport): Record<string, string> => {
  const headers: Record<string, string> = { "cache-status": cacheStatusHeader(report) };
  if (report.age !== undefined) headers.age = String(report.age);
  return headers;
};
