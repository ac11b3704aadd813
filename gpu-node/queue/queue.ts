import { AppError } from "../../lib/errors";
import type { Priority } from "../protocol";

/** Waiting work in one line per key. Keys take turns. */
export class Lane<T extends { readonly fairKey: string }> {
  readonly #lines = new Map<string, T[]>();
  size = 0;

  push(work: T): void {
    const line = this.#lines.get(work.fairKey);
    if (line) line.push(work);
    else this.#lines.set(work.fairKey, [work]);
    this.size++;
  }

  /** Removes the oldest work of the key whose turn it is; the key moves to the end of the rotation. */
  shift(): T | undefined {
    for (const [key, line] of this.#lines) {
      const work = line.shift();
      this.#lines.delete(key);
      if (line.length > 0) this.#lines.set(key, line);
      this.size--;
      return work;
    }
    return undefined;
  }

  remove(work: T): boolean {
    const line = this.#lines.get(work.fairKey);
    const index = line?.indexOf(work) ?? -1;
    if (!line || index < 0) return false;
    line.splice(index, 1);
    if (line.length === 0) this.#lines.delete(work.fairKey);
    this.size--;
    return true;
  }

  lengthOf(key: string): number {
    return this.#lines.get(key)?.length ?? 0;
  }

  longest(): T[] {
    let longest: T[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    return longest;
  }
}

interface Place {
  readonly priority: Priority;
  /** Callers take turns: work queues only behind work with the same key. */
  readonly fairKey: string;
  /** When waiting work is dropped (deadline_exceeded), in the milliseconds of `now`. */
  readonly deadlineAt: number;
  /** When waiting work is rejected (overloaded). */
  readonly queueUntil: number;
}

/** When a request leaves the queue. Times are `performance.now()` values. */
export interface Claim extends Place {
  /** Aborting it removes waiting work from the queue. */
  signal: AbortSignal;
}

/** Work that needs a slot. The queue calls either `start` or `reject` exactly once, unless the work leaves first. */
export interface Waiter extends Place {
  start(): void;
  reject(error: AppError): void;
}

/** Weight of the newest measurement in the moving average of how long work holds a slot. */
const SMOOTHING = 0.2;
/** Assumed duration of work before the first measurement. */
const FIRST_GUESS_MS = 1000;

/**
 * Bounded queue in front of the slots: interactive before batch, keys in turn, expired work dropped before it runs.
 * It uses no clock or timer: every call gets `now` in milliseconds, never decreasing.
 */
export class AdmissionQueue {
  readonly #lanes = { interactive: new Lane<Waiter>(), batch: new Lane<Waiter>() };
  readonly #startedAt = new Map<Waiter, number>();
  #serviceMs: number | undefined;

  /** The last `reserved` free slots are for interactive work, which would otherwise wait for a whole batch answer. */
  constructor(
    readonly slots: number,
    readonly capacity: number,
    readonly reserved = 0,
  ) {}

  get running(): number {
    return this.#startedAt.size;
  }

  /** Number of waiting requests. */
  get depth(): number {
    return this.#lanes.interactive.size + this.#lanes.batch.size;
  }

