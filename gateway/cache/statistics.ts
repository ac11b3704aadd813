import type { Config } from "../../lib/config";
import type { CacheLayer, CacheStats } from "../ports/cache";
import type { CacheNamespace, CacheNamespaceSettings, CacheStatistics, CacheLayer as Layer } from "./contract";

/** Cache outcomes of one namespace, or of all requests. */
interface CacheCounts {
  hits: Record<CacheLayer | "in_flight", number>;
  misses: number;
  bypasses: Map<string, number>;
}

type Outcome = { hit: CacheLayer | "in_flight" } | { bypass: string } | "miss";

/** Maximum number of namespaces counted separately. Further ones only count towards the total. */
const MAX_NAMESPACES = 10_000;

const zero = (): CacheCounts => ({ hits: { memory: 0, redis: 0, in_flight: 0 }, misses: 0, bypasses: new Map() });

const add = (counts: CacheCounts, outcome: Outcome): void => {
  if (outcome === "miss") counts.misses++;
  else if ("hit" in outcome) counts.hits[outcome.hit]++;
  else counts.bypasses.set(outcome.bypass, (counts.bypasses.get(outcome.bypass) ?? 0) + 1);
};

/** Counts since this process started. */
export const createCacheCounts = () => {
  const total = zero();
  const byNamespace = new Map<string, CacheCounts>();
  return {
    total,
    byNamespace,
    /**
     * Complete answers that could be stored. skipped: empty, truncated, invalidated in the meantime, or `s-maxage` was
     * 0.
     */
    writes: { stored: 0, skipped: 0, failed: 0 },
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

const hitsOf = ({ hits }: CacheCounts): number => hits.memory + hits.redis + hits.in_flight;

const toLayer = (stats: CacheStats, maxBytes: number): Layer => ({
  kind: stats.layer,
  status: stats.status,
  since: stats.since.toISOString(),
  entries: stats.entries,
  size_bytes: stats.sizeBytes,
  max_bytes: stats.layer === "memory" ? maxBytes : null,
  latency_ms: stats.latencyMs ?? null,
  last_error: stats.lastError ?? null,
});

const toNamespace = (
  name: string,
  { enabled, keys }: CacheNamespaceSettings = { name, enabled: true, keys: [] },
  used: CacheCounts = zero(),
): CacheNamespace => {
  const bypasses = [...used.bypasses.values()].reduce((sum, count) => sum + count, 0);
  return { name, enabled, keys, hits: hitsOf(used), misses: used.misses, bypasses };
};

/** Counts since this gateway started, and the current state of each layer. */
export const cacheStatistics = (
  { total, writes, byNamespace }: ReturnType<typeof createCacheCounts>,
  inFlight: number,
  layers: readonly CacheStats[],
  namespaces: readonly CacheNamespaceSettings[],
  { enabled, ttlSeconds, maxBytes }: Config["cache"],
): CacheStatistics => {
  const hits = hitsOf(total);
  const settings = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  const names = [...new Set([...settings.keys(), ...byNamespace.keys()])];
  return {
    enabled,
    ttl_seconds: ttlSeconds,
    layers: layers.map((stats) => toLayer(stats, maxBytes)),
    hits: { ...total.hits },
    misses: total.misses,
    bypasses: Object.fromEntries(total.bypasses),
    hit_rate: hits + total.misses === 0 ? 0 : hits / (hits + total.misses),
    writes: { ...writes },
    in_flight: inFlight,
    namespaces: names.map((name) => toNamespace(name, settings.get(name), byNamespace.get(name))),
  };
};
