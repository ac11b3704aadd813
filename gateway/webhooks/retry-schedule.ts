const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Attempts of one delivery. Together they take 28 hours on average, and 56 at most. */
export const MAX_ATTEMPTS = 12;
/** A webhook is disabled if every attempt has failed for this long. */
export const DISABLED_AFTER_MS = 5 * DAY_MS;

const FIRST_MS = 5000;
const LONGEST_MS = 12 * HOUR_MS;
const GROWTH = 4;

/** Longest pause after failed attempt `attempts` (1 …): 5 s, 20 s, 80 s … 12 h. */
export const longestPauseMs = (attempts: number): number => Math.min(LONGEST_MS, FIRST_MS * GROWTH ** (attempts - 1));

/**
 * Milliseconds until the next attempt: exponential backoff with full jitter, but no sooner than the receiver asked for;
 * undefined after the last attempt.
 */
export const pauseAfter = (
  attempts: number,
  retryAfterMs: number | null,
  random: () => number = Math.random,
): number | undefined => {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const asked = Math.min(LONGEST_MS, retryAfterMs ?? 0);
  return Math.max(asked, Math.round(random() * longestPauseMs(attempts)));
};
