import { HEADERS } from "./openapi/common";

/** How long a browser may cache a preflight response. */
const MAX_AGE_SECONDS = "7200";
const HEADER_LIST = /^[\w-]+(?:\s*,\s*[\w-]+)*$/;
const METHOD = /^[A-Z]{1,20}$/;
const USUAL_HEADERS = "authorization, content-type, x-api-key, idempotency-key";
/** Response headers that scripts from other origins may read, in addition to the CORS-safelisted ones. */
const EXPOSED_HEADERS = [
  ...Object.keys(HEADERS),
  "idempotent-replayed",
  "location",
  "etag",
  "allow",
  "content-disposition",
];

type Fields = Readonly<Record<string, string>>;

/** CORS headers (Fetch standard). Credentials are never allowed, so cross-origin calls need an API key. */
export interface Cors {
  /** Headers of every response, whatever the request's origin. */
  standing: Fields;
  /** Headers for a request from this origin; undefined if the origin is not allowed. */
  headersFor(origin: string | null): Fields | undefined;
}

/** `origins` is `GROUNDWIRE_CORS_ORIGINS`. Returns undefined if it is empty. */
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

/** The origin as browsers send it: in lower case and without the default port. */
const originOf = (setting: string): string =>
  /^https?:/i.test(setting) ? new URL(setting).origin : setting.toLowerCase();

/** Allows whatever the preflight asks for. If the route or header doesn't exist, the request itself fails. */
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
