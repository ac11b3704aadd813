import { AppError, ERROR_KINDS, type ErrorKind } from "../../lib/errors";

/**
 * Faults that a text can request from the synthetic engine and embedder, immediately or after some tokens:
 *
 * | text                     | what happens                                                             |
 * |--------------------------|--------------------------------------------------------------------------|
 * | `!error overloaded [after 2]` | a failure of that code of `lib/errors`; a status such as 503 does too  |
 * | `!crash [after 2]`       | it throws something unforeseen, which becomes `internal`                 |
 * | `!hang [after 2]`        | nothing more until the request is cancelled                              |
 * | `!break [after 2]`       | the engine fails permanently: nothing more until the node is restarted   |
 * | `!garbage [after 2]`     | a frame with truncated JSON, then the answer continues                   |
 * | `!truncate [after 2]`    | an answer ends without its final event                                   |
 */
export type Fault = {
  what: "error" | "crash" | "hang" | "break" | "garbage" | "truncate";
  kind: ErrorKind;
  after: number;
};

const FAULT = /^!(error|crash|hang|break|garbage|truncate)(?: ([a-z_]+|\d{3}))??(?: after (\d+))?$/;

export const readFault = (text: string): Fault | undefined => {
  const match = FAULT.exec(text.trim());
  if (!match) return undefined;
  return { what: match[1] as Fault["what"], kind: kindOf(match[2] ?? "internal"), after: Number(match[3] ?? 0) };
};

/** The error code with this name, or a node's code for this status. */
const kindOf = (nameOrStatus: string): ErrorKind => {
  if (nameOrStatus === "429") return "overloaded";
  const kinds = Object.keys(ERROR_KINDS) as ErrorKind[];
  return kinds.find((kind) => kind === nameOrStatus || `${ERROR_KINDS[kind].status}` === nameOrStatus) ?? "internal";
};

/** Throws the failure of an `error` or `crash`; any other fault waits until the signal is aborted. */
export const failAs = async ({ what, kind }: Fault, signal: AbortSignal): Promise<never> => {
  if (what === "error") throw new AppError(kind, "This failure was asked for.", { retryAfterMs: 1000 });
  if (what === "crash") throw new Error("This crash was asked for.");
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
};
