import type { Asking } from "../call";
import type { LedgerStore, Reading, Refused, Reservation, Reserved } from "../ports/ledger";
import type { Principal } from "../principal";
import type { BudgetWatch } from "./budget-watch";
import { Consumers } from "./consumers";
import type { KeyLimit } from "./key-limit";
import { ModelUse, type ModelWork, type Price, planUse, Rates, type UsedModel } from "./model-use";
import { refusal, refusedOf } from "./refusal";
import { type KeyCharge, Terms } from "./terms";

/** A reservation for one request, held until the request ends. */
export interface HeldRequest {
  /** Adds `ratelimit`, `ratelimit-policy` and `x-ratelimit-*` to the headers of the response. */
  addHeaders(headers: Record<string, string>): void;
  /** Releases the parallel slot; later calls do nothing. The request still counts in its windows. */
  release(): void;
}

interface LedgerDeps {
  store: LedgerStore;
  price: Price & { currency: string };
  /** Slots on all nodes, which share a machine's time. */
  slots(): { answers: number; embeddings: number };
  budgets?: Pick<BudgetWatch, "see">;
  /** Milliseconds since 1970. */
  now?: () => number;
}

class Held implements HeldRequest {
  constructor(
    private readonly terms: Terms,
    private readonly readings: readonly Reading[],
    private readonly reserved: Reservation | undefined,
  ) {}

  addHeaders(headers: Record<string, string>): void {
    this.terms.addHeaders(headers, this.terms.limits, this.readings);
  }

  release(): void {
    this.reserved?.settle(this.terms.request.used);
  }
}

/** Reserves and settles what keys use of their limits, and explains the limits. */
export const createLedger = ({ store, price, slots, budgets, now = Date.now }: LedgerDeps) => {
  const known = new WeakMap<Principal, Terms>();
  const consumers = new Consumers();
  const rates = new Rates();
  /** Refusals, and passes of observed limits that would have been refused, by name, scope and mode. */
  const refusals = new Map<string, number>();

  const termsOf = (principal: Principal): Terms => {
    const found = known.get(principal);
    if (found) return found;
    const terms = new Terms(principal);
    known.set(principal, terms);
    return terms;
  };

  const count = ({ limit: { name, model } }: KeyCharge, mode: "enforce" | "observe"): void => {
    const id = `${name} ${model === null ? "key" : "model"} ${mode}`;
    refusals.set(id, (refusals.get(id) ?? 0) + 1);
  };

  /** Throws the refusal, if there is one. */
  const admitted = (terms: Terms, charges: readonly KeyCharge[], outcome: Reserved | Refused): Reserved => {
    if (terms.hasBudgets) budgets?.see(terms.account, charges, outcome.readings);
    if (!outcome.reserved) {
      for (const charge of refusedOf(charges, outcome.readings)) count(charge, "enforce");
      throw refusal(terms, charges, outcome.readings, { currency: price.currency, nowMs: now() });
    }
    if (terms.hasObserved) {
      for (const [index, charge] of charges.entries()) {
        const isOver = (outcome.readings[index]?.used ?? 0) > charge.limit.amount;
        if (charge.limit.isObserved && charge.least > 0 && isOver) count(charge, "observe");
      }
    }
    return outcome;
  };

  const held = (terms: Terms, route: string, outcome: Reserved | Refused): HeldRequest => {
    const { readings, reserved } = admitted(terms, terms.request.charges, outcome);
    consumers.request(terms.account, route, now());
    return new Held(terms, readings, reserved);
  };

  const start = async (
    call: Asking,
    terms: Terms,
    limits: readonly KeyLimit[],
    model: UsedModel,
    work: ModelWork,
  ): Promise<ModelUse> => {
    const plan = planUse(limits, model, work, rates, price);
    const { readings, reserved } = admitted(terms, plan, await store.reserve(plan, terms.mayGoLocal));
    const headers = {};
    terms.addHeaders(headers, limits, readings);
    call.addHeaders?.(headers);
    const consumer = { route: call.route ?? "pages", model: model.id, runId: call.runId };
    return new ModelUse(reserved, plan, { model, work, rates, price, slots }, (used) =>
      consumers.use(terms.account, consumer, used, now()),
    );
  };

  const withoutReservation = (terms: Terms, readings: readonly Reading[]): HeldRequest => {
    const states = readings.map((reading) => ({ ...reading, fitsInMs: 0 }));
    return new Held(terms, states, undefined);
  };

  return {
    /**
     * Reserves one request and one parallel slot of the key, or neither. A ledger in this process answers without a
     * promise. Throws rate_limited, budget_exceeded (both with `retryAfterMs`) and budget_exhausted, with the headers of
     * the exceeded limit, and unavailable if the shared store is lost and the key doesn't go on without it.
     */
    reserve(principal: Principal, route: string): HeldRequest | Promise<HeldRequest> {
      const terms = termsOf(principal);
      const outcome = store.reserve(terms.request.charges, terms.mayGoLocal);
      return outcome instanceof Promise
        ? outcome.then((reply) => held(terms, route, reply))
        : held(terms, route, outcome);
    },

    /** The current headers, for a response that doesn't count against the limits. */
    look(principal: Principal): HeldRequest | Promise<HeldRequest> {
      const terms = termsOf(principal);
      const readings = store.read(terms.limits);
      return readings instanceof Promise
        ? readings.then((read) => withoutReservation(terms, read))
        : withoutReservation(terms, readings);
    },

    /**
     * Reserves the tokens, money and GPU-seconds that a generation may use, and the key's limits for the model.
     * undefined if no limit counts them. Throws what `reserve` throws, and invalid_request if the request could never
     * fit into a limit.
     */
    useModel(call: Asking, model: UsedModel, work: () => ModelWork): Promise<ModelUse> | undefined {
      const terms = termsOf(call.principal);
      const limits = terms.usageOf(model.id);
      return limits.length === 0 ? undefined : start(call, terms, limits, model, work());
    },

    /** All limits of the caller with their use, and who used them lately. Doesn't count. */
    async explain(principal: Principal) {
      const { all, account } = termsOf(principal);
      const readings = await store.read(all);
      return {
        limits: all.map((limit, index) => ({ limit, reading: readings[index] as Reading })),
        consumers: consumers.of(account, now()),
        state: store.state(),
        currency: price.currency,
      };
    },

    /** Refusals by limit name, scope and mode, for the metrics. */
    refusals: () =>
      [...refusals].map(([id, total]) => {
        const [limit = "", scope = "", mode = ""] = id.split(" ");
        return { limit, scope, mode, total };
      }),
    state: () => store.state(),
  };
};

export { estimateTokens, type Media } from "./model-use";
export type Ledger = ReturnType<typeof createLedger>;
