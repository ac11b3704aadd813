/** Requests that were sent on schedule, whether or not earlier ones had been answered. */
interface OpenLoop<T> {
  /** Times of `performance.now()`. */
  startedAt: number;
  endedAt: number;
  /** Answers in the order of the requests. Resolves once every request has been answered. */
  answers: Promise<T[]>;
}

/**
 * Sends `perSecond` requests per second, `send(0)` first. Resolves after `seconds`, when the last one has been sent.
 * `gap` is the time to the next request as a multiple of the mean: always 1 by default, `randomGap` for random
 * arrivals.
 */
export const sendAtRate = async <T>(
  perSecond: number,
  seconds: number,
  send: (index: number) => Promise<T>,
  gap: () => number = () => 1,
): Promise<OpenLoop<T>> => {
  const startedAt = performance.now();
  const sent: Promise<T>[] = [];
  for (let due = startedAt; due < startedAt + seconds * 1000; due += (gap() * 1000) / perSecond) {
    await Bun.sleep(Math.max(0, due - performance.now()));
    sent.push(send(sent.length));
  }
  return { startedAt, endedAt: performance.now(), answers: Promise.all(sent) };
};

/** Gaps of a Poisson process, as for independent callers. */
export const randomGap = (): number => -Math.log(1 - Math.random());
