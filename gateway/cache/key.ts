import { canonicalJson } from "../../lib/canonical-json";

/**
 * Prefix of every key. Change it whenever the parts, their format or the stored values change, so that entries written
 * to a shared store by an older version are never read.
 */
const KEY_VERSION = "v2";

export interface CacheKey {
  /** `v2-` and 64 hex digits: the SHA-256 of the namespace and parts. */
  key: string;
  /** Canonical JSON of each part, by name, without undefined parts. */
  parts: ReadonlyMap<string, string>;
}

/** The cache key of a request. JSON has no line breaks, so parts can't run into each other. */
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

/** Parts that contain user text. They are always shown as hashes. */
const CONTENT = new Set(["messages", "prompt", "input", "question", "contexts"]);
const MAX_SHOWN_LENGTH = 80;

const hash = (text: string): string => `"hash:${Bun.hash(text).toString(16).padStart(16, "0")}"`;

/** The parts of a key as a JSON object for display. Content and long values become 64-bit hashes, `"hash:…"`. */
export const showParts = ({ parts }: CacheKey): string => {
  const shown: string[] = [];
  for (const [name, text] of parts) {
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

/** The last `limit` requests in a ring buffer. Every request writes; only `explain` reads. */
export const createRecentRequests = (limit = 2000) => {
  const ring: (RecentRequest & { requestId: string; number: number })[] = [];
  let written = 0;
  return {
    get: (requestId: string): RecentRequest | undefined =>
      ring.filter((request) => request.requestId === requestId).toSorted((a, b) => b.number - a.number)[0],
    add: (requestId: string, namespace: string, key: CacheKey): void => {
      ring[written % limit] = { requestId, number: written++, namespace, key: key.key, parts: showParts(key) };
    },
  };
};
