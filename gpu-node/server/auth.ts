import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { findContradictions } from "../../lib/setting-rules";

/** Applies the checks of `loadConfig` to a node that is started programmatically. Throws invalid_request. */
export const assertSafeToListen = (config: Config): void => {
  const problems = findContradictions(config);
  const [first] = problems;
  if (!first) return;
  const message = `${problems.map((problem) => `${problem.path} ${problem.message}`).join("; ")}.`;
  throw new AppError("invalid_request", message, { param: first.path, details: problems });
};

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Checks `authorization: Bearer <token>` in constant time. Without a configured token, every request passes. */
export const createGuard = (token: string | undefined): ((authorization: string | undefined) => void) => {
  if (token === undefined) return () => {};
  const expected = digest(token);
  return (authorization) => {
    if (authorization === undefined) {
      throw new AppError("missing_api_key", "Send the node's token: authorization: Bearer <token>.");
    }
    const given = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? "";
    if (!timingSafeEqual(digest(given), expected)) {
      throw new AppError("invalid_api_key", "Wrong node token. See GROUNDWIRE_NODE_TOKEN.");
    }
  };
};
