import { isIP } from "node:net";
import { AppError } from "../../lib/errors";

/** An address that DNS can't point elsewhere. */
const isFixed = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname.startsWith("[") || isIP(hostname) !== 0;

interface OriginRules {
  /** Whether `GROUNDWIRE_CORS_ORIGINS` lists the origin. */
  isListed(origin: string): boolean;
  publicUrl: string | undefined;
}

/**
 * Rejects requests from web pages of other sites, as the protocol requires. Programs send no `origin`. Our own pages
 * have the public URL as their origin, or the address of the request if it is an IP address or localhost: a site could
 * point its own name at this server (DNS rebinding). Throws insufficient_role.
 */
export const refuseForeignOrigin = (origin: string | null, url: string, { isListed, publicUrl }: OriginRules): void => {
  if (origin === null || isListed(origin)) return;
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return;
  const address = new URL(url);
  if (isFixed(address) && origin === address.origin) return;
  throw new AppError(
    "insufficient_role",
    "The page that sent this request is on another site. To allow it, add its origin to GROUNDWIRE_CORS_ORIGINS.",
  );
};
