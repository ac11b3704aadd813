import { round } from "../../lib/round";
import type { Reading } from "../ports/ledger";
import { PERIOD_MS } from "../ports/limit-window";
import type { Principal } from "../principal";
import type { Consumer } from "./consumers";
import type { LimitsExplanation } from "./contract";
import { type KeyLimit, SCALE } from "./key-limit";
import type { Ledger } from "./ledger";

const finite = (ms: number): number | null => (ms > 0 && ms !== Number.POSITIVE_INFINITY ? ms : null);

export const toExplanation = (
  { keyId, limits: { onStoreLoss = "local" } }: Principal,
  { limits, consumers, state, currency }: Awaited<ReturnType<Ledger["explain"]>>,
  nowMs: number,
): LimitsExplanation => {
  // A limit for one model doesn't refuse every request.
  const refusing = limits.filter(
    ({ limit, reading }) => !limit.isObserved && limit.model === null && reading.fitsInMs > 0,
  );
  const waits = refusing.map(({ reading }) => finite(reading.fitsInMs)).filter((ms) => ms !== null);
  return {
    key_id: keyId,
    would_refuse: refusing.length > 0,
    retry_after_ms: waits.length > 0 ? Math.ceil(Math.max(...waits)) : null,
    currency,
    store: state.status,
    on_store_loss: onStoreLoss,
    limits: limits.map(({ limit, reading }) => toState(limit, reading, nowMs)),
    consumers: consumers.map(toConsumer),
  };
};

const toState = (limit: KeyLimit, reading: Reading, nowMs: number): LimitsExplanation["limits"][number] => {
  const { name, unit, model, amount, window, isObserved } = limit;
  const scale = SCALE[unit];
  const lengthMs = finite(PERIOD_MS[window.period]);
  const at = (ms: number): string | null => (finite(ms) === null ? null : new Date(nowMs + ms).toISOString());
  return {
    name,
    unit,
    scope: model === null ? "key" : "model",
    model,
    limit: amount / scale,
    used: reading.used / scale,
    remaining: Math.max(0, amount - reading.used) / scale,
    window: lengthMs === null ? "none" : window.isCalendar ? "calendar" : "rolling",
    window_seconds: lengthMs === null ? null : lengthMs / 1000,
    mode: isObserved ? "observe" : "enforce",
    would_refuse: reading.fitsInMs > 0,
    frees_at: at(reading.fitsInMs),
    resets_at: at(reading.emptyInMs),
  };
};

const toConsumer = ({ firstAtMs, lastAtMs, ...used }: Consumer): LimitsExplanation["consumers"][number] => ({
  route: used.route,
  model: used.model,
  run_id: used.runId,
  requests: used.requests,
  tokens: used.tokens,
  gpu_seconds: round(used.machineMs / 1000, 3),
  since: new Date(firstAtMs).toISOString(),
  last_used_at: new Date(lastAtMs).toISOString(),
});
