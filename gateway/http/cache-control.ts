import { type CacheDirectives, NO_DIRECTIVES } from "../call";

/** Larger values count as this (RFC 9111 section 1.2.2). */
const LARGEST_SECONDS = 2_147_483_648;

/** One directive: a token with an optional argument, which is a token or a quoted string (RFC 9111 section 5.2). */
const DIRECTIVE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;

/** An argument that is not a number of seconds counts as 0: RFC 9111 section 4.2.1 asks for the stricter reading. */
const seconds = (argument: string): number =>
  /^\d+$/.test(argument) ? Math.min(Number(argument), LARGEST_SECONDS) : 0;

const stricter = (earlier: number | undefined, argument: string): number =>
  Math.min(earlier ?? LARGEST_SECONDS, seconds(argument));

/**
 * Parses a request's `cache-control` (RFC 9111 section 5.2.1). Names are case-insensitive, the stricter value of a
 * repeated directive counts, and unknown directives are ignored, as section 5.2.3 requires.
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
