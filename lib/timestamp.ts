const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Parses an RFC 3339 timestamp, whose seconds may be missing. Returns undefined for anything else, including dates that
 * don't exist: `Date` would parse February 30 as March 2.
 */
export const readTimestamp = (text: string): Date | undefined => {
  const [, day] = TIMESTAMP.exec(text) ?? [];
  if (day === undefined || !inUtc(`${day}T00:00:00Z`)?.startsWith(day)) return undefined;
  // An offset can move the year out of the four digits that timestamps have.
  return FOUR_DIGITS.test(inUtc(text) ?? "") ? new Date(text) : undefined;
};

const FOUR_DIGITS = /^\d{4}-/;

const inUtc = (text: string): string | undefined => {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
};
