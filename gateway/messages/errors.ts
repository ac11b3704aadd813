import type { AppError } from "../../lib/errors";
import { MessageError, type MessageErrorType, NO_THREADS } from "./contract";

const TYPES: Readonly<Record<number, MessageErrorType>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
};

const typeOf = (status: number): MessageErrorType =>
  TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");

/** The header in which Anthropic's clients look for the request's id. */
export const REQUEST_ID = "request-id";

const toBody = ({ status, kind, message, detail: { param } }: AppError, requestId: string): MessageError => ({
  type: "error",
  error: {
    type: typeOf(status),
    message,
    // Anthropic's clients read this field.
    details: { error_code: param === "thread" ? NO_THREADS : kind, param: param ?? null },
  },
  request_id: requestId,
});

/** Writes errors in the format of Anthropic's API. */
export const messageErrors = {
  schema: MessageError,
  body: toBody,
  headers: (requestId: string) => ({ [REQUEST_ID]: requestId }),
};
