/** active: held until settled. total: never leaves. */
export type Period = "active" | "minute" | "hour" | "day" | "month" | "total";

/** The time over which a limit counts. Calendar windows begin in UTC; a rolling month has 30 days. */
export interface Window {
  period: Period;
  isCalendar: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Length of a period, in milliseconds. */
export const PERIOD_MS: Readonly<Record<Period, number>> = {
  active: Number.POSITIVE_INFINITY,
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  month: 30 * DAY_MS,
  total: Number.POSITIVE_INFINITY,
};

/**
 * A rolling window is counted in steps: 100 ms of a minute, otherwise a 120th. An amount counts until its whole step
 * has left the window: at most one step too long and never too short.
 */
const STEP_MS: Readonly<Record<Period, number>> = {
  active: Number.POSITIVE_INFINITY,
  minute: 100,
  hour: HOUR_MS / 120,
  day: DAY_MS / 120,
  month: (30 * DAY_MS) / 120,
  total: Number.POSITIVE_INFINITY,
};

/** When an amount counted at `nowMs` leaves the window. All times are milliseconds since 1970. */
export const leavesAt = ({ period, isCalendar }: Window, nowMs: number): number => {
  const lengthMs = PERIOD_MS[period];
  if (lengthMs === Number.POSITIVE_INFINITY) return lengthMs;
  if (!isCalendar) return (Math.floor(nowMs / STEP_MS[period]) + 1) * STEP_MS[period] + lengthMs;
  if (period !== "month") return (Math.floor(nowMs / lengthMs) + 1) * lengthMs;
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
};
