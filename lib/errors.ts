/**
 * All error kinds. `status` is the HTTP status, `type` the error type of OpenAI's SDKs, `retryable` whether the same
 * request may succeed later, and `fault` the origin of the error. caller: the request was invalid, or the client
 * disconnected. policy: a limit or a missing permission. node: the engine was full, unreachable, too slow, or failed.
 * gateway: an error of the gateway itself.
 */
export const ERROR_KINDS = {
  invalid_request: { status: 400, type: "invalid_request_error", retryable: false, fault: "caller" },
  context_length_exceeded: { status: 400, type: "invalid_request_error", retryable: false, fault: "caller" },
  missing_api_key: { status: 401, type: "authentication_error", retryable: false, fault: "caller" },
  invalid_api_key: { status: 401, type: "authentication_error", retryable: false, fault: "caller" },
  budget_exhausted: { status: 402, type: "insufficient_quota", retryable: false, fault: "policy" },
  insufficient_role: { status: 403, type: "permission_error", retryable: false, fault: "policy" },
  not_found: { status: 404, type: "invalid_request_error", retryable: false, fault: "caller" },
  model_not_found: { status: 404, type: "invalid_request_error", retryable: false, fault: "caller" },
  method_not_allowed: { status: 405, type: "invalid_request_error", retryable: false, fault: "caller" },
  conflict: { status: 409, type: "invalid_request_error", retryable: false, fault: "caller" },
  payload_too_large: { status: 413, type: "invalid_request_error", retryable: false, fault: "caller" },
  unsupported_media_type: { status: 415, type: "invalid_request_error", retryable: false, fault: "caller" },
  idempotency_mismatch: { status: 422, type: "invalid_request_error", retryable: false, fault: "caller" },
  dataset_invalid: { status: 422, type: "invalid_request_error", retryable: false, fault: "caller" },
  rate_limited: { status: 429, type: "rate_limit_error", retryable: true, fault: "policy" },
  budget_exceeded: { status: 429, type: "rate_limit_error", retryable: true, fault: "policy" },
  overloaded: { status: 429, type: "rate_limit_error", retryable: true, fault: "node" },
  client_closed: { status: 499, type: "invalid_request_error", retryable: false, fault: "caller" },
  internal: { status: 500, type: "server_error", retryable: false, fault: "gateway" },
  not_implemented: { status: 501, type: "server_error", retryable: false, fault: "gateway" },
  upstream_error: { status: 502, type: "server_error", retryable: true, fault: "node" },
  unavailable: { status: 503, type: "server_error", retryable: true, fault: "node" },
  model_loading: { status: 503, type: "server_error", retryable: true, fault: "node" },
  not_cached: { status: 504, type: "invalid_request_error", retryable: false, fault: "caller" },
  deadline_exceeded: { status: 504, type: "server_error", retryable: true, fault: "node" },
  storage_full: { status: 507, type: "server_error", retryable: false, fault: "gateway" },
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

/** The process that rejected the request or failed. It lets a client distinguish a gateway's limit from a node's. */
export type ErrorSource = "gateway" | "node";

/** One problem in a request or a file. `path` is a JSON pointer or a column; `line` counts from 1. */
export interface ErrorDetail {
  path: string;
  message: string;
  line?: number;
}

interface AppErrorFields {
  /** The invalid request field, in dotted form: `messages.0.content`. */
  param?: string;
  source?: ErrorSource;
  details?: ErrorDetail[];
  /** When the same request may be sent again; becomes `retry-after` and `retry-after-ms`. */
  retryAfterMs?: number;
  /** Response headers for this error, for example the state of the exceeded limit. */
  headers?: Readonly<Record<string, string>>;
  /** Only logged, never sent to clients. */
  cause?: unknown;
}

/** The only error thrown on purpose. `message` is public: it says what was wrong and what to do. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly status: number;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    readonly detail: AppErrorFields = {},
  ) {
    super(message, { cause: detail.cause });
    this.status = ERROR_KINDS[kind].status;
  }

  get retryable(): boolean {
    return ERROR_KINDS[this.kind].retryable;
  }
}

/** The body of every error response, in the shape that OpenAI's SDKs map to their exception classes. */
export interface ErrorEnvelope {
  error: {
    message: string;
    type: string;
    code: ErrorKind;
    param: string | null;
    source: ErrorSource;
    fault: (typeof ERROR_KINDS)[ErrorKind]["fault"];
    request_id: string;
    retryable: boolean;
    details: ErrorDetail[];
  };
}

export const toEnvelope = (error: AppError, requestId: string): ErrorEnvelope => ({
  error: {
    message: error.message,
    type: ERROR_KINDS[error.kind].type,
    code: error.kind,
    param: error.detail.param ?? null,
    source: error.detail.source ?? "gateway",
    fault: ERROR_KINDS[error.kind].fault,
    request_id: requestId,
    retryable: error.retryable,
    details: error.detail.details ?? [],
  },
});

const isErrorKind = (code: unknown): code is ErrorKind => typeof code === "string" && Object.hasOwn(ERROR_KINDS, code);

/** Rebuilds the error from an envelope that another process sent; anything else becomes `upstream_error`. */
export const fromEnvelope = (body: unknown, source: ErrorSource, retryAfterMs?: number): AppError => {
  const error = (body as Partial<ErrorEnvelope> | null)?.error;
  if (!error || typeof error.message !== "string" || !isErrorKind(error.code)) {
    return new AppError("upstream_error", "Groundwire can't parse the GPU node's response. Try again.", {
      source,
      cause: body,
    });
  }
  return new AppError(error.code, error.message, {
    param: error.param ?? undefined,
    source: error.source ?? source,
    details: error.details,
    retryAfterMs,
  });
};

/**
 * Converts any thrown value to an AppError. An unknown value becomes `internal` with a fixed public message, and is
 * logged as the cause. An AppError that a library wrapped, as drizzle does for a failed read, is unwrapped.
 */
export const toAppError = (thrown: unknown): AppError => {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof Error && thrown.cause instanceof AppError) return thrown.cause;
  return new AppError("internal", "An internal error occurred. Include the request id when you report it.", {
    cause: thrown,
  });
};

/** Removes the sentences that mention an API route from a message, for pages and the command line. */
export const withoutRoutes = (message: string): string =>
  message
    .split(/(?<=\.) /)
    .filter((sentence, index) => index === 0 || !/\b[A-Z]+ \/v1\//.test(sentence))
    .join(" ");
