import { canonicalJson } from "../../lib/canonical-json";

/**
 * Prefix of every key. Change it whenever the parts, their format or the stored values change, so that entries written
 * to a shared store by an older version are never read.
 */
const KEY_VERSION = "v2";

export interface CacheKey {
  /** `v2-` and 64 hex digits: the SHA-256 of the namespace and parts. */
  key: string;
  parts: Readonly<Record<string, unknown>>;
}

/** The cache key of a request, from its parts by name. JSON has no line breaks, so parts can't run into each other. */
export const cacheKey = (namespace: string, parts: Record<string, unknown>): CacheKey => {
  let text = JSON.stringify(namespace);
  for (const name in parts) {
    const part = parts[name];
    if (part !== undefined) text += `\n${name}\n${canonicalJson(part)}`;
  }
  return { key: `${KEY_VERSION}-${Bun.SHA256.hash(text, "hex")}`, parts };
};

/** Parts that contain user text. They are always shown as hashes. */
const CONTENT = new Set(["messages", "tools", "extra", "prompt", "input", "question", "contexts"]);
const MAX_SHOWN_LENGTH = 80;

const hash = (text: string): string => `"hash:${Bun.hash(text).toString(16).padStart(16, "0")}"`;

/** The parts of a key as a JSON object for display. Content and long values become 64-bit hashes, `"hash:…"`. */
export const showParts = ({ parts }: CacheKey): string => {
  const shown: string[] = [];
  for (const [name, part] of Object.entries(parts)) {
    if (part === undefined) continue;
    const text = canonicalJson(part);
    const isHidden = CONTENT.has(name) || text.length > MAX_SHOWN_LENGTH;
    shown.push(`"${name}":${isHidden ? hash(text) : text}`);
  }
  // A joined string is flat; a concatenated one would keep all of its pieces in memory.
  return `{${shown.join(",")}}`;
};

/** An earlier request, remembered for `explain` without its text. */
export interface RecentRequest {
  namespace: string;
  key: string;
  /** JSON of `showParts`. */
  parts: string;
}

interface NumberedRequest extends RecentRequest {
  requestId: string;
  number: number;
}

/** The last `limit` requests in a ring buffer. Every request writes; only `explain` reads. */
export const createRecentRequests = (limit = 2000) => {
  const ring: NumberedRequest[] = [];
  /** The newest request in the ring for each key. Equal keys have equal parts, so they are described only once. */
  const newest = new Map<string, NumberedRequest>();
  let written = 0;
  return {
    get: (requestId: string): RecentRequest | undefined =>
      ring.filter((request) => request.requestId === requestId).toSorted((a, b) => b.number - a.number)[0],
    add: (requestId: string, namespace: string, key: CacheKey): void => {
      const slot = written % limit;
      const parts = newest.get(key.key)?.parts ?? showParts(key);
      const dropped = ring[slot];
      if (dropped && newest.get(dropped.key) === dropped) newest.delete(dropped.key);
      const request = { requestId, number: written++, namespace, key: key.key, parts };
      ring[slot] = request;
      newest.set(key.key, request);
    },
  };
};
