import type { CacheReport } from "../chat/contract";
import type { CacheDirectives } from "./answers";

/** RFC 9111 section 1.2.2: what is larger counts as this. */
const LARGEST_SECONDS = 2_147_483_648;

/** One directive: a token, and perhaps a token or a quoted text as its argument (RFC 9111 section 5.2). */
const DIRECTIVE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;

const NO_DIRECTIVES: CacheDirectives = Object.freeze({ noCache: false, noStore: false, onlyIfCached: false });

/** An argument that is no number of seconds counts as 0: RFC 9111 section 4.2.1 wants the stricter reading. */
const seconds = (argument: string): number =>
  /^\d+$/.test(argument) ? Math.min(Number(argument), LARGEST_SECONDS) : 0;

const stricter = (earlier: number | undefined, argument: string): number =>
  Math.min(earlier ?? LARGEST_SECONDS, seconds(argument));

/**
 * A request's `cache-control` (RFC 9111 section 5.2.1). Names are compared without regard to case, of a repeated
 * directive the stricter value counts, and words that mean nothing here are ignored, as section 5.2.3 demands.
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

/** Text of a structured field (RFC 9651 section 3.3.3): ASCII only. */
const quote = (text: string): string => `"${text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;

const LAYERS = {
  memory: "exact match in memory",
  redis: "exact match in redis",
  in_flight: "joined in flight",
} as const;

/**
 * `cache-status` (RFC 9211) of this gateway: `Groundwire; hit; ttl=86391; key="…"; detail="exact match in memory"`.
 * A request that the cache could serve but whose own words forbade it has `fwd=request`. `stored` stands where the
 * answer is kept once it is whole.
 */
export const cacheStatusHeader = ({ status, kind, reason, ttl, key, stored }: CacheReport): string => {
  let value = "Groundwire";
  if (status === "hit") value += `; hit${ttl === undefined ? "" : `; ttl=${ttl}`}`;
  else if (reason === undefined) value += "; fwd=miss";
  else value += key === undefined ? "; fwd=bypass" : "; fwd=request";
  if (status === "joined") value += "; collapsed";
  if (stored) value += "; stored";
  if (key !== undefined) value += `; key=${quote(key)}`;
  const detail = reason ?? (kind && LAYERS[kind]);
  return detail === undefined ? value : `${value}; detail=${quote(detail)}`;
};

/** How the cache took part: `cache-status` (RFC 9211) and `age` (RFC 9111). */
export const cacheHeaders = (report: CacheReport): Record<string, string> => {
  const headers: Record<string, string> = { "cache-status": cacheStatusHeader(report) };
  if (report.age !== undefined) headers.age = String(report.age);
  return headers;
};
