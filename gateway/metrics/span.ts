import type { Resolution } from "../../db/rollups";
import { AppError } from "../../lib/errors";
import type { MetricsQuery } from "./contract";
import { PERIODS } from "./rollups";

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_POINTS = 1000;
/** Default step: the shortest that gives at most this many points. */
const STEPS = ["1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d"];
const DEFAULT_POINTS = 60;
const RESOLUTIONS = ["day", "hour", "minute"] as const;

/** Converts "15m" to milliseconds. The contract has validated the format. */
const parseDuration = (text: string): number => {
  const unit = text.at(-1);
  return Number.parseInt(text, 10) * (unit === "s" || unit === "m" || unit === "h" || unit === "d" ? UNIT_MS[unit] : 1);
};

const wholeMinutes = (text: string): number => Math.ceil(parseDuration(text) / UNIT_MS.m) * UNIT_MS.m;

/** The steps of a window. Times are in milliseconds since 1970. */
export interface Span {
  from: number;
  /** End of the current step, which is in the future. */
  end: number;
  stepMs: number;
  /** The longest periods that fit into a step. */
  resolution: Resolution;
}

/**
 * The steps of the window that ends at `now`. They start at multiples of the step, so the window starts up to one step
 * later than requested. Throws invalid_request for a window that is no longer stored at this step, or has too many
 * steps.
 */
export const spanOf = ({ window = "1h", step }: MetricsQuery, now: number): Span => {
  const windowMs = wholeMinutes(window);
  const stepMs = wholeMinutes(step ?? STEPS.find((name) => windowMs / parseDuration(name) <= DEFAULT_POINTS) ?? "1d");
  const resolution = RESOLUTIONS.find((name) => stepMs % PERIODS[name].lengthMs === 0) ?? "minute";
  const { keptMs } = PERIODS[resolution];
  if (windowMs > keptMs) {
    const kept = resolution === "minute" ? "48h" : `${keptMs / UNIT_MS.d}d`;
    const advice =
      resolution === "minute"
        ? "Use a step of whole hours for up to 62d, or of whole days for up to 400d."
        : resolution === "hour"
          ? "Use a step of whole days for up to 400d."
          : "Older metrics are deleted.";
    throw new AppError("invalid_request", `window must be ${kept} or less for this step, not ${window}. ${advice}`, {
      param: "window",
    });
  }
  const steps = Math.ceil(windowMs / stepMs);
  if (steps > MAX_POINTS) {
    const message = `${window} in steps of ${step} has more than ${MAX_POINTS} steps. Use a longer step.`;
    throw new AppError("invalid_request", message, { param: "step" });
  }
  const end = (Math.floor(now / stepMs) + 1) * stepMs;
  return { from: end - steps * stepMs, end, stepMs, resolution };
};
