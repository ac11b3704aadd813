/** Rounds to a number of decimal places. Milliseconds with three decimals are exact to the microsecond. */
export const round = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals;
