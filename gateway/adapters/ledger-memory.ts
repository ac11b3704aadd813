import type { Charge, LedgerStore, Limit, Reading, Refused, Reservation, Reserved } from "../ports/ledger";
import { leavesAt, type Window } from "../ports/limit-window";

/** What one counter used in one step of its window, as it is saved. */
interface SavedUsage {
  counter: string;
  /** When it leaves the window, in milliseconds since 1970; `NEVER_MS` for a total. */
  leavesAt: number;
  amount: number;
}

/** Where counters survive a restart. */
interface UsageStorage {
  /** What has not left its window at `nowMs`. */
  load(nowMs: number): Promise<SavedUsage[]>;
  /** Adds to what is saved. An amount may be negative. */
  add(usage: readonly SavedUsage[]): Promise<void>;
}

export interface MemoryLedgerOptions {
  storage?: UsageStorage;
  /** Called when saving fails. The next attempt includes what failed. */
  onError?: (error: unknown) => void;
  /** Milliseconds since 1970, for calendar windows. */
  now?: () => number;
  /** The same for rolling windows, from a clock that is never set back or forward while the process runs. */
  monotonic?: () => number;
}

export interface MemoryLedger extends LedgerStore {
  reserve(charges: readonly Charge[]): Reserved | Refused;
  read(limits: readonly Limit[]): Reading[];
  /** Number of counters in memory. */
  readonly counters: number;
}

/** A crash forgets at most what was reserved in this time. */
const SAVE_MS = 1000;
/** How often unused counters are removed. */
const SWEEP_MS = 60_000;
/** Largest integer that both SQLite and JavaScript store exactly. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

/**
 * The ledger of one process. Every step is synchronous, so parallel callers can't exceed a limit. Counters of an hour
 * or longer are saved every second and when the ledger closes. Open reservations are saved in full, so after a crash
 * they count in full.
 */
export const memoryLedger = ({
  storage,
  onError = () => {},
  now = Date.now,
  monotonic = () => performance.timeOrigin + performance.now(),
}: MemoryLedgerOptions = {}): MemoryLedger => {
  const openedAt = new Date(now());
  const counters = new Map<string, Counter>();
  /** Saved usage of counters that have not been needed since the start. */
  const loaded = new Map<string, SavedUsage[]>();
  let unsaved = new Map<string, SavedUsage>();
  let saving = Promise.resolve();
  let timer: Timer | undefined;
  let sweptAtMs = monotonic();

  const change = (counter: string, leavesAtMs: number, amount: number): void => {
    const savedMs = Math.min(leavesAtMs, NEVER_MS);
    const id = `${savedMs} ${counter}`;
    const known = unsaved.get(id);
    if (known) known.amount += amount;
    else unsaved.set(id, { counter, leavesAt: savedMs, amount });
  };
  const save = async (): Promise<void> => {
    const usage = [...unsaved.values()].filter(({ amount }) => amount !== 0);
    unsaved = new Map();
    if (!storage || usage.length === 0) return;
    try {
      await storage.add(usage);
    } catch (error) {
      for (const { counter, leavesAt, amount } of usage) change(counter, leavesAt, amount);
      onError(error);
    }
  };
  const flush = (): Promise<void> => {
    saving = saving.then(save);
    return saving;
  };

  const timeFor = ({ isCalendar }: Window): number => (isCalendar ? now() : monotonic());

  const counterOf = ({ counter: id, window }: Limit): Counter => {
    const known = counters.get(id);
    if (known) return known;
    const isSaved = storage !== undefined && window.period !== "active" && window.period !== "minute";
    const counter = new Counter(window, isSaved ? (leavesAtMs, amount) => change(id, leavesAtMs, amount) : undefined);
    for (const { leavesAt, amount } of loaded.get(id) ?? []) {
      counter.load(leavesAt === NEVER_MS ? Number.POSITIVE_INFINITY : leavesAt, amount);
    }
    loaded.delete(id);
    counters.set(id, counter);
    return counter;
  };

  const sweep = (): void => {
    const nowMs = monotonic();
    if (nowMs - sweptAtMs < SWEEP_MS) return;
    sweptAtMs = nowMs;
    for (const [id, counter] of counters) {
      if (counter.usedAt(timeFor(counter.window)) === 0 && counter.open === 0) counters.delete(id);
    }
  };

  return {
    async open() {
      if (!storage || timer) return;
      for (const usage of await storage.load(now())) loaded.getOrInsertComputed(usage.counter, () => []).push(usage);
      timer = setInterval(flush, SAVE_MS).unref();
    },

    reserve(charges) {
      sweep();
      for (const { limit, least } of charges) {
        if (limit.isObserved || least === 0) continue;
        const used = counterOf(limit).usedAt(timeFor(limit.window));
        if (used + least > limit.amount) return { readings: charges.map((charge) => readingOf(charge)) };
      }
      const held: Held[] = [];
      const granted: number[] = [];
      const readings: Reading[] = [];
      for (const { limit, amount, least } of charges) {
        const counter = counterOf(limit);
        const nowMs = timeFor(limit.window);
        const room = limit.isObserved
          ? amount
          : Math.max(least, Math.min(amount, limit.amount - counter.usedAt(nowMs)));
        const step = room > 0 ? counter.add(nowMs, room) : undefined;
        held.push({ counter, step });
        granted.push(room);
        readings.push(counter.read(nowMs));
      }
      return { readings, reserved: new MemoryReservation(held, granted, timeFor) };
    },

    read: (limits) => limits.map((limit) => readingOf({ limit, amount: 1, least: 1 })),
    state: () => ({ status: "ok", since: openedAt, gateways: 1 }),

    async close() {
      clearInterval(timer);
      await flush();
    },

    get counters() {
      return counters.size;
    },
  };

  function readingOf({ limit, least }: Charge): Reading {
    const counter = counterOf(limit);
    const nowMs = timeFor(limit.window);
    return { ...counter.read(nowMs), fitsInMs: counter.fitsInMs(limit.amount - least, nowMs) };
  }
};

