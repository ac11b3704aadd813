import type { CacheReport } from "../contract";
import type { CacheHit } from "../ports/cache";
import type { CacheRequest } from "./answers";
import { cacheKey } from "./key";
import { type CachePolicy, notCached } from "./policy";

export type EntryRequest = Pick<CacheRequest, "keyId" | "tags" | "bypass" | "directives">;

/** Number of parallel reads. A remote store answers this many well within its timeout. */
const READS_AT_ONCE = 64;

/** A request whose parts are cached separately. Close it when the request ends. */
export class EntrySession {
  readonly #policy: CachePolicy;
  readonly #request: EntryRequest;
  readonly #namespace: string;
  readonly #tags: string[];
  /** Why the cache is bypassed. */
  readonly #bypass: string | undefined;
  readonly #isKept: boolean;
  #keys: string[] = [];
  #hits: (CacheHit | undefined)[] = [];
  readonly #forgotten = new Set<string>();
  #isForgotten = false;

  constructor(
    policy: CachePolicy,
    request: EntryRequest,
    readonly close: () => void,
  ) {
    const { noStore, keepSeconds } = request.directives;
    this.#policy = policy;
    this.#request = request;
    this.#namespace = policy.nameOf(request.keyId);
    this.#tags = [...request.tags, `namespace:${this.#namespace}`];
    this.#bypass = policy.bypassReason(request, this.#namespace);
    this.#isKept = this.#bypass === undefined && !noStore && keepSeconds !== 0;
  }

  /**
   * The stored value for each list of parts, in order; undefined for a miss. Counts hits and misses; call it once. Throws
   * not_cached for `only-if-cached` unless all are stored.
   */
  async read(parts: readonly Record<string, unknown>[]): Promise<(string | undefined)[]> {
    const { noCache, onlyIfCached } = this.#request.directives;
    if (this.#bypass === undefined) this.#keys = parts.map((each) => cacheKey(this.#namespace, each).key);
    const bypass = this.#bypass ?? (noCache ? "no-cache" : undefined);
    if (bypass !== undefined) {
      for (const _ of parts) this.#policy.counts.count(this.#namespace, { bypass });
      if (onlyIfCached) throw notCached(`the cache was not asked: ${bypass}`);
      return parts.map(() => undefined);
    }
    for (let from = 0; from < this.#keys.length; from += READS_AT_ONCE) {
      const keys = this.#keys.slice(from, from + READS_AT_ONCE);
      this.#hits.push(...(await Promise.all(keys.map((key) => this.#readOne(key)))));
    }
    if (onlyIfCached && this.#hits.includes(undefined)) throw notCached("not all of it is stored");
    return this.#hits.map((hit) => hit?.value);
  }

  /** Stores the value for the parts at `index` in the list that was read, unless it was invalidated meanwhile. */
  async keep(index: number, value: string): Promise<void> {
    const key = this.#keys[index];
    if (!this.#isKept || key === undefined || this.#isForgotten || this.#forgotten.has(key)) return;
    await this.#policy.keep(key, value, this.#tags, this.#request.directives.keepSeconds);
  }

  /** The cache report of the request: a hit if every part came from the cache. */
  report(): CacheReport {
    if (this.#bypass !== undefined) return { status: "bypass", reason: this.#bypass };
    const [key] = this.#keys.length === 1 ? this.#keys : [];
    if (this.#request.directives.noCache) return { status: "bypass", reason: "no-cache", key, stored: this.#isKept };
    const hits = this.#hits.filter((hit) => hit !== undefined);
    const [oldest] = hits.toSorted((a, b) => a.storedAt.getTime() - b.storedAt.getTime());
    if (oldest && hits.length === this.#keys.length) return this.#policy.report(key, oldest);
    return { status: "miss", key, stored: this.#isKept };
  }

  /** Stops storing anything with this tag. */
  forgetTag(tag: string): void {
    if (this.#tags.includes(tag)) this.#isForgotten = true;
  }

  /** Stops storing this entry. */
  forgetKey(key: string): void {
    this.#forgotten.add(key);
  }

  async #readOne(key: string): Promise<CacheHit | undefined> {
    const hit = await this.#policy.find(key);
    const isTooOld = this.#policy.isTooOld(hit, this.#request.directives);
    this.#policy.counts.count(this.#namespace, hit && !isTooOld ? { hit: hit.layer } : "miss");
    return isTooOld ? undefined : hit;
  }
}

/** The open sessions. They don't store entries that are invalidated while they are open. */
export const createEntries = (policy: CachePolicy) => {
  const sessions = new Set<EntrySession>();
  return {
    begin: (request: EntryRequest): EntrySession => {
      const session: EntrySession = new EntrySession(policy, request, () => sessions.delete(session));
      sessions.add(session);
      return session;
    },
    forgetTag: (tag: string): void => {
      for (const session of sessions) session.forgetTag(tag);
    },
    forgetKey: (key: string): void => {
      for (const session of sessions) session.forgetKey(key);
    },
  };
};
