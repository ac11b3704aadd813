import type { CacheLayer } from "../ports/cache";

/** What happened to the requests of one namespace, or of all. */
export interface CacheCounts {
  hits: Record<CacheLayer | "in_flight", number>;
  misses: number;
  bypasses: Map<string, number>;
}

/** Complete answers that could be stored, by what happened to them. */
interface WriteCounts {
  stored: number;
  /** Empty, cut off or invalidated meanwhile, or `s-maxage` was 0. */
  skipped: number;
  failed: number;
}

type Outcome = { hit: CacheLayer | "in_flight" } | { bypass: string } | "miss";

/** Further namespaces are counted only in the total. */
const MAX_NAMESPACES = 10_000;

const zero = (): CacheCounts => ({ hits: { memory: 0, redis: 0, in_flight: 0 }, misses: 0, bypasses: new Map() });

const add = (counts: CacheCounts, outcome: Outcome): void => {
  if (outcome === "miss") counts.misses++;
  else if ("hit" in outcome) counts.hits[outcome.hit]++;
  else counts.bypasses.set(outcome.bypass, (counts.bypasses.get(outcome.bypass) ?? 0) + 1);
};

/** Counts of this process since it started. */
export const createCacheCounts = () => {
  const total = zero();
  const byNamespace = new Map<string, CacheCounts>();
  const writes: WriteCounts = { stored: 0, skipped: 0, failed: 0 };
  return {
    total,
    byNamespace,
    writes,
    count: (namespace: string, outcome: Outcome): void => {
      add(total, outcome);
      let counts = byNamespace.get(namespace);
      if (!counts) {
        if (byNamespace.size >= MAX_NAMESPACES) return;
        counts = zero();
        byNamespace.set(namespace, counts);
      }
      add(counts, outcome);
    },
  };
};
