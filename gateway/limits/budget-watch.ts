import type { Log } from "../../lib/log";
import type { LedgerStore, Reading } from "../ports/ledger";
import { leavesAt, PERIOD_MS } from "../ports/limit-window";
import { isBudget, type KeyLimit, SCALE } from "./key-limit";
import type { KeyCharge } from "./terms";

/** Share of a budget whose use triggers the warning. */
const WARNING_SHARE = 0.8;
/** How long after a request a budget is read again: by then, most requests have returned what they didn't use. */
const CONFIRMED_AFTER_MS = 5000;

type Level = "warning" | "spent";

interface BudgetData {
  key_id: string;
  budget: string;
  model: string | null;
  unit: KeyLimit["unit"];
  limit: number;
  used: number;
  resets_at: string | null;
}

interface BudgetWatchDeps {
  store: Pick<LedgerStore, "read">;
  /** Several gateways may publish the same cause. */
  publish(event: { type: `budget.${Level}`; cause: string; data: BudgetData }): Promise<unknown>;
  log: Pick<Log, "warn">;
  /** Milliseconds since 1970. */
  now?: () => number;
}

interface Suspect {
  limit: KeyLimit;
  keyId: string;
  /** A request was refused, although it would have fitted into the whole budget. */
  hasRefused: boolean;
}

/**
 * Publishes when a budget is 80 % used, and when it is spent: everything is used, or a request was refused after the
 * warning. Each happens once per window. Requests only mark a budget; it is read again and published afterwards.
 */
export class BudgetWatch {
  readonly #suspects = new Map<string, Suspect>();
  /** What was published about a counter in its current window. */
  readonly #published = new Map<string, { level: Level; window: string; limit: KeyLimit }>();
  readonly #now: () => number;
  #timer: Timer | undefined;
  #checking: Promise<void> | undefined;

  constructor(private readonly deps: BudgetWatchDeps) {
    this.#now = deps.now ?? Date.now;
  }

  open(): void {
    this.#timer ??= setInterval(() => void this.check(), CONFIRMED_AFTER_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  /** Marks the budgets of a request that are nearly used. Only called for keys that have budgets. */
  see(keyId: string, charges: readonly KeyCharge[], readings: readonly Reading[]): void {
    for (const [index, { limit, least }] of charges.entries()) {
      const reading = readings[index];
      if (!reading || reading.used < limit.amount * WARNING_SHARE || !isBudget(limit)) continue;
      const hasRefused = reading.fitsInMs > 0 && least > 0 && least <= limit.amount;
      const known = this.#published.get(idOf(limit));
      if (
        known?.window === this.#windowOf(limit) &&
        (known.level === "spent" || !(hasRefused || isSpent(limit, reading)))
      )
        continue;
      const suspect = this.#suspects.get(idOf(limit));
      if (suspect) suspect.hasRefused ||= hasRefused;
      else this.#suspects.set(idOf(limit), { limit, keyId, hasRefused });
    }
  }

  /** Reads the marked budgets, and publishes those that are still nearly used. Never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#check()
      .catch((error) => this.deps.log.warn({ err: error }, "could not publish the state of a budget; trying again"))
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  /** Number of budgets that are known to be nearly used up in their current window. */
  get size(): number {
    return this.#published.size;
  }

  async #check(): Promise<void> {
    for (const [id, { window, limit }] of this.#published) {
      if (window !== this.#windowOf(limit)) this.#published.delete(id);
    }
    if (this.#suspects.size === 0) return;
    const suspects = [...this.#suspects];
    const readings = await this.deps.store.read(suspects.map(([, { limit }]) => limit));
    for (const [index, [id, suspect]] of suspects.entries()) {
      const reading = readings[index];
      if (reading) await this.#settle(id, suspect, reading);
      this.#suspects.delete(id);
    }
  }

  async #settle(id: string, { limit, keyId, hasRefused }: Suspect, reading: Reading): Promise<void> {
    if (reading.used < limit.amount * WARNING_SHARE) return;
    const window = this.#windowOf(limit);
    const known = this.#published.get(id);
    const levels: Level[] = hasRefused || isSpent(limit, reading) ? ["warning", "spent"] : ["warning"];
    for (const level of levels) {
      if (known?.window === window && (known.level === "spent" || known.level === level)) continue;
      const cause = `budget.${level}:${id}:${window}`;
      await this.deps.publish({ type: `budget.${level}`, cause, data: this.#dataOf(limit, keyId, reading) });
      this.#published.set(id, { level, window, limit });
    }
  }

  #dataOf({ name, model, unit, amount }: KeyLimit, keyId: string, { used, emptyInMs }: Reading): BudgetData {
    const isRenewed = emptyInMs > 0 && emptyInMs !== Number.POSITIVE_INFINITY;
    return {
      ...{ key_id: keyId, budget: name, model, unit },
      limit: amount / SCALE[unit],
      used: used / SCALE[unit],
      resets_at: isRenewed ? new Date(this.#now() + emptyInMs).toISOString() : null,
    };
  }

  /** The same for all gateways. A rolling window has no beginning, so its events are limited to one per length. */
  #windowOf({ window }: KeyLimit): string {
    if (window.period === "total") return "total";
    return String(
      window.isCalendar ? leavesAt(window, this.#now()) : Math.floor(this.#now() / PERIOD_MS[window.period]),
    );
  }
}

/** A changed budget counts as a new one. */
const idOf = ({ counter, amount }: KeyLimit): string => `${counter}:${amount}`;

const isSpent = ({ amount }: KeyLimit, { used }: Reading): boolean => used >= amount;
