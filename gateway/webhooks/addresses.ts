import { type LookupAddress, lookup } from "node:dns";
import { isIP } from "node:net";
import { AppError } from "../../lib/errors";
import { networkList } from "../../lib/networks";
import { withTimeout } from "../../lib/with-timeout";

/** IPv4 networks that are not public (IANA IPv4 Special-Purpose Address Registry), multicast and reserved ones. */
const NOT_PUBLIC_4 = networkList([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);
/** The only public IPv6 network. Outside it are ::1, fc00::/7, fe80::/10, ff00::/8, and ::ffff:0:0/96 and 64:ff9b::/96. */
const PUBLIC_6 = networkList(["2000::/3"]);
/** Parts of it that are not public, or that contain an IPv4 address (IANA IPv6 Special-Purpose Address Registry). */
const NOT_PUBLIC_6 = networkList(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

const isPublic = (address: string): boolean =>
  isIP(address) === 4 ? !NOT_PUBLIC_4.has(address) : PUBLIC_6.has(address) && !NOT_PUBLIC_6.has(address);

/** Maximum wait for a name lookup when creating a webhook. A name that can't be resolved yet is accepted. */
const RESOLVE_MS = 2000;

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

interface AddressSettings {
  /** Networks that are allowed although they are not public. */
  allowedNetworks: readonly string[];
  allowsHttp: boolean;
}

/** Decides which addresses webhooks may use, so that they can't reach services that only this machine can reach. */
export const createAddressRules = ({ allowedNetworks, allowsHttp }: AddressSettings) => {
  const allowed = networkList(allowedNetworks);
  const isAllowed = (address: string): boolean => isPublic(address) || allowed.has(address);

  /** Parses a URL, and checks everything except the addresses that its name resolves to. Throws invalid_request. */
  const parse = (text: string): URL => {
    const url = URL.parse(text);
    if (url?.protocol !== "https:" && url?.protocol !== "http:") {
      throw invalid("`url` must be a web address, such as https://example.com/hooks.");
    }
    if (url.protocol === "http:" && !allowsHttp) {
      throw invalid("`url` must begin with https://. The operator can allow http with GROUNDWIRE_WEBHOOK_HTTP=true.");
    }
    if (url.username || url.password) throw invalid("`url` must not contain a user name or a password.");
    const host = hostOf(url);
    if (isIP(host) !== 0 && !isAllowed(host)) throw refused(host);
    return url;
  };

  return {
    isAllowed,
    parse,

    /** As `parse`, but also checks the addresses that the name resolves to, if it can be resolved. */
    async check(text: string): Promise<void> {
      const host = hostOf(parse(text));
      if (isIP(host) !== 0) return;
      const resolving = new Promise<LookupAddress[]>((resolve) => {
        lookup(host, { all: true }, (error, addresses) => resolve(error ? [] : addresses));
      });
      const wrong = (await withTimeout(resolving, RESOLVE_MS))?.find(({ address }) => !isAllowed(address));
      if (wrong) throw refused(wrong.address, host);
    },

    /**
     * Resolves a name for a connection, which then uses exactly these addresses: a name that resolves differently later
     * doesn't matter. Fails if any address is not allowed.
     */
    lookup(host: string, options: { all?: boolean }, callback: LookupCallback): void {
      lookup(host, { all: true }, (error, addresses) => {
        if (error) return callback(error, []);
        const wrong = addresses.find(({ address }) => !isAllowed(address));
        if (wrong) return callback(refused(wrong.address, host), []);
        const [first] = addresses;
        if (options.all || !first) return callback(null, addresses);
        callback(null, first.address, first.family);
      });
    },
  };
};

export type AddressRules = ReturnType<typeof createAddressRules>;

/** The name or address of a URL, without the brackets of IPv6. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1");

const invalid = (message: string): AppError => new AppError("invalid_request", message, { param: "url" });

const refused = (address: string, name?: string): AppError =>
  invalid(
    `${name === undefined ? address : `${name} resolves to ${address}, which`} is not a public address. The operator can allow it with GROUNDWIRE_WEBHOOK_NETWORKS.`,
  );
