import type { Unit } from "../limits-contract";
import type { Limit } from "../ports/ledger";

/** A limit of a key, or of a key and a model. */
export interface KeyLimit extends Limit {
  /** As in `/v1/limits/explain`: `tokens_per_minute`, `money_per_month`, `parallel_requests`. */
  name: string;
  unit: Unit;
  /** null: every model. */
  model: string | null;
  names: HeaderNames;
}

/** Whether a limit is a budget: one that lasts longer than a minute. */
export const isBudget = ({ window: { period } }: KeyLimit): boolean => period !== "active" && period !== "minute";

/** Counters hold whole numbers: millionths of the currency, and milliseconds of a machine. */
export const SCALE: Readonly<Record<Unit, number>> = { requests: 1, tokens: 1, money: 1_000_000, gpu_seconds: 1000 };

/** The constant parts of a limit's headers. */
export interface HeaderNames {
  /** `"requests";r=` */
  ratelimit: string;
  /** Suffix of OpenAI's header names; undefined for limits that OpenAI doesn't have. */
  openAi: "requests" | "tokens" | undefined;
  /** The limit's amount, as header text. */
  amount: string;
}

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
