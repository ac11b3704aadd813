import { roundTo } from "../../lib/round";

/** A measured time as it goes over the wire: to the microsecond. */
export const milliseconds = (value: number): number => roundTo(value, 3);
