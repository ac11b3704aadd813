import { AppError, type ErrorKind } from "../../../lib/errors";
import { contextOverflow } from "../fields";

const KINDS: Record<number, ErrorKind> = {
  400: "invalid_request",
  404: "model_not_found",
  413: "payload_too_large",
  422: "invalid_request",
  429: "overloaded",
  503: "unavailable",
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** What vLLM, SGLang, llama-server and TEI say about a prompt that is too long. Captures the context length. */
const OVERFLOW =
  /(?:maximum context length (?:is|of)|maximum model length of|context length|available context size|must have less than) \(?(\d+)/;

/** The error of a server behind the node, in our words where it names a known kind. `body` is its parsed JSON, if any. */
export const upstreamFailure = (status: number, body: unknown, retryAfter: string | null = null): AppError => {
  // OpenAI: {error: {message, param, code}}; older vLLM: the same fields without the outer object.
  const error = isObject(body) && isObject(body.error) ? body.error : isObject(body) ? body : {};
  const message = text(error.message);
  const contextTokens = OVERFLOW.exec(message ?? "")?.[1];
  if (message !== undefined && contextTokens !== undefined) {
    const what = message.replace(/^This model's maximum context length is \d+ tokens\.?\s*/, "");
    return contextOverflow(Number(contextTokens), what || "The prompt is longer.", text(error.param));
  }
  const kind = KINDS[status];
  if (kind === undefined || message === undefined) return unreadable(status, body);
  const seconds = Number(retryAfter);
  return new AppError(kind, message, {
    param: text(error.param),
    retryAfterMs: retryAfter !== null && seconds >= 0 ? seconds * 1000 : undefined,
  });
};

const unreadable = (status: number, cause: unknown): AppError => {
  const message =
    status === 401 || status === 403
      ? "The server behind this node refuses the node's key. Set GROUNDWIRE_NODE_ENGINE_KEY, or GROUNDWIRE_NODE_EMBEDDER_KEY for its embeddings."
      : `The server behind this node failed (${status}). Try again, or look into its log.`;
  return new AppError("upstream_error", message, { cause });
};

export const brokenAnswer = (what: string, cause?: unknown): AppError =>
  new AppError("upstream_error", `The server behind this node ${what}. Try again.`, { cause });

/** `setting` is where its address stands. */
export const unreachable = (cause: unknown, setting: string): AppError =>
  new AppError("unavailable", `The server behind this node can't be reached. Is it running? See ${setting}.`, {
    retryAfterMs: 1000,
    cause,
  });
