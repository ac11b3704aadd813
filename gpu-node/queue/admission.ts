import type { Priority } from "../protocol";
import type { AdmissionQueue, Waiter } from "./queue";

/** What a request says about its place in the queue. Times on the clock of `performance.now()`. */
export interface Claim {
  priority: Priority;
  fairKey: string;
  deadlineAt: number;
  queueUntil: number;
  /** Aborting it while the work waits takes it out of the queue at once. */
  signal: AbortSignal;
}

/**
 * Waits for a slot and resolves with the function that gives it back. Throws AppError: overloaded (with retryAfterMs),
 * deadline_exceeded, or the reason of the aborted signal.
 */
export const acquireSlot = (queue: AdmissionQueue, claim: Claim): Promise<() => void> =>
  new Promise((resolve, reject) => {
    claim.signal.throwIfAborted();
    const now = performance.now();
    const waitMs = Math.min(claim.deadlineAt, claim.queueUntil) - now;
    let timer: NodeJS.Timeout | undefined;
    let waits = true;
    const settle = () => {
      waits = false;
      clearTimeout(timer);
      claim.signal.removeEventListener("abort", abandon);
    };
    const leave = () => queue.leave(waiter, performance.now());
    const abandon = () => {
      settle();
      leave();
      reject(claim.signal.reason);
    };
    const waiter: Waiter = {
      ...claim,
      start: () => {
        settle();
        resolve(leave);
      },
      refuse: (error) => {
        settle();
        reject(error);
      },
    };
    queue.enter(waiter, now);
    if (!waits) return;
    claim.signal.addEventListener("abort", abandon, { once: true });
    timer = setTimeout(() => queue.expire(waiter, performance.now()), Math.ceil(waitMs));
  });
