import { AppError } from "../lib/errors";

const BEARER = /^bearer /i;

/**
 * The caller's key as an `authorization` value: that header if it contains a Bearer token, otherwise `x-api-key`, which
 * some clients send instead. A proxy's `authorization: Basic …` doesn't hide an `x-api-key`.
 */
export const credentialsOf = (headers: Headers): string | undefined => {
  const authorization = headers.get("authorization") ?? undefined;
  if (authorization !== undefined && BEARER.test(authorization)) return authorization;
  const key = headers.get("x-api-key");
  return key ? `Bearer ${key}` : authorization;
};

/** Begins the token of a jobs worker. */
const WORKER = /^bearer +gws_/i;

export const isWorkerToken = (authorization: string | undefined): authorization is string =>
  authorization !== undefined && WORKER.test(authorization);

/** The key in `Authorization: Bearer …`; "Bearer" may be in any case. Throws missing_api_key, invalid_api_key. */
export const bearerToken = (authorization: string | undefined): string => {
  if (!authorization) {
    throw new AppError("missing_api_key", "Send an API key in a header: authorization: Bearer gw_… or x-api-key: gw_…");
  }
  if (!BEARER.test(authorization)) {
    throw new AppError("invalid_api_key", "The authorization header must be the word Bearer, a space and an API key.");
  }
  return authorization.slice("bearer ".length).trim();
};
