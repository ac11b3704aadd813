import type { AppError } from "./errors";

/** `retry-after` in seconds and `retry-after-ms` of every 429 and 503; one second if the error has no retry time. */
export const retryAfterHeaders = ({ status, detail }: AppError): Record<string, string> => {
  if (status !== 429 && status !== 503) return {};
  const retryAfterMs = Math.max(1, Math.ceil(detail.retryAfterMs ?? 1000));
  return { "retry-after": String(Math.ceil(retryAfterMs / 1000)), "retry-after-ms": String(retryAfterMs) };
};
