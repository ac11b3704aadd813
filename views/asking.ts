import { type Call, NO_DIRECTIVES } from "../gateway/call";
import { principalOf } from "../gateway/http/auth";
import { exchangeOf } from "../gateway/http/exchange";

/** A page's model call without a signal, for an answer that outlives the request. People go before batch work. */
export const askingOf = (request: Request) => {
  const { requestId, receivedAt, traceparent } = exchangeOf(request);
  return {
    principal: principalOf(request),
    requestId,
    receivedAt,
    traceparent,
    priority: "interactive",
    directives: NO_DIRECTIVES,
  } as const;
};

/** A page's model call. It ends when the reader leaves or the reader's key ends. */
export const pageCallOf = (request: Request): Call => ({
  ...askingOf(request),
  signal: exchangeOf(request).activeSignal(principalOf(request).keyId),
});

/**
 * What `Idempotency.once` reads for a form with a token of its own, `once`: the same form sent again changes nothing.
 * Without a token, each form counts.
 */
export const onceFor = (request: Request, once: string | undefined) => {
  const headers = new Headers({ authorization: `Bearer ${principalOf(request).keyId}` });
  if (once) headers.set("idempotency-key", once);
  const { requestId } = exchangeOf(request);
  return { request: { method: request.method, url: request.url, headers }, requestId, headers: {} };
};
