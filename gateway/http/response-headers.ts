import { round } from "../../lib/round";

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

/** The value of `server-timing`: stages in milliseconds, in the given order. Stages without a time are omitted. */
export const serverTiming = (stages: Record<string, number | undefined>): string => {
  let value = "";
  for (const name in stages) {
    const durationMs = stages[name];
    if (durationMs !== undefined) value += `${value && ", "}${name};dur=${round(durationMs, 2)}`;
  }
  return value;
};
