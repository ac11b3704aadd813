const HSTS = "max-age=31536000";

/**
 * What every answer says to browsers, made once: take the type as it is told, keep nothing, tell nobody where you come
 * from, embed it nowhere. An answer's own words win. `publicUrl` with https adds HSTS.
 */
export const standingHeaders = (publicUrl: string | undefined): Readonly<Record<string, string>> => ({
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  ...(publicUrl?.startsWith("https:") && { "strict-transport-security": HSTS }),
});