  /** Starts the work, queues it, or throws overloaded. In a full queue, it may displace work that is already queued. */
  enter(waiter: Waiter, now: number): void {
    if (waiter.deadlineAt <= now) throw deadlinePassed();
    if (this.#hasSlot(waiter.priority)) {
      this.#begin(waiter, now);
      return;
    }
    if (this.depth >= this.capacity) {
      const displaced = this.#displacedBy(waiter);
      if (!displaced) throw this.#overloaded("The queue is full");
      this.#lanes[displaced.priority].remove(displaced);
      displaced.reject(this.#overloaded("The queue is full and other requests come first"));
    }
    this.#lanes[waiter.priority].push(waiter);
  }

  /** Call this when the work has ended or its caller has disconnected. A second call has no effect. */
  leave(waiter: Waiter, now: number): void {
    const startedAt = this.#startedAt.get(waiter);
    if (startedAt === undefined) {
      this.#lanes[waiter.priority].remove(waiter);
      return;
    }
    this.#startedAt.delete(waiter);
    const heldMs = now - startedAt;
    this.#serviceMs = this.#serviceMs === undefined ? heldMs : this.#serviceMs + SMOOTHING * (heldMs - this.#serviceMs);
    this.#fill(now);
  }

  /** Call this at `deadlineAt` or `queueUntil`. Rejects the work if it is still waiting. */
  expire(waiter: Waiter, now: number): void {
    if (this.#lanes[waiter.priority].remove(waiter)) waiter.reject(this.#expired(waiter, now));
  }

  /** Estimated time until a place is free, from how long slots are held: 50 ms to 60 s. */
  retryAfterMs(): number {
    const waitMs = ((this.depth + 1) * (this.#serviceMs ?? FIRST_GUESS_MS)) / this.slots;
    return Math.ceil(Math.min(60_000, Math.max(50, waitMs)));
  }

  #hasSlot(priority: Priority): boolean {
    return this.running < this.slots - (priority === "batch" ? this.reserved : 0);
  }

  #begin(waiter: Waiter, now: number): void {
    this.#startedAt.set(waiter, now);
    waiter.start();
  }

  #fill(now: number): void {
    while (this.#hasSlot("interactive")) {
      const batch = this.#hasSlot("batch") ? this.#lanes.batch : undefined;
      const waiter = this.#lanes.interactive.shift() ?? batch?.shift();
      if (!waiter) return;
      if (Math.min(waiter.deadlineAt, waiter.queueUntil) <= now) waiter.reject(this.#expired(waiter, now));
      else this.#begin(waiter, now);
    }
  }

  /**
   * The work that a newcomer displaces in a full queue. An interactive newcomer displaces the newest batch work.
   * Otherwise it displaces the newest work of the key with the longest line, if that line stays at least as long as
   * its own, so that one caller can't shut out the others.
   */
  #displacedBy(newcomer: Waiter): Waiter | undefined {
    if (newcomer.priority === "interactive" && this.#lanes.batch.size > 0) return this.#lanes.batch.longest().at(-1);
    const lane = this.#lanes[newcomer.priority];
    const longest = lane.longest();
    return longest.length > lane.lengthOf(newcomer.fairKey) + 1 ? longest.at(-1) : undefined;
  }

  #expired(waiter: Waiter, now: number): AppError {
    return waiter.deadlineAt <= now
      ? deadlinePassed()
      : this.#overloaded("No slot became free within the queue timeout");
  }

  #overloaded(what: string): AppError {
    return new AppError("overloaded", `${what}: ${this.running} running, ${this.depth} waiting. Try again later.`, {
      retryAfterMs: this.retryAfterMs(),
    });
  }
}

const deadlinePassed = (): AppError =>
  new AppError("deadline_exceeded", "The deadline passed before a slot was free. Allow more time or try again later.");

/**
 * Waits for a slot and resolves with a function that releases it. Throws AppError: overloaded (with retryAfterMs),
 * deadline_exceeded, or the reason of the aborted signal.
 */
export const acquireSlot = (queue: AdmissionQueue, claim: Claim): Promise<() => void> =>
  new Promise((resolve, reject) => {
    claim.signal.throwIfAborted();
    const now = performance.now();
    const waitMs = Math.min(claim.deadlineAt, claim.queueUntil) - now;
    let timer: NodeJS.Timeout | undefined;
    let isWaiting = true;
    const settle = () => {
      isWaiting = false;
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
      reject: (error) => {
        settle();
        reject(error);
      },
    };
    queue.enter(waiter, now);
    if (!isWaiting) return;
    claim.signal.addEventListener("abort", abandon, { once: true });
    timer = setTimeout(() => queue.expire(waiter, performance.now()), Math.ceil(waitMs));
  });
