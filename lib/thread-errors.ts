import { AppError, type ErrorDetail, type ErrorKind, toAppError } from "./errors";

/** An AppError on its way between threads, which copies take with their class and their cause. */
export interface SentError {
  kind: ErrorKind;
  message: string;
  param?: string;
  details?: ErrorDetail[];
  retryAfterMs?: number;
  /** Of a fault of ours: for the log, never for a caller. */
  stack?: string;
}

export const toSent = (thrown: unknown): SentError => {
  const { kind, message, detail, cause } = toAppError(thrown);
  const { param, details, retryAfterMs } = detail;
  const stack = kind === "internal" && cause instanceof Error ? cause.stack : undefined;
  return { kind, message, param, details, retryAfterMs, stack };
};

export const fromSent = ({ kind, message, stack, ...detail }: SentError): AppError => {
  const cause = stack === undefined ? undefined : Object.assign(new Error(message), { stack });
  return new AppError(kind, message, { ...detail, cause });
};
