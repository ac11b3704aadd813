import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "../lib/config";
import { AppError } from "../lib/errors";

/** True for names and addresses that only this machine reaches. */
export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);

/** Throws invalid_request, naming the settings, when the node would listen beyond this machine unprotected. */
export const assertSafeToListen = ({ node, gateway }: Config): void => {
  if (isLoopback(node.host)) return;
  const problems: string[] = [];
  if (!gateway.nodeToken) problems.push("a token (GROUNDWIRE_NODE_TOKEN, the same as at the gateway)");
  if (!node.tlsCert && !node.trustNetwork) {
    const tls = "a certificate (GROUNDWIRE_NODE_TLS_CERT and GROUNDWIRE_NODE_TLS_KEY)";
    problems.push(`${tls} or GROUNDWIRE_NODE_TRUST_NETWORK=true where the network is private`);
  }
  if (problems.length === 0) return;
  const message = `The GPU node may not listen on ${node.host} without ${problems.join(", and ")}.`;
  throw new AppError("invalid_request", message, { source: "node", param: "GROUNDWIRE_NODE_HOST" });
};

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Checks `authorization: Bearer <token>` in constant time; without a token everybody may. */
export const createGuard = (token: string | undefined): ((authorization: string | undefined) => void) => {
  if (token === undefined) return () => {};
  const expected = digest(token);
  return (authorization) => {
    if (authorization === undefined) {
      throw new AppError("missing_api_key", "Send the node's token: authorization: Bearer <token>.", {
        source: "node",
      });
    }
    const given = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? "";
    if (!timingSafeEqual(digest(given), expected)) {
      throw new AppError("invalid_api_key", "This is not the node's token. See GROUNDWIRE_NODE_TOKEN.", {
        source: "node",
      });
    }
  };
};
