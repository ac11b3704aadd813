const HSTS = "max-age=31536000";

/**
 * Headers of every response, built once: browsers must not cache the response, guess its type, send a referrer, or
 * embed it in pages of other origins. A response's own headers override them. An https `publicUrl` adds HSTS.
 */
export const standingHeaders = (publicUrl: string | undefined): Readonly<Record<string, string>> => ({
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  ...(publicUrl?.startsWith("https:") && { "strict-transport-security": HSTS }),
});
