import { AppError } from "../lib/errors";
import type { Principal } from "./principal";

/**
 * Throws insufficient_role for a key without content logging. `what` names the content that would be stored; `way` is a
 * sentence that names an alternative.
 */
export const assertMayStore = ({ keyName, contentLogging }: Principal, what: string, way: string): void => {
  if (contentLogging) return;
  throw new AppError(
    "insufficient_role",
    `Content logging is off for the key "${keyName}", so its ${what} can't be stored. ${way} Or ask an admin to turn content logging on.`,
  );
};
