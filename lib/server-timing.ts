import { round } from "./round";

/** The value of `server-timing`: stages in milliseconds, in the given order. Stages without a time are omitted. */
export const serverTiming = (stages: Record<string, number | undefined>): string => {
  let value = "";
  for (const name in stages) {
    const durationMs = stages[name];
    if (durationMs !== undefined) value += `${value && ", "}${name};dur=${round(durationMs, 2)}`;
  }
  return value;
};
