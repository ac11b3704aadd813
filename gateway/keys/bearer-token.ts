import { AppError } from "../../lib/errors";

/** The key in `Authorization: Bearer …`, however the word is written. Throws missing_api_key, invalid_api_key. */
export const bearerToken = (authorization: string | undefined): string => {
  if (!authorization) throw new AppError("missing_api_key", "Send an API key in the header authorization: Bearer gw_…");
  if (!/^bearer /i.test(authorization)) {
    throw new AppError(
      "invalid_api_key",
      "The header authorization has to be the word Bearer, a space and an API key.",
    );
  }
  return authorization.slice("bearer ".length).trim();
};
