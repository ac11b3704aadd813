import { isIP } from "node:net";
import { networkList } from "../../lib/networks";

/** An IPv4 address as a server that listens on IPv6 reports it: `::ffff:10.0.0.1`. */
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** The address in one entry of `x-forwarded-for`, without its port: `10.0.0.1:4711`, `[2001:db8::1]:4711`. */
const addressIn = (entry: string): string => {
  const text = entry.trim().replace(MAPPED, "");
  return isIP(text) ? text : (/^(\d+(?:\.\d+){3}):\d+$|^\[(.+)\](?::\d+)?$/.exec(text)?.slice(1).find(Boolean) ?? "");
};

/**
 * Finds out where a request comes from. `x-forwarded-for` is read from its end, because each proxy appends the address
 * that it has seen: as long as an address is a trusted proxy, the entry before it is believed. Everything further ahead
 * may be invented by the client.
 */
export const createClientAddress = (trustedProxies: readonly string[]) => {
  const trusted = networkList(trustedProxies);
  /** `peer`: the other end of the connection. */
  return (peer: string, forwardedFor: string | null): string => {
    const entries = forwardedFor?.split(",") ?? [];
    let address = peer.replace(MAPPED, "");
    while (trusted.has(address)) {
      const earlier = addressIn(entries.pop() ?? "");
      if (isIP(earlier) === 0) break;
      address = earlier;
    }
    return address;
  };
};
