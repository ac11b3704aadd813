/** Tries of a task before its failure is final. */
export const MOST_ATTEMPTS = 3;

const BASE_MS = 1000;
const CAP_MS = 60_000;

/** Milliseconds until the next try after `attempts` failures: exponential with full jitter, 1 to 60 s at most. */
export const backoffMs = (attempts: number, random = Math.random): number =>
  random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempts - 1));
