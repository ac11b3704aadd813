import { AppError, type ErrorDetail, type ErrorKind, toAppError } from "./errors";

/** An AppError as a plain object, because messages between threads lose its class and its cause. */
export interface SentError {
  kind: ErrorKind;
  message: string;
  param?: string;
  details?: ErrorDetail[];
  retryAfterMs?: number;
  /** Only for internal errors. It is logged, never sent to a caller. */
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
