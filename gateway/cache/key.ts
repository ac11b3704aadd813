import { canonicalJson } from "../../lib/canonical-json";

/**
 * Prefix of every key. Change it whenever the parts, their format or the stored values change, so that entries written
 * to a shared store by an older version are never read.
 */
const KEY_VERSION = "v2";

export interface CacheKey {
  /** `v2-` and 64 hex digits: the SHA-256 of namespace and parts. */
  key: string;
  /** Name and canonical text of each part; undefined parts are left out. */
  parts: ReadonlyMap<string, string>;
}

/** The key of a request. JSON has no line breaks, so parts can't run into each other. */
export const cacheKey = (namespace: string, named: Record<string, unknown>): CacheKey => {
  const parts = new Map<string, string>();
  let text = JSON.stringify(namespace);
  for (const name in named) {
    const part = named[name];
    if (part === undefined) continue;
    const canonical = canonicalJson(part);
    parts.set(name, canonical);
    text += `\n${name}\n${canonical}`;
  }
  return { key: `${KEY_VERSION}-${Bun.SHA256.hash(text, "hex")}`, parts };
};