interface Held {
  counter: Counter;
  /** undefined: nothing was reserved. */
  step: Step | undefined;
}

class MemoryReservation implements Reservation {
  #isSettled = false;

  constructor(
    private readonly held: readonly Held[],
    readonly granted: readonly number[],
    private readonly timeFor: (window: Window) => number,
  ) {}

  settle(used: readonly number[]): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (const [index, { counter, step }] of this.held.entries()) {
      const more = (used[index] ?? 0) - (this.granted[index] ?? 0);
      counter.settle(step, more, this.timeFor(counter.window));
    }
  }
}

interface Step {
  leavesAtMs: number;
  amount: number;
  hasLeft: boolean;
}

/**
 * What was used in one window, by step: a rolling window has at most 601 steps, every other one has one. A caller that
 * checks `usedAt` before it adds never exceeds its limit in any span of the window's length. All times are milliseconds
 * of one clock. If a calendar's clock is set back, the current period goes on.
 */
export class Counter {
  #steps: Step[] = [];
  #used = 0;
  /** Reservations that aren't settled. */
  open = 0;

  constructor(
    readonly window: Window,
    private readonly onChange?: (leavesAtMs: number, amount: number) => void,
  ) {}

  usedAt(nowMs: number): number {
    let gone = 0;
    for (const step of this.#steps) {
      if (step.leavesAtMs > nowMs) break;
      this.#used -= step.amount;
      step.hasLeft = true;
      gone++;
    }
    if (gone > 0) this.#steps.splice(0, gone);
    return this.#used;
  }

  /** Reserves an amount; `settle` has to follow. */
  add(nowMs: number, amount: number): Step {
    this.open++;
    return this.#put(leavesAt(this.window, nowMs), amount);
  }

  /** Adds saved usage, before any other. */
  load(leavesAtMs: number, amount: number): void {
    this.#steps.push({ leavesAtMs, amount, hasLeft: false });
    this.#used += amount;
  }

  /** Adds `more`, which may be negative, to what was reserved. What has left the window can't be returned. */
  settle(step: Step | undefined, more: number, nowMs: number): void {
    this.usedAt(nowMs);
    if (step) this.open--;
    if (more === 0) return;
    if (step && !step.hasLeft) this.#change(step, more);
    else if (more > 0) this.#put(leavesAt(this.window, nowMs), more);
  }

  read(nowMs: number): Reading {
    const used = this.usedAt(nowMs);
    const first = this.#steps.find(({ amount }) => amount > 0);
    const last = first && this.#steps.findLast(({ amount }) => amount > 0);
    return {
      used,
      changesInMs: first ? first.leavesAtMs - nowMs : 0,
      emptyInMs: last ? last.leavesAtMs - nowMs : 0,
      fitsInMs: 0,
    };
  }

  /** Milliseconds until at most `amount` is used; 0 if that is already true. */
  fitsInMs(amount: number, nowMs: number): number {
    let left = this.usedAt(nowMs);
    if (left <= amount) return 0;
    for (const step of this.#steps) {
      left -= step.amount;
      if (left <= amount) return step.leavesAtMs - nowMs;
    }
    return Number.POSITIVE_INFINITY;
  }

  #put(leavesAtMs: number, amount: number): Step {
    const last = this.#steps.at(-1);
    if (last && last.leavesAtMs >= leavesAtMs) {
      this.#change(last, amount);
      return last;
    }
    const step = { leavesAtMs, amount: 0, hasLeft: false };
    this.#steps.push(step);
    this.#change(step, amount);
    return step;
  }

  #change(step: Step, amount: number): void {
    step.amount += amount;
    this.#used += amount;
    this.onChange?.(step.leavesAtMs, amount);
  }
}
