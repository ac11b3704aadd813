import type { Priority } from "./protocol";
import { AdmissionQueue, type Waiter } from "./queue";

/** What a request says about its place in the queue. Times on the clock of `performance.now()`. */
export interface Claim {
  priority: Priority;
  fairKey: string;
  deadlineAt: number;
  queueUntil: number;
  /** Aborting it while the work waits takes it out of the queue at once. */
  signal: AbortSignal;
}

/** The queue with a clock: waits for slots in promises, and for the work to end when the node drains. */
export class Admission {
  readonly queue: AdmissionQueue;
  private readonly onIdle: (() => void)[] = [];

  constructor(slots: number, capacity: number) {
    this.queue = new AdmissionQueue(slots, capacity);
  }

  /**
   * Resolves with the function that gives the slot back, to be called once. Throws AppError: overloaded (with
   * retryAfterMs), deadline_exceeded, or the reason of the aborted signal.
   */
  acquire(claim: Claim): Promise<() => void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = () => {
        clearTimeout(timer);
        claim.signal.removeEventListener("abort", abandon);
      };
      const abandon = () => {
        settle();
        this.leave(waiter);
        reject(claim.signal.reason);
      };
      let started = false;
      const waiter: Waiter = {
        ...claim,
        start: () => {
          started = true;
          settle();
          resolve(() => this.leave(waiter));
        },
        refuse: (error) => {
          settle();
          reject(error);
          this.announceIdle();
        },
      };
      if (claim.signal.aborted) return reject(claim.signal.reason);
      const now = performance.now();
      this.queue.enter(waiter, now);
      if (started) return;
      claim.signal.addEventListener("abort", abandon, { once: true });
      const waitMs = Math.min(claim.deadlineAt, claim.queueUntil) - now;
      timer = setTimeout(() => this.queue.expire(waiter, performance.now()), Math.ceil(waitMs));
    });
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
      this.announceIdle();
    });
  }

  private leave(waiter: Waiter): void {
    this.queue.leave(waiter, performance.now());
    this.announceIdle();
  }

  private announceIdle(): void {
    if (this.queue.running > 0 || this.queue.depth > 0) return;
    for (const resolve of this.onIdle.splice(0)) resolve();
  }
}
