import { principalOf } from "../gateway/http/auth";
import { exchangeOf } from "../gateway/http/exchange";

const NO_DIRECTIVES = { noCache: false, noStore: false, onlyIfCached: false };

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
