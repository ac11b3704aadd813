import type { CacheKey } from "./key";

/** What `explain` can say about a request that was made: never its text. */
export interface RecentRequest {
  namespace: string;
  key: string;
  parts: ReadonlyMap<string, string>;
}

/** Parts that people write, shown as hashes however short they are. */
const CONTENT = new Set(["messages", "prompt", "input", "question", "contexts"]);
const LONGEST_SHOWN = 80;

/** A part as it may be shown: the value itself, or `hash:` and 64 bits of a hash for content and long values. */
export const showParts = ({ parts }: CacheKey): Map<string, string> => {
  const shown = new Map<string, string>();
  for (const [name, text] of parts) {
    const isHidden = CONTENT.has(name) || text.length > LONGEST_SHOWN;
    shown.set(name, isHidden ? `hash:${Bun.hash(text).toString(16).padStart(16, "0")}` : text);
  }
  return shown;
};

/** The last `limit` requests by id. */
export const createRecentRequests = (limit = 2000) => {
  const requests = new Map<string, RecentRequest>();
  /** Ids in a ring, as the oldest key of a large Map is slow to find. */
  const ids: string[] = [];
  let next = 0;
  return {
    get: (requestId: string): RecentRequest | undefined => requests.get(requestId),
    add: (requestId: string, namespace: string, key: CacheKey): void => {
      const isNew = !requests.has(requestId);
      requests.set(requestId, { namespace, key: key.key, parts: showParts(key) });
      if (!isNew) return;
      const oldest = ids[next];
      if (oldest !== undefined) requests.delete(oldest);
      ids[next] = requestId;
      next = (next + 1) % limit;
    },
  };
};
