import { canonicalJson } from "../../lib/canonical-json";

/**
 * Stands in front of every key. It changes whenever the parts, their form or what is stored change, so that entries
 * that an older version wrote to a shared store are never read by this one.
 */
const KEY_VERSION = "v2";

export interface CacheKey {
  /** `v2-` and 64 hex digits: the SHA-256 of namespace and parts. */
  key: string;
  /** Each part's name and canonical text; a part that is undefined does not count. */
  parts: ReadonlyMap<string, string>;
}

/** The key of a request. JSON text holds no line break, so a part can't reach into the next one. */
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
