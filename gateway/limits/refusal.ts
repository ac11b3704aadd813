import { AppError } from "../../lib/errors";
import type { Reading } from "../ports/ledger";
import { toSeconds } from "./headers";
import { amountText, type KeyLimit, limitText } from "./key-limit";
import type { KeyCharge, Terms } from "./terms";

/** `retry-after` when no parallel slot is free. It is a guess: nothing predicts when a running answer ends. */
const PARALLEL_RETRY_MS = 1000;
/** For a longer wait, the message names its end. */
const SHORT_WAIT_MS = 120_000;

interface RefusedCharge extends KeyCharge {
  reading: Reading;
}

/** The charges that didn't fit, with the longest wait first. */
export const refusedOf = (charges: readonly KeyCharge[], readings: readonly Reading[]): RefusedCharge[] =>
  charges
    .flatMap((charge, index) => {
      const reading = readings[index];
      return reading && reading.fitsInMs > 0 && charge.least > 0 && !charge.limit.isObserved
        ? { ...charge, reading }
        : [];
    })
    .toSorted((a, b) => waitMs(b) - waitMs(a));

const waitMs = ({ limit, reading }: RefusedCharge): number =>
  limit.window.period === "active" ? PARALLEL_RETRY_MS : reading.fitsInMs;

/** The error for the refused limit with the longest wait. It names the limit, its key, and when to retry. */
export const refusal = (
  terms: Terms,
  charges: readonly KeyCharge[],
  readings: readonly Reading[],
  { currency, nowMs }: { currency: string; nowMs: number },
): AppError => {
  const worst = refusedOf(charges, readings)[0];
  if (!worst) throw new Error("A refusal without a refused limit.");
  const { limit, least, reading } = worst;
  const key = `key "${terms.principal.keyName}"`;
  const forModel = limit.model === null ? "" : ` for the model ${limit.model}`;
  const text = limitText(limit, currency) + forModel;
  if (limit.unit === "tokens" && least > limit.amount) {
    return new AppError(
      "invalid_request",
      `This request needs up to ${amountText("tokens", least, currency)}, but the ${key} is limited to ${text}. Shorten the prompt, or send a smaller max_tokens or n.`,
      { param: "max_tokens" },
    );
  }
  const headers: Record<string, string> = {};
  terms.addHeaders(headers, limitsOf(charges), readings);
  terms.addHeaders(headers, [limit], [reading]);
  if (limit.window.period === "active") {
    return new AppError(
      "rate_limited",
      `The ${key} has reached its limit of ${text}. Try again when one of them has finished.`,
      { retryAfterMs: PARALLEL_RETRY_MS, headers },
    );
  }
  if (reading.fitsInMs === Number.POSITIVE_INFINITY) {
    return new AppError("budget_exhausted", `The ${key} has used up its ${text}. Ask an admin for a larger budget.`, {
      headers,
    });
  }
  const kind = limit.window.period === "minute" ? "rate_limited" : "budget_exceeded";
  const left = limit.amount - reading.used;
  const state =
    limit.unit === "tokens" && left > 0
      ? `has ${amountText("tokens", left, currency)} left of its limit of ${text}, but this request needs ${amountText("tokens", least, currency)}`
      : `has reached its limit of ${text}`;
  return new AppError(kind, `The ${key} ${state}. ${retryText(reading.fitsInMs, nowMs)}`, {
    retryAfterMs: reading.fitsInMs,
    headers,
  });
};

const limitsOf = (charges: readonly KeyCharge[]): KeyLimit[] => charges.map(({ limit }) => limit);

/** `nowMs` may be a little later than the reading, so the minute is rounded up only for more than a second. */
const retryText = (fitsInMs: number, nowMs: number): string => {
  if (fitsInMs <= SHORT_WAIT_MS) return `Try again in ${toSeconds(fitsInMs)} s.`;
  const at = new Date(Math.ceil((nowMs + fitsInMs - 1000) / 60_000) * 60_000).toISOString();
  return `Try again after ${at.slice(0, 10)} ${at.slice(11, 16)} UTC.`;
};
