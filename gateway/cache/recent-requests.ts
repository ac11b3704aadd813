import type { CacheKey } from "./key";

/** An earlier request for `explain`, without its text. */
export interface RecentRequest {
  namespace: string;
  key: string;
  /** JSON of `showParts`. */
  parts: string;
}

/** Parts with user text, shown as hashes however short they are. */
const CONTENT = new Set(["messages", "prompt", "input", "question", "contexts"]);
const LONGEST_SHOWN = 80;

const hash = (text: string): string => `"hash:${Bun.hash(text).toString(16).padStart(16, "0")}"`;

/** The parts of a key as a JSON object for display. Content and long values become `"hash:…"` with 64 bits. */
export const showParts = ({ parts }: CacheKey): string => {
  const shown: string[] = [];
  for (const [name, text] of parts) {
    const isHidden = CONTENT.has(name) || text.length > LONGEST_SHOWN;
    shown.push(`"${name}":${isHidden ? hash(text) : text}`);
  }
  // Joined, because a concatenated string keeps all of its pieces in memory.
  return `{${shown.join(",")}}`;
};

/** The last `limit` requests in a ring buffer. Every request writes; only `explain` reads. */
export const createRecentRequests = (limit = 2000) => {
  const ring: (RecentRequest & { requestId: string })[] = [];
  let written = 0;
  return {
    /** The newest request with this id. */
    get: (requestId: string): RecentRequest | undefined => {
      for (let i = written - 1; i >= Math.max(0, written - limit); i--) {
        const request = ring[i % limit];
        if (request?.requestId === requestId) return request;
      }
      return undefined;
    },
    add: (requestId: string, namespace: string, key: CacheKey): void => {
      ring[written++ % limit] = { requestId, namespace, key: key.key, parts: showParts(key) };
    },
  };
};
