import { newUlid } from "../../lib/ids";

const CALLERS_ID = /^[A-Za-z0-9_-]{1,128}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** The caller's `x-request-id` if it is valid, else a new one. */
export const requestIdOf = (headers: Headers): string => {
  const given = headers.get("x-request-id");
  return given !== null && CALLERS_ID.test(given) ? given : `req_${newUlid()}`;
};

/** The caller's W3C trace context, passed on to the node; undefined if it is missing or malformed. */
export const traceparentOf = (headers: Headers): string | undefined => {
  const given = headers.get("traceparent");
  return given !== null && TRACEPARENT.test(given) ? given : undefined;
};
