import type { Budget, ModelLimits, Unit } from "../limits-contract";
import type { Limit } from "../ports/ledger";
import type { Period } from "../ports/limit-window";
import type { Principal } from "../principal";

/** A limit of a key, or of a key and a model. */
export interface KeyLimit extends Limit {
  /** As in `/v1/limits/explain`: `tokens_per_minute`, `money_per_month`, `parallel_requests`. */
  name: string;
  unit: Unit;
  /** null: every model. */
  model: string | null;
}

/** Counters hold whole numbers: millionths of the currency, and milliseconds of a machine. */
export const SCALE: Readonly<Record<Unit, number>> = { requests: 1, tokens: 1, money: 1_000_000, gpu_seconds: 1000 };

interface Settings extends Partial<Omit<ModelLimits, "model">> {
  account: string;
  model: string | null;
}

const limitOf = (
  { account, model, observe_only = false }: Settings,
  unit: Unit,
  amount: number,
  period: Period,
  isCalendar = false,
): KeyLimit => ({
  name: nameOf(unit, period),
  unit,
  model,
  counter: [account, unit, isCalendar ? `calendar ${period}` : period, ...(model === null ? [] : [model])].join(" "),
  amount: Math.max(1, Math.round(amount * SCALE[unit])),
  window: { period, isCalendar },
  isObserved: observe_only,
});

const nameOf = (unit: Unit, period: Period): string =>
  period === "active" ? "parallel_requests" : period === "total" ? `${unit}_total` : `${unit}_per_${period}`;

const budgetOf = (settings: Settings, { unit, amount, window, alignment, observe_only }: Budget): KeyLimit => {
  const isCalendar = window !== "total" && alignment !== "rolling";
  return limitOf(
    { ...settings, observe_only: settings.observe_only || observe_only },
    unit,
    amount,
    window,
    isCalendar,
  );
};

const limitsOf = (settings: Settings): KeyLimit[] => {
  const { requests_per_minute, parallel_requests, tokens_per_minute, budgets = [] } = settings;
  const limits: KeyLimit[] = [];
  if (requests_per_minute) limits.push(limitOf(settings, "requests", requests_per_minute, "minute"));
  if (parallel_requests) limits.push(limitOf(settings, "requests", parallel_requests, "active"));
  if (tokens_per_minute) limits.push(limitOf(settings, "tokens", tokens_per_minute, "minute"));
  for (const budget of budgets) limits.push(budgetOf(settings, budget));
  return limits;
};

/** All limits of a key for every model, and those for single models. */
export const limitsOfKey = ({ keyId, limits }: Principal): { key: KeyLimit[]; models: KeyLimit[] } => {
  const account = limits.account ?? keyId;
  const observe_only = limits.observeOnly;
  return {
    key: limitsOf({
      account,
      model: null,
      observe_only,
      requests_per_minute: limits.requestsPerMinute,
      parallel_requests: limits.parallelRequests,
      tokens_per_minute: limits.tokensPerMinute ?? undefined,
      budgets: limits.budgets as Budget[] | undefined,
    }),
    models: (limits.models ?? []).flatMap((model) =>
      limitsOf({ ...model, account, observe_only: observe_only || model.observe_only }),
    ),
  };
};

const NOUNS: Readonly<Record<Unit, string>> = {
  requests: "requests",
  tokens: "tokens",
  money: "",
  gpu_seconds: "GPU-seconds",
};

const rounded = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** An amount of a counter, for people: `1,000 tokens`, `1.5 USD`. */
export const amountText = (unit: Unit, amount: number, currency: string): string => {
  const noun = amount === SCALE[unit] ? NOUNS[unit].slice(0, -1) : NOUNS[unit];
  return `${rounded.format(amount / SCALE[unit])} ${noun || currency}`;
};

/** A limit, for people: `1,000 tokens per day`, `8 parallel requests`, `1.5 USD in total`. */
export const limitText = ({ unit, amount, window: { period } }: KeyLimit, currency: string): string => {
  if (period === "active") return `${rounded.format(amount)} parallel ${amount === 1 ? "request" : "requests"}`;
  return `${amountText(unit, amount, currency)} ${period === "total" ? "in total" : `per ${period}`}`;
};
