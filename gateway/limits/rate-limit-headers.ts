/** The remaining quota of one limit, for the `ratelimit` header. */
export interface LimitReading {
  name: "requests" | "parallel";
  remaining: number;
  /** Milliseconds until more quota is available; undefined if that doesn't depend on time. */
  changesInMs?: number;
}

/** Whole seconds, rounded up, so that a client that waits this long isn't too early. */
export const toSeconds = (ms: number): number => Math.ceil(ms / 1000);

/** `ratelimit-policy`: both limits of a key. Built once per key, because it rarely changes. */
export const policyHeader = (keyId: string, requestsPerMinute: number, parallelRequests: number): string => {
  const partition = `pk=:${btoa(keyId)}:`;
  return `"requests";q=${requestsPerMinute};w=60;${partition}, "parallel";q=${parallelRequests};qu="concurrent-requests";${partition}`;
};

/**
 * `ratelimit` (draft-ietf-httpapi-ratelimit-headers-11): `r` is the remaining quota, which doesn't grow for `t`
 * seconds.
 */
export const rateLimitHeader = (readings: readonly LimitReading[]): string => {
  let value = "";
  for (const { name, remaining, changesInMs } of readings) {
    value += `${value && ", "}"${name}";r=${remaining}`;
    if (changesInMs !== undefined) value += `;t=${toSeconds(changesInMs)}`;
  }
  return value;
};

/** A time span in OpenAI's format: `120ms`, `12.5s`, `6m0s`. */
export const formatSpan = (ms: number): string => {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
};
