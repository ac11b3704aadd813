import type { Charge, LedgerStore, Limit, Reading, Refused, Reservation, Reserved } from "../ports/ledger";
import type { Window } from "../ports/limit-window";
import { Counter, type Step } from "./limit-counter";

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
  /** Called when saving fails. The next attempt includes the failed changes. */
  onError?: (error: unknown) => void;
  /** Milliseconds since 1970, for calendar windows. */
  now?: () => number;
  /** The same for rolling windows, from a clock that is never set back or forward while the process runs. */
  monotonic?: () => number;
}

export interface MemoryLedger extends LedgerStore {
  reserve(charges: readonly Charge[]): Reserved | Refused;
  read(limits: readonly Limit[]): Reading[];
  /** Adds amounts that were granted elsewhere, even beyond a limit. */
  record(charges: readonly Charge[], granted: readonly number[]): Reservation;
  counters: ReadonlyMap<string, Counter>;
}

const STARTED_MS = performance.timeOrigin;
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
  monotonic = () => STARTED_MS + performance.now(),
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

  const sweep = (nowMs: number): void => {
    if (nowMs - sweptAtMs < SWEEP_MS) return;
    sweptAtMs = nowMs;
    for (const [id, counter] of counters) {
      if (counter.usedAt(timeFor(counter.window)) === 0 && counter.open === 0) counters.delete(id);
    }
  };

  const readingOf = ({ limit, least }: Pick<Charge, "limit" | "least">): Reading => {
    const counter = counterOf(limit);
    const nowMs = timeFor(limit.window);
    const fitsInMs = counter.fitsInMs(limit.amount - least, nowMs);
    const reading: Reading = { used: 0, changesInMs: 0, emptyInMs: 0, fitsInMs };
    counter.read(nowMs, reading);
    return reading;
  };

  const record = (charges: readonly Charge[], amounts: readonly number[]): Reservation => {
    sweep(monotonic());
    const shares = charges.map(({ limit }, index): Share => {
      const share = new Share(counterOf(limit), timeFor(limit.window), amounts[index] ?? 0);
      share.take();
      return share;
    });
    return new MemoryReservation(shares, timeFor);
  };

  return {
    async open() {
      if (!storage || timer) return;
      for (const usage of await storage.load(now())) loaded.getOrInsertComputed(usage.counter, () => []).push(usage);
      timer = setInterval(flush, SAVE_MS).unref();
    },

    reserve(charges) {
      const monotonicMs = monotonic();
      sweep(monotonicMs);
      const shares: Share[] = [];
      for (let i = 0; i < charges.length; i++) {
        const { limit, amount, least } = charges[i] as Charge;
        const counter = counterOf(limit);
        const nowMs = limit.window.isCalendar ? now() : monotonicMs;
        const room = limit.isObserved ? amount : limit.amount - counter.usedAt(nowMs);
        if (least > 0 && room < least) return { readings: charges.map(readingOf) };
        shares.push(new Share(counter, nowMs, room >= amount ? amount : Math.max(least, room)));
      }
      for (let i = 0; i < shares.length; i++) (shares[i] as Share).take();
      return { readings: shares, reserved: new MemoryReservation(shares, timeFor) };
    },
    record,

    read: (limits) => limits.map((limit) => readingOf({ limit, least: 1 })),
    state: () => ({ status: "ok", since: openedAt, gateways: 1 }),

    async close() {
      clearInterval(timer);
      await flush();
    },

    counters,
  };
};

/** What one charge reserves, and its counter's state afterwards. One object for both: every request creates several. */
class Share implements Reading {
  used = 0;
  changesInMs = 0;
  emptyInMs = 0;
  fitsInMs = 0;
  /** undefined: nothing was reserved. */
  step: Step | undefined;

  constructor(
    readonly counter: Counter,
    private readonly nowMs: number,
    readonly granted: number,
  ) {}

  take(): void {
    if (this.granted > 0) this.step = this.counter.add(this.nowMs, this.granted);
    this.counter.read(this.nowMs, this);
  }
}

class MemoryReservation implements Reservation {
  #isSettled = false;

  constructor(
    private readonly shares: readonly Share[],
    private readonly timeFor: (window: Window) => number,
  ) {}

  get granted(): number[] {
    return this.shares.map(({ granted }) => granted);
  }

  settle(used: readonly number[]): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (let i = 0; i < this.shares.length; i++) {
      const { counter, step, granted } = this.shares[i] as Share;
      counter.settle(step, (used[i] ?? 0) - granted, this.timeFor);
    }
  }
}
