import { HEADERS } from "./openapi/common";

/** How long a browser may keep the answer to a preflight. */
const MAX_AGE_SECONDS = "7200";
const HEADER_LIST = /^[\w-]+(?:\s*,\s*[\w-]+)*$/;
const METHOD = /^[A-Z]{1,20}$/;
const USUAL_HEADERS = "authorization, content-type, x-api-key, idempotency-key";
/** What scripts of other origins may read beyond what every browser shows them. */
const EXPOSED_HEADERS = [
  ...Object.keys(HEADERS),
  "idempotent-replayed",
  "location",
  "etag",
  "allow",
  "content-disposition",
];

type Fields = Readonly<Record<string, string>>;

/** Answers to scripts of other origins, after the Fetch standard. Cookies are never allowed: only API keys work there. */
export interface Cors {
  /** Goes out with every answer, whatever its origin. */
  standing: Fields;
  /** Headers for a request from this origin; undefined where the browser gets none. */
  headersFor(origin: string | null): Fields | undefined;
}

/** `origins` are those of `GROUNDWIRE_CORS_ORIGINS`; undefined for none. */
export const createCors = (origins: readonly string[]): Cors | undefined => {
  if (origins.length === 0) return undefined;
  const exposed = { "access-control-expose-headers": EXPOSED_HEADERS.join(", ") };
  if (origins.includes("*")) {
    const standing = { "access-control-allow-origin": "*", ...exposed };
    return { standing, headersFor: () => standing };
  }
  const known = new Map(
    origins.map(originOf).map((origin) => [origin, { "access-control-allow-origin": origin, ...exposed }]),
  );
  return {
    standing: { vary: "origin" },
    headersFor: (origin) => (origin === null ? undefined : known.get(origin)),
  };
};

/** As browsers write it: without a port that is the default, in lower case. */
const originOf = (setting: string): string =>
  /^https?:/i.test(setting) ? new URL(setting).origin : setting.toLowerCase();

/** What a preflight asks for is allowed: whether there is such a route and such a header, the request itself finds out. */
export const preflightHeaders = (asked: Headers): Fields => {
  const method = asked.get("access-control-request-method") ?? "";
  const names = asked.get("access-control-request-headers") ?? "";
  return {
    "access-control-allow-methods": METHOD.test(method) ? method : "GET, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": HEADER_LIST.test(names) ? names : USUAL_HEADERS,
    "access-control-max-age": MAX_AGE_SECONDS,
    vary: "origin, access-control-request-method, access-control-request-headers",
  };
};
