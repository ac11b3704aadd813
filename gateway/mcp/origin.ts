import { isIP } from "node:net";
import { AppError } from "../../lib/errors";

/** Whether the host is an IP address or localhost, which DNS can't point elsewhere. */
const isDnsIndependent = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname.startsWith("[") || isIP(hostname) !== 0;

interface OriginRules {
  /** Whether `GROUNDWIRE_CORS_ORIGINS` lists the origin. */
  isListed(origin: string): boolean;
  publicUrl: string | undefined;
}

/**
 * Rejects requests from other sites' web pages, as the protocol requires. Programs other than browsers send no
 * `origin`. Our own pages have the public URL as their origin, or the request's address if its host is an IP address or
 * localhost. Other hosts are not trusted, because a site could point its own name at this server (DNS rebinding).
 * Throws insufficient_role.
 */
export const refuseForeignOrigin = (origin: string | null, url: string, { isListed, publicUrl }: OriginRules): void => {
  if (origin === null || isListed(origin)) return;
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return;
  const address = new URL(url);
  if (isDnsIndependent(address) && origin === address.origin) return;
  throw new AppError(
    "insufficient_role",
    "The page that sent this request is on another site. To allow it, add its origin to GROUNDWIRE_CORS_ORIGINS.",
  );
};
