import type { Config } from "../../lib/config";
import type { Cache, CacheStats } from "../ports/cache";
import type { CacheLayer, CacheNamespace, CacheStatistics } from "./contract";
import type { CacheCounts } from "./counts";
import type { Namespaces } from "./namespaces";
import type { AnswerCacheService } from "./service";

interface StatisticsDeps {
  answers: Pick<AnswerCacheService, "counts" | "inFlight">;
  cache: Pick<Cache, "stats">;
  namespaces: Pick<Namespaces, "list">;
  config: Pick<Config, "cache">;
}

const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
};
const hitsOf = ({ hits }: CacheCounts): number => sum(Object.values(hits));

const toLayer = (stats: CacheStats, maxBytes: number): CacheLayer => ({
  kind: stats.layer,
  status: stats.status,
  since: stats.since.toISOString(),
  entries: stats.entries,
  size_bytes: stats.sizeBytes,
  max_bytes: stats.layer === "memory" ? maxBytes : null,
  latency_ms: stats.latencyMs ?? null,
  last_error: stats.lastError ?? null,
});

const toNamespaces = ({ counts }: StatisticsDeps["answers"], settings: Pick<Namespaces, "list">): CacheNamespace[] => {
  const set = new Map(settings.list().map((namespace) => [namespace.name, namespace]));
  return [...new Set([...set.keys(), ...counts.byNamespace.keys()])].map((name) => {
    const used = counts.byNamespace.get(name);
    return {
      name,
      enabled: set.get(name)?.enabled ?? true,
      keys: set.get(name)?.keyIds ?? [],
      hits: used ? hitsOf(used) : 0,
      misses: used?.misses ?? 0,
      bypasses: used ? sum(used.bypasses.values()) : 0,
    };
  });
};

/** Counts of this gateway since it started, and the state of each layer now. */
export const cacheStatistics = async ({
  answers,
  cache,
  namespaces,
  config,
}: StatisticsDeps): Promise<CacheStatistics> => {
  const { total, writes } = answers.counts;
  const hits = hitsOf(total);
  return {
    enabled: config.cache.enabled,
    ttl_seconds: config.cache.ttlSeconds,
    layers: (await cache.stats()).map((stats) => toLayer(stats, config.cache.maxBytes)),
    hits: { ...total.hits },
    misses: total.misses,
    bypasses: Object.fromEntries(total.bypasses),
    hit_rate: hits + total.misses === 0 ? 0 : hits / (hits + total.misses),
    writes: { ...writes },
    in_flight: answers.inFlight(),
    namespaces: toNamespaces(answers, namespaces),
  };
};
