import { AppError } from "../../lib/errors";
import { newUlid } from "../../lib/ids";
import { type CacheDirectives, type Call, NO_DIRECTIVES } from "../call";

const CALLERS_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** The caller's `x-request-id` if it is valid, otherwise a new one. */
export const requestIdOf = (headers: Headers): string => {
  const given = headers.get("x-request-id");
  return given !== null && CALLERS_ID.test(given) ? given : `req_${newUlid()}`;
};

/** `x-deadline-ms`: maximum time for the complete answer, in milliseconds from arrival. Throws invalid_request. */
export const deadlineOf = (headers: Headers): number | undefined => {
  const given = headers.get("x-deadline-ms");
  if (given === null) return undefined;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new AppError("invalid_request", "The x-deadline-ms header must be a whole number of milliseconds, 1 or more.");
};

/** The value of `x-priority`; interactive by default. Throws invalid_request. */
export const priorityOf = (headers: Headers): Call["priority"] => {
  const given = headers.get("x-priority") ?? "interactive";
  if (given === "interactive" || given === "batch") return given;
  throw new AppError("invalid_request", "The x-priority header must be interactive or batch.", { param: "x-priority" });
};

/** `x-fallback: off` forbids answers of fallback models. Throws invalid_request. */
export const fallbackOf = (headers: Headers): boolean => {
  const given = headers.get("x-fallback") ?? "on";
  if (given === "on" || given === "off") return given === "on";
  throw new AppError("invalid_request", "The x-fallback header must be on or off.", { param: "x-fallback" });
};

export const deadlineExceeded = (deadlineMs: number): AppError =>
  new AppError("deadline_exceeded", `The answer was not complete within the request's deadline of ${deadlineMs} ms.`);

/** Maximum number of seconds in a directive; larger values are reduced to this (RFC 9111 section 1.2.2). */
const MAX_SECONDS = 2_147_483_648;

/** One directive: a token with an optional argument, which is a token or a quoted string (RFC 9111 section 5.2). */
const DIRECTIVE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;

/** An argument that isn't a number counts as 0 seconds: RFC 9111 section 4.2.1 requires the stricter reading. */
const seconds = (argument: string): number => (/^\d+$/.test(argument) ? Math.min(Number(argument), MAX_SECONDS) : 0);

const stricter = (earlier: number | undefined, argument: string): number =>
  Math.min(earlier ?? MAX_SECONDS, seconds(argument));

/**
 * Parses a request's `cache-control` (RFC 9111 section 5.2.1). Names are case-insensitive, the stricter value of a
 * repeated directive applies, and unknown directives are ignored, as section 5.2.3 requires.
 */
export const parseCacheControl = (header: string | undefined): CacheDirectives => {
  if (!header) return NO_DIRECTIVES;
  const directives: CacheDirectives = { ...NO_DIRECTIVES };
  for (const [, name = "", quoted, token] of header.matchAll(DIRECTIVE)) {
    const argument = quoted ?? token ?? "";
    switch (name.toLowerCase()) {
      case "no-cache":
        directives.noCache = true;
        break;
      case "no-store":
        directives.noStore = true;
        break;
      case "only-if-cached":
        directives.onlyIfCached = true;
        break;
      case "max-age":
        directives.maxAge = stricter(directives.maxAge, argument);
        break;
      case "s-maxage":
        directives.keepSeconds = stricter(directives.keepSeconds, argument);
        break;
    }
  }
  return directives;
};
