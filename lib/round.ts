/** Rounds to a number of decimals: milliseconds with 3 of them are exact to the microsecond. */
export const round = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals;
