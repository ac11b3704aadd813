import { type Call, NO_DIRECTIVES } from "../gateway/call";
import { principalOf } from "../gateway/http/auth";
import { exchangeOf } from "../gateway/http/exchange";

/** What a service that asks a model has to know of a page's request. Answers for people go before batch work. */
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

/** The same for an answer that the page waits for: it ends when the reader leaves, and with the reader's key. */
export const callOf = (request: Request): Call => ({
  ...askingOf(request),
  signal: exchangeOf(request).activeSignal(principalOf(request).keyId),
});
