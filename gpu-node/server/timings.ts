/** A measured time as it goes over the wire: to the microsecond. */
export const milliseconds = (value: number): number => Math.round(value * 1000) / 1000;
