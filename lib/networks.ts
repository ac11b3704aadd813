import { BlockList, isIP } from "node:net";

/** A range of addresses, such as 10.0.0.0/8. */
export interface Network {
  address: string;
  prefix: number;
  family: "ipv4" | "ipv6";
}

/** Parses `10.0.0.0/8`, `fd00::/8` or a single address. Returns undefined for anything else. */
export const parseNetwork = (text: string): Network | undefined => {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return undefined;
  const length = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? length : Number(bits);
  return prefix <= length ? { address, prefix, family: version === 4 ? "ipv4" : "ipv6" } : undefined;
};

/** A list of networks that addresses are looked up in. Texts that aren't networks are ignored. */
export const networkList = (texts: readonly string[]): { has(address: string): boolean } => {
  const list = new BlockList();
  for (const text of texts) {
    const network = parseNetwork(text);
    if (network) list.addSubnet(network.address, network.prefix, network.family);
  }
  return {
    has(address) {
      const version = isIP(address);
      return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
    },
  };
};
