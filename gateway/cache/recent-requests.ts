import type { CacheKey } from "./key";

/** What `explain` can say about a request that was made: never its text. */
export interface RecentRequest {
  namespace: string;
  key: string;
  /** JSON of `showParts`. */
  parts: string;
}

/** Parts that people write, shown as hashes however short they are. */
const CONTENT = new Set(["messages", "prompt", "input", "question", "contexts"]);
const LONGEST_SHOWN = 80;

const hash = (text: string): string => `"hash:${Bun.hash(text).toString(16).padStart(16, "0")}"`;

/** The parts of a key as they may be shown, as a JSON object: content and long values are `"hash:…"`, 64 bits of it. */
export const showParts = ({ parts }: CacheKey): string => {
  const shown: string[] = [];
  for (const [name, text] of parts) {
    const isHidden = CONTENT.has(name) || text.length > LONGEST_SHOWN;
    shown.push(`"${name}":${isHidden ? hash(text) : text}`);
  }
  // Joined, not added up: a text that was added up keeps all of its pieces alive.
  return `{${shown.join(",")}}`;
};

/** The last `limit` requests in a ring: every request writes, only an admin's question reads. */
export const createRecentRequests = (limit = 2000) => {
  const ring: (RecentRequest & { requestId: string })[] = [];
  let written = 0;
  return {
    /** The newest one of this id. */
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
