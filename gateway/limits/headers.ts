import type { Reading } from "../ports/ledger";
import { PERIOD_MS } from "../ports/limit-window";
import type { HeaderNames, KeyLimit } from "./key-limit";

/** A limit whose constant header parts are not known yet. */
type NamedLimit = Omit<KeyLimit, "names">;

/** The name of a limit in `ratelimit` and `ratelimit-policy`: `requests`, `parallel`, `tokens-day`. */
const nameOf = ({ unit, window: { period }, model }: NamedLimit): string => {
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

export const headerNamesOf = (limit: NamedLimit): HeaderNames => {
  const { unit, amount, window, model } = limit;
  const isKnown = window.period === "minute" && model === null;
  return {
    ratelimit: `"${nameOf(limit)}";r=`,
    openAi: isKnown && (unit === "requests" || unit === "tokens") ? unit : undefined,
    amount: String(amount),
  };
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

/**
 * Adds `ratelimit`, whose `r` is what remains of a limit and doesn't grow for `t` seconds, and OpenAI's headers.
 * Observed limits are left out.
 */
export const addHeaders = (
  headers: Record<string, string>,
  limits: readonly KeyLimit[],
  readings: readonly Reading[],
): void => {
  let value = "";
  for (let i = 0; i < limits.length; i++) {
    const { isObserved, amount, window, names } = limits[i] as KeyLimit;
    if (isObserved) continue;
    const { used, changesInMs, emptyInMs, fitsInMs } = readings[i] as Reading;
    const remaining = String(Math.max(0, amount - used));
    value += value === "" ? names.ratelimit + remaining : `, ${names.ratelimit}${remaining}`;
    const waitMs = Math.max(changesInMs, fitsInMs);
    if (window.period !== "active" && waitMs !== Number.POSITIVE_INFINITY) value += `;t=${toSeconds(waitMs)}`;
    // Setting a property is faster if its name is constant.
    if (names.openAi === "requests") {
      headers["x-ratelimit-limit-requests"] = names.amount;
      headers["x-ratelimit-remaining-requests"] = remaining;
      headers["x-ratelimit-reset-requests"] = formatSpan(emptyInMs);
    } else if (names.openAi === "tokens") {
      headers["x-ratelimit-limit-tokens"] = names.amount;
      headers["x-ratelimit-remaining-tokens"] = remaining;
      headers["x-ratelimit-reset-tokens"] = formatSpan(emptyInMs);
    }
  }
  if (value !== "") headers.ratelimit = value;
};

/** A time span in OpenAI's format: `120ms`, `12.5s`, `6m0s`. */
export const formatSpan = (ms: number): string => {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
};
