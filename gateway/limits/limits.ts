import type { Budget, ModelLimits, Unit } from "../limits-contract";
import type { Period } from "../ports/limit-window";
import type { Principal } from "../principal";
import { headerNamesOf } from "./headers";
import { type KeyLimit, SCALE } from "./key-limit";

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
): KeyLimit => {
  const limit = {
    name: nameOf(unit, period),
    unit,
    model,
    counter: [account, unit, isCalendar ? `calendar ${period}` : period, ...(model === null ? [] : [model])].join(" "),
    amount: Math.max(1, Math.round(amount * SCALE[unit])),
    window: { period, isCalendar },
    isObserved: observe_only,
  };
  return { ...limit, names: headerNamesOf(limit) };
};

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
