const CALLERS_ID = /^[A-Za-z0-9_-]{1,128}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

let randomBytes = new Uint8Array(8192);
let used = randomBytes.length;
let encodedMs = -1;
let encodedTime = "";

/** Ten characters of Crockford's base 32 for 48 bits of milliseconds, kept while the millisecond lasts. */
const timePart = (now: number): string => {
  if (now === encodedMs) return encodedTime;
  encodedMs = now;
  encodedTime = "";
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    encodedTime = ALPHABET[rest % 32] + encodedTime;
  return encodedTime;
};

/** A new id: `req_`, 48 bits of time, 80 random bits (the layout of a ULID), so that ids sort by time. */
export const newRequestId = (now = Date.now()): string => {
  if (used + 16 > randomBytes.length) {
    randomBytes = crypto.getRandomValues(randomBytes);
    used = 0;
  }
  let random = "";
  for (const end = used + 16; used < end; used++) random += ALPHABET[(randomBytes[used] ?? 0) & 31];
  return `req_${timePart(now)}${random}`;
};

/** The caller's `x-request-id` if it is valid, else a new one. */
export const requestIdOf = (headers: Headers): string => {
  const given = headers.get("x-request-id");
  return given !== null && CALLERS_ID.test(given) ? given : newRequestId();
};

/** The caller's W3C trace context, passed on to the node; undefined when there is none or it is malformed. */
export const traceparentOf = (headers: Headers): string | undefined => {
  const given = headers.get("traceparent");
  return given !== null && TRACEPARENT.test(given) ? given : undefined;
};
