import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { type Priority, REQUEST_HEADERS } from "../protocol";
import type { Claim } from "../queue/admission";
import type { Exchange } from "./exchange";

const DAY_MS = 86_400_000;

/** Does the work of a request within its deadline, with its place in the queue. Throws invalid_request naming a header. */
export const withClaim = async (
  exchange: Exchange,
  { timeouts }: Pick<Config, "timeouts">,
  work: (claim: Claim) => Promise<void>,
): Promise<void> => {
  const claim = readClaim(exchange, timeouts);
  const deadline = setTimeout(() => exchange.abort(tooLate()), claim.deadlineAt - exchange.arrivedAt);
  try {
    await work(claim);
  } finally {
    clearTimeout(deadline);
  }
};

const readClaim = (exchange: Exchange, timeouts: Config["timeouts"]): Claim => {
  const deadlineMs = millisecondsHeader(exchange, REQUEST_HEADERS.deadlineMs, timeouts.totalMs);
  const queueMs = millisecondsHeader(exchange, REQUEST_HEADERS.queueTimeoutMs, timeouts.queueMs);
  return {
    priority: readPriority(exchange.header(REQUEST_HEADERS.priority)),
    fairKey: (exchange.header(REQUEST_HEADERS.fairKey) ?? "").slice(0, 200),
    deadlineAt: exchange.arrivedAt + deadlineMs,
    queueUntil: exchange.arrivedAt + queueMs,
    signal: exchange.signal,
  };
};

const readPriority = (value = "interactive"): Priority => {
  if (value === "interactive" || value === "batch") return value;
  throw wrongHeader(REQUEST_HEADERS.priority, "interactive or batch");
};

const millisecondsHeader = (exchange: Exchange, name: string, fallback: number): number => {
  const text = exchange.header(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= DAY_MS) return value;
  throw wrongHeader(name, `a whole number of milliseconds from 1 to ${DAY_MS}`);
};

const wrongHeader = (name: string, expected: string) =>
  new AppError("invalid_request", `The header ${name} must be ${expected}.`, { param: name });

const tooLate = () =>
  new AppError("deadline_exceeded", "The answer was not ready before its deadline. Allow more time or ask for less.");
