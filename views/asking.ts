import { type Call, NO_DIRECTIVES } from "../gateway/call";
import { principalOf } from "../gateway/http/auth";
import { exchangeOf } from "../gateway/http/exchange";

/** Answers to users may be reduced when not everything works. */
const REDUCIBLE = { mayShorten: true, mayFallBack: true } as const;

/** A page's model call without a signal, for an answer that outlives the request. It has priority over batch work. */
export const askingOf = (request: Request) => {
  const exchange = exchangeOf(request);
  const { requestId, receivedAt, traceparent } = exchange;
  return {
    principal: principalOf(request),
    requestId,
    receivedAt,
    traceparent,
    priority: "interactive",
    directives: NO_DIRECTIVES,
    report: exchange,
  } as const;
};

/** As `askingOf`, for an answer that a user reads. */
export const reducibleAskingOf = (request: Request) => ({ ...askingOf(request), ...REDUCIBLE });

/** A page's model call. It is cancelled when the user leaves, or when their key expires or is revoked. */
export const pageCallOf = (request: Request): Call => ({
  ...askingOf(request),
  signal: exchangeOf(request).activeSignal(principalOf(request).keyId),
});

/** As `pageCallOf`, for an answer that a user reads. */
export const reduciblePageCallOf = (request: Request): Call => ({ ...pageCallOf(request), ...REDUCIBLE });

/**
 * Input of `Idempotency.once` for a form with the token `once`. Submitting the same form again changes nothing. Without
 * a token, every submission counts.
 */
export const onceFor = (request: Request, once: string | undefined) => {
  const headers = new Headers({ authorization: `Bearer ${principalOf(request).keyId}` });
  if (once) headers.set("idempotency-key", once);
  const { requestId } = exchangeOf(request);
  return { request: { method: request.method, url: request.url, headers }, requestId, headers: {} };
};
