import type { Charge, Reading } from "../ports/ledger";
import type { Principal } from "../principal";
import { addHeaders, policyHeader } from "./headers";
import { isBudget, type KeyLimit } from "./key-limit";
import { limitsOfKey } from "./limits";

/** A charge of a key's limit. */
export interface KeyCharge extends Charge {
  limit: KeyLimit;
}

/** What a request reserves when it arrives, and what of it stays used when it has ended. */
interface RequestCharges {
  charges: readonly KeyCharge[];
  used: readonly number[];
}

/** Whether requests count towards the limit when they arrive, and not when they use a model. */
export const isCountedOnArrival = ({ unit, model }: KeyLimit): boolean => unit === "requests" && model === null;

/** A key's limits, prepared once per principal. */
export class Terms {
  /** In this order in the headers. */
  readonly limits: readonly KeyLimit[];
  readonly all: readonly KeyLimit[];
  /** The charges of a request. Limits of tokens, money and GPU-seconds are only read, for the headers. */
  readonly request: RequestCharges;
  readonly mayGoLocal: boolean;
  readonly hasObserved: boolean;
  readonly hasBudgets: boolean;
  readonly account: string;
  readonly #policy: string;
  readonly #usage = new Map<string, readonly KeyLimit[]>();

  constructor(readonly principal: Principal) {
    const { key, models } = limitsOfKey(principal);
    this.limits = key;
    this.all = [...key, ...models];
    const charges = key.map((limit): KeyCharge => {
      const amount = limit.unit === "requests" ? 1 : 0;
      return { limit, amount, least: amount };
    });
    const used = charges.map(({ limit, amount }) => (limit.window.period === "active" ? 0 : amount));
    this.request = { charges, used };
    this.mayGoLocal = principal.limits.onStoreLoss !== "refuse";
    this.hasObserved = this.all.some(({ isObserved }) => isObserved);
    this.hasBudgets = this.all.some(isBudget);
    this.account = principal.limits.account ?? principal.keyId;
    this.#policy = policyHeader(
      principal.keyId,
      key.filter(({ isObserved }) => !isObserved),
    );
  }

  /**
   * The limits that the use of a model counts towards: tokens, money and GPU-seconds of the key, and every limit of the
   * key for the model; and those of its requests, which are only read for the headers. Empty if it counts towards none.
   * The requests that jobs workers send for a key are part of one that was counted.
   */
  usageOf(model: string): readonly KeyLimit[] {
    const known = this.#usage.get(model);
    if (known) return known;
    const isWorker = this.principal.via === "worker";
    const related = this.all.filter(
      (limit) => limit.model === null || (limit.model === model && !(isWorker && limit.unit === "requests")),
    );
    const limits = related.every(isCountedOnArrival) ? [] : related;
    this.#usage.set(model, limits);
    return limits;
  }

  addHeaders(headers: Record<string, string>, limits: readonly KeyLimit[], readings: readonly Reading[]): void {
    if (this.#policy !== "") headers["ratelimit-policy"] = this.#policy;
    addHeaders(headers, limits, readings);
  }
}
