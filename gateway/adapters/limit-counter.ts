import type { Reading } from "../ports/ledger";
import { leavesAt, type Window } from "../ports/limit-window";

export interface Step {
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
    const steps = this.#steps;
    if (steps.length === 0 || (steps[0] as Step).leavesAtMs > nowMs) return this.#used;
    let gone = 0;
    for (; gone < steps.length; gone++) {
      const step = steps[gone] as Step;
      if (step.leavesAtMs > nowMs) break;
      this.#used -= step.amount;
      step.hasLeft = true;
    }
    steps.splice(0, gone);
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
  settle(step: Step | undefined, more: number, timeFor: (window: Window) => number): void {
    if (step) this.open--;
    if (more === 0) return;
    // What is held until it is settled doesn't leave with time.
    if (this.window.period === "active") {
      if (step) this.#change(step, more);
      return;
    }
    const nowMs = timeFor(this.window);
    this.usedAt(nowMs);
    if (step && !step.hasLeft) this.#change(step, more);
    else if (more > 0) this.#put(leavesAt(this.window, nowMs), more);
  }

  /** Writes what is used, and when it leaves the window, to `reading`. Doesn't change `fitsInMs`. */
  read(nowMs: number, reading: Reading): void {
    reading.used = this.usedAt(nowMs);
    const steps = this.#steps;
    let first = 0;
    let last = steps.length - 1;
    while (first <= last && (steps[first] as Step).amount === 0) first++;
    while (last > first && (steps[last] as Step).amount === 0) last--;
    const isEmpty = last < first;
    reading.changesInMs = isEmpty ? 0 : (steps[first] as Step).leavesAtMs - nowMs;
    reading.emptyInMs = isEmpty ? 0 : (steps[last] as Step).leavesAtMs - nowMs;
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

  /** What is used, by the time at which it leaves. */
  *steps(): Generator<Readonly<Step>> {
    for (const step of this.#steps) if (step.amount > 0) yield step;
  }

  #change(step: Step, amount: number): void {
    step.amount += amount;
    this.#used += amount;
    this.onChange?.(step.leavesAtMs, amount);
  }
}
