import type { Reading } from "../ports/ledger";
import { PERIOD_MS } from "../ports/limit-window";
import type { KeyLimit } from "./limits";

/** The name of a limit in `ratelimit` and `ratelimit-policy`: `requests`, `parallel`, `tokens-day`. */
const nameOf = ({ unit, window: { period }, model }: KeyLimit): string => {
  const unitName = unit.replace("_", "-");
  const name = period === "active" ? "parallel" : period === "minute" ? unitName : `${unitName}-${period}`;
  return model === null ? name : `${name} ${model.replace(/[^\x20-\x7e]|["\\]/g, "?")}`;
};

/** The units of a quota (draft-ietf-httpapi-ratelimit-headers-11); requests need none. */
const unitOf = ({ unit, window: { period } }: KeyLimit): string => {
  if (period === "active") return ';qu="concurrent-requests"';
  if (unit === "requests") return "";
  return `;qu="${{ tokens: "tokens", money: "millionths", gpu_seconds: "gpu-milliseconds" }[unit]}"`;
};

/** `ratelimit-policy`: all limits of a key. Built once per key, because it rarely changes. */
export const policyHeader = (keyId: string, limits: readonly KeyLimit[]): string => {
  const partition = `;pk=:${btoa(keyId)}:`;
  const policies = limits.map((limit) => {
    const lengthMs = PERIOD_MS[limit.window.period];
    const window = lengthMs === Number.POSITIVE_INFINITY ? "" : `;w=${lengthMs / 1000}`;
    return `"${nameOf(limit)}";q=${limit.amount}${unitOf(limit)}${window}${partition}`;
  });
  return policies.join(", ");
};

/** Whole seconds, rounded up, so that a client that waits this long isn't too early. */
export const toSeconds = (ms: number): number => Math.ceil(ms / 1000);

/** `ratelimit`: `r` is what remains of a limit, which doesn't grow for `t` seconds. */
export const rateLimitHeader = (limits: readonly KeyLimit[], readings: readonly Reading[]): string => {
  let value = "";
  for (let i = 0; i < limits.length; i++) {
    const [limit, reading] = [limits[i] as KeyLimit, readings[i] as Reading];
    if (limit.isObserved) continue;
    value += `${value && ", "}"${nameOf(limit)}";r=${Math.max(0, limit.amount - reading.used)}`;
    if (limit.window.period === "active") continue;
    const changesInMs = Math.max(reading.changesInMs, reading.fitsInMs);
    if (changesInMs !== Number.POSITIVE_INFINITY) value += `;t=${toSeconds(changesInMs)}`;
  }
  return value;
};

/** OpenAI's headers, for the limits per minute. */
export const addOpenAiHeaders = (
  headers: Record<string, string>,
  limits: readonly KeyLimit[],
  readings: readonly Reading[],
): void => {
  for (let i = 0; i < limits.length; i++) {
    const { unit, amount, window, isObserved, model } = limits[i] as KeyLimit;
    if (window.period !== "minute" || isObserved || model !== null) continue;
    const { used, emptyInMs } = readings[i] as Reading;
    headers[`x-ratelimit-limit-${unit}`] = String(amount);
    headers[`x-ratelimit-remaining-${unit}`] = String(Math.max(0, amount - used));
    headers[`x-ratelimit-reset-${unit}`] = formatSpan(emptyInMs);
  }
};

/** A time span in OpenAI's format: `120ms`, `12.5s`, `6m0s`. */
export const formatSpan = (ms: number): string => {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
};
