import type { Window } from "../ports/limit-window";

/** A change of what is reserved in one step of a counter. */
export interface Adjustment {
  counter: string;
  window: Window;
  /** When it leaves the window; 0: never. */
  at: number;
  more: number;
}

/** A counter and the values of a step, as in `ledger-redis-script.ts`. */
export type Item = readonly [counter: string, ...values: (string | number)[]];

interface UnsentDeps {
  send(step: "adjust" | "slots", items: readonly Item[]): Promise<unknown>;
  /** This gateway's active requests of a counter. */
  active(counter: string): number;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Counters per command: few enough to finish well within the timeout. */
const BATCH = 100;
/** Changes to remember before those that have left their window are dropped. */
const MANY = 10_000;

/** What Redis doesn't know yet of one gateway. What changes while a command is under way is kept for the next one. */
export class Unsent {
  /** By counter and step. */
  readonly #changes = new Map<string, Adjustment>();
  /** Counters of active requests whose number in Redis may be wrong. */
  readonly #unsure = new Set<string>();

  constructor(private readonly deps: UnsentDeps) {}

  keep(change: Adjustment): void {
    const id = `${change.at} ${change.counter}`;
    const known = this.#changes.get(id);
    if (known) known.more += change.more;
    else this.#changes.set(id, change);
    if (this.#changes.size < MANY) return;
    for (const [key, { at }] of this.#changes) if (at > 0 && at <= this.deps.now()) this.#changes.delete(key);
  }

  forgetChanges(): void {
    this.#changes.clear();
  }

  doubt(counter: string): void {
    this.#unsure.add(counter);
  }

  async adjust(changes: readonly Adjustment[]): Promise<void> {
    for (let from = 0; from < changes.length; from += BATCH) {
      const items = changes
        .slice(from, from + BATCH)
        .map(
          ({ counter, window: { period, isCalendar }, at, more }) =>
            [counter, period, Number(isCalendar), at, more, 0, 0] as const,
        );
      await this.deps.send("adjust", items);
    }
  }

  async sendChanges(): Promise<void> {
    const ids = [...this.#changes.keys()];
    for (let from = 0; from < ids.length; from += BATCH) {
      const batch: Adjustment[] = [];
      for (const id of ids.slice(from, from + BATCH)) {
        const change = this.#changes.get(id);
        this.#changes.delete(id);
        if (change) batch.push(change);
      }
      try {
        await this.adjust(batch);
      } catch (error) {
        for (const change of batch) this.keep(change);
        throw error;
      }
    }
  }

  /** Sets the number of active requests where it may be wrong. */
  async sendActive(): Promise<void> {
    const counters = [...this.#unsure];
    for (let from = 0; from < counters.length; from += BATCH) {
      const batch = counters.slice(from, from + BATCH);
      for (const counter of batch) this.#unsure.delete(counter);
      try {
        await this.deps.send(
          "slots",
          batch.map((counter) => [counter, "active", 0, 0, this.deps.active(counter), 0, 0]),
        );
      } catch (error) {
        for (const counter of batch) this.#unsure.add(counter);
        throw error;
      }
    }
  }
}
