import { round } from "../../lib/round";

/** Value of `server-timing`: the stages in milliseconds, in the order given; a stage without a time is left out. */
export const serverTiming = (stages: Record<string, number | undefined>): string => {
  let value = "";
  for (const name in stages) {
    const durationMs = stages[name];
    if (durationMs !== undefined) value += `${value && ", "}${name};dur=${round(durationMs, 2)}`;
  }
  return value;
};
