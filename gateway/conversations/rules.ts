import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";

/** Throws insufficient_role for a key whose prompts and answers may not be kept: a conversation is kept. */
export const assertMayStore = ({ keyName, contentLogging }: Principal): void => {
  if (contentLogging) return;
  throw new AppError(
    "insufficient_role",
    `Content logging is off for the key "${keyName}", so its conversations can't be stored. Use POST /v1/chat, which keeps nothing, or ask an admin to turn content logging on.`,
  );
};
